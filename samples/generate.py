"""Make a fictional client's month of calls, in the very form in which the carrier replies.

    python generate.py dental --out wattle-lane-dental
    python generate.py busy --out /tmp/ironbark --calls 1000000

The same arguments give the same bytes on every machine: everything is drawn from one seeded
generator with ``random()`` alone, whose sequence Python promises to keep, and worked out in
whole numbers or with plain multiplication. Every number is out of a range that ACMA (or Ofcom)
keeps free for fiction; where there is no such range it is plainly invented.
"""

from __future__ import annotations

import argparse
import json
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate, chain
from pathlib import Path
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

# Its neighbour is found also where this file is loaded by its path, as the tests do.
sys.path.insert(0, str(Path(__file__).parent))

from clients import CLIENTS, Client, Kind

MOBILES = (
    "0491570006 0491570110 0491570156 0491570157 0491570158 0491570159 0491570313 0491570737 "
    "0491571266 0491571491 0491571804 0491572549 0491572665 0491572983 0491573087 0491573770 "
    "0491574118 0491574632 0491575254 0491575789 0491576398 0491576801 0491577426 0491577644 "
    "0491578148 0491578888 0491578957 0491579212 0491579455 0491579760"
)
FICTITIOUS_MOBILES = tuple(MOBILES.split())
"""The mobile numbers that ACMA sets aside for fiction."""

FULL_REPLY = 10_000
"""A reply with so many calls may have been cut by the carrier; ours always hold fewer."""

_WRITER = json.JSONEncoder(separators=(",", ":"))


def _landline(draw: Random, area: str) -> str:
    """Draw from 5550 xxxx and 7010 xxxx; from 1000 up, for the clients' own are below."""
    exchange = "5550" if draw.random() < 0.6 else "7010"
    return f"{area}{exchange}{1_000 + int(draw.random() * 9_000)}"


def _caller(draw: Random, home: str) -> str:
    """Draw a calling party, written in one of the several ways in which the carrier writes it."""
    lot = draw.random()
    if lot > 0.96:
        return "Anonymous" if lot < 0.99 else ""
    if lot > 0.955:
        return _uk(draw, "+44")
    number = _mobile(draw, home) if lot < 0.6 else _near(draw, home)
    return _respelt(draw, number)


def _respelt(draw: Random, number: str) -> str:
    lot = draw.random()
    return "+61" + number[1:] if lot < 0.06 else "61" + number[1:] if lot < 0.09 else number


def _mobile(draw: Random, _home: str) -> str:
    return FICTITIOUS_MOBILES[int(draw.random() * len(FICTITIOUS_MOBILES))]


def _near(draw: Random, home: str) -> str:
    return _landline(draw, home if draw.random() < 0.8 else _away(draw, home))


def _away(draw: Random, home: str) -> str:
    areas = [area for area in ("02", "03", "07", "08") if area != home]
    return areas[int(draw.random() * 3)]


def _one_of(*numbers: str) -> Callable[[Random, str], str]:
    return lambda draw, _home: numbers[int(draw.random() * len(numbers))]


def _uk(draw: Random, prefix: str) -> str:
    return f"{prefix}2079460{int(draw.random() * 1_000):03}"


_FAR: Mapping[str, Callable[[Random, str], str]] = {
    "local": _landline,
    "national": lambda draw, home: _landline(draw, _away(draw, home)),
    "landline": _near,
    "mobile": _mobile,
    "caller": _caller,
    # No 13 number is set aside for fiction; this one is invented.
    "13": _one_of("130000", "1300975710", "1300975711"),
    "1800": _one_of("1800160401", "1800975710", "1800975711"),
    "nz": lambda draw, _home: f"00116490000{int(draw.random() * 1_000):03}",
    "uk": lambda draw, _home: _uk(draw, "001144"),
    "us": lambda draw, _home: f"0011120255501{int(draw.random() * 100):02}",
    "directory": _one_of("1223"),
    "extension": _one_of("101", "102", "105"),
}


class _Exchange:
    """Makes one call after another and numbers them; it draws everything but the second."""

    def __init__(self, month: _Month, draw: Random) -> None:
        self._client, self._draw, self._month = month.client, draw, month
        self._shares = list(accumulate(kind.weight for kind in month.client.kinds))
        self._callid, self._statid = 722_954_181, 271_020_361

    def promised(self) -> list[tuple[Kind, str]]:
        """Return a kind for each category and each number, so that a month leaves none out."""
        kinds, lines = self._client.kinds, self._client.lines
        first_of = {kind.category: kind for kind in reversed(kinds)}
        inbound = {kind.line: kind for kind in kinds if kind.direction == "IN"}
        of_numbers = [(inbound[line], own) for line in lines for own in lines[line]]
        return [(kind, "") for kind in first_of.values()] + of_numbers

    def call(self, moment: int) -> dict[str, object]:
        """Make any call."""
        lot = int(self._draw.random() * self._shares[-1])
        kind = self._client.kinds[bisect_right(self._shares, lot)]
        return self.call_of(kind, moment, answered=self._draw.random() * 100 < kind.answered)

    def call_of(
        self, kind: Kind, moment: int, own: str = "", *, answered: bool = True
    ) -> dict[str, object]:
        """Make a call of one kind, on one of the client's numbers or on the number ``own``."""
        draw = self._draw
        lines = self._client.lines[kind.line]
        lot = draw.random()
        # Squared, so that the first numbers of a client are the busiest.
        own = own or lines[int(lot * lot * len(lines))]
        far = _FAR[kind.far](draw, self._client.home)
        lot = draw.random()
        if answered:
            status = "Connected."
            seconds = 4 + int(lot * lot * (0.4 + 0.6 * lot) * kind.longest)
        else:
            status = "No Answer." if lot < 0.64 else "Busy." if lot < 0.82 else "Cancelled."
            seconds = 0
        inbound = kind.direction == "IN"
        if inbound:
            routes = self._client.routes
            origin, destination = far, f"{own}/{routes[int(draw.random() * len(routes))]}"
        else:
            origin = _respelt(draw, own) if draw.random() < 0.3 else own
            destination = far
        self._callid += 1 + int(draw.random() * 60)
        self._statid += 1 + int(draw.random() * 45)
        return {
            "callid": self._callid,
            "recording": int(answered and inbound and draw.random() < 0.7),
            "statid": self._statid,
            "datetime": self._month.local(moment).isoformat(" ")[:19],
            "unixtime": moment,
            "direction": kind.direction,
            "origin": origin,
            "destination": destination,
            "rate": "" if inbound else kind.category,
            "inboundrate": kind.category if inbound else "",
            "status": status,
            "duration": seconds,
            "cost": _cost(kind, seconds) if answered else "0.00",
        }

    def credit(self, moment: int) -> dict[str, object]:
        """Make the credit for an earlier mobile call: no talk, and a cost below zero."""
        mobile = next(kind for kind in self._client.kinds if kind.far == "mobile")
        return {**self.call_of(mobile, moment), "duration": 0, "cost": "-0.2500"}

    def edge(self, moment: int) -> dict[str, object]:
        """Make a charged call: one that a period's total cannot lose unseen."""
        charged = next(k for k in self._client.kinds if k.per_minute)
        return self.call_of(charged, moment)


def _cost(kind: Kind, seconds: int) -> str:
    """Write what an answered call costs: in four places where it is charged by the second."""
    minutes = -(-seconds // 60)
    cost = kind.per_call + kind.per_second * seconds + kind.per_minute * minutes
    dollars, rest = divmod(cost, 10_000)
    return f"{dollars}.{rest:04}" if kind.per_second else f"{dollars}.{rest // 100:02}"


class _Day(NamedTuple):
    """One local day: its half-open span in unix seconds, and how many calls to draw in it."""

    date: date
    start: int
    end: int
    calls: int

    @property
    def weekday(self) -> int:
        """The day of the week whose habits the day keeps, from 0: a public holiday is a 6."""
        # The first Monday of October: Labour Day in Sydney, the King's Birthday in Brisbane.
        holiday = self.date.month == 10 and self.date.weekday() == 0 and self.date.day <= 7
        return 6 if holiday else self.date.weekday()

    def moments(self, client: Client, draw: Random) -> list[int]:
        """Draw the seconds of the calls. A day of 23 hours wraps the lost hour round."""
        hours = list(accumulate(client.hours[max(0, self.weekday - 4)]))
        length = self.end - self.start
        found = []
        for _ in range(self.calls):
            hour = bisect_right(hours, int(draw.random() * hours[-1]))
            found.append(self.start + (hour * 3600 + int(draw.random() * 3600)) % length)
        return found


class _Month:
    """A month of a client in a zone: from ``start`` up to ``end``, in unix seconds.

    ``pinned`` says at which seconds there is a call for certain: on both sides of every edge.
    Edges are the month's two ends and the moments in it at which the clocks are changed.
    """

    def __init__(self, client: Client, month: str, zone: str | None) -> None:
        self.client, self.zone = client, ZoneInfo(zone or client.zone)
        self.first = date.fromisoformat(f"{month}-01")
        self.after = (self.first + timedelta(days=31)).replace(day=1)
        self.start, self.end = self._midnight(self.first), self._midnight(self.after)
        grid = range(self.start, self.end, 1800)
        offsets = [datetime.fromtimestamp(at, self.zone).utcoffset() for at in grid]
        changes = [grid[i] for i in range(1, len(grid)) if offsets[i] != offsets[i - 1]]
        edges = (self.start, *changes, self.end)
        self.pinned = {edge + side: "edge" for edge in edges for side in (-1, 0)}
        if client.small:
            self.pinned[self._midnight(self.first.replace(day=20)) + 9 * 3600] = "credit"

    def _midnight(self, day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())

    def local(self, moment: int) -> datetime:
        """Return a unix second as the month's zone shows it."""
        return datetime.fromtimestamp(moment, self.zone)

    def holds(self, moment: int) -> bool:
        """Tell whether a second lies in the month."""
        return self.start <= moment < self.end

    def days(self, calls: int, draw: Random) -> list[_Day]:
        """Share ``calls`` out over the month's days, exactly, and add the days around it."""
        count = (self.after - self.first).days
        dates = [self.first + timedelta(days=i) for i in range(-2, count + 4)]
        days = [
            _Day(day, self._midnight(day), self._midnight(day + timedelta(days=1)), 0)
            for day in dates
        ]
        weights = [self._weight(day) * (85 + int(draw.random() * 31)) for day in days]
        inside = range(2, 2 + count)
        whole = sum(weights[i] for i in inside)
        shares = [calls * weight // whole for weight in weights]
        # What rounding down left over goes to the days that it cost most.
        by_rest = sorted(inside, key=lambda i: (-(calls * weights[i] % whole), i))
        for i in by_rest[: calls - sum(shares[i] for i in inside)]:
            shares[i] += 1
        for i in range(len(days)):
            if i not in inside and not self.client.small:
                shares[i] = min(shares[i], 60)
        return [day._replace(calls=share) for day, share in zip(days, shares, strict=True)]

    def _weight(self, day: _Day) -> int:
        third_sunday = day.date.weekday() == 6 and 15 <= day.date.day <= 21
        return 0 if third_sunday and self.client.small else self.client.week[day.weekday]


def _calls_by_day(
    month: _Month, calls: int, seed: int
) -> Iterator[tuple[_Day, list[dict[str, object]]]]:
    draw = Random(seed)
    exchange = _Exchange(month, draw)
    pinned, promised = dict(month.pinned), exchange.promised()
    free = calls - sum(month.holds(at) for at in pinned)
    if free < len(promised):
        raise ValueError(f"a month needs at least {calls - free + len(promised)} calls")
    # The promised calls are spread over the month, one in so many.
    stride = free // len(promised)
    ordinary = 0
    for day in month.days(free, draw):
        moments = day.moments(month.client, draw)
        moments += [at for at in pinned if day.start <= at < day.end]
        made = []
        for at in sorted(moments):
            # Popped: a call that is drawn for the same second is an ordinary one.
            if pin := pinned.pop(at, ""):
                made.append(exchange.credit(at) if pin == "credit" else exchange.edge(at))
                continue
            ordinary += month.holds(at)
            if promised and month.holds(at) and ordinary % stride == 0:
                kind, own = promised.pop(0)
                made.append(exchange.call_of(kind, at, own))
            else:
                made.append(exchange.call(at))
        yield day, made


def calls_for(
    client: str,
    *,
    calls: int | None = None,
    seed: int = 1,
    month: str = "2026-10",
    zone: str | None = None,
) -> Iterator[dict[str, object]]:
    """Yield the calls of ``dental`` or ``busy`` as the carrier's records, oldest first.

    Exactly ``calls`` of them (default: the client's own number) lie in the month; those of two
    days before it and four days after it come with them. ValueError for too few calls.
    """
    what = _Month(CLIENTS[client], month, zone)
    for _, made in _calls_by_day(what, what.client.calls if calls is None else calls, seed):
        yield from made


def _windows(
    start: int, end: int, calls: Sequence[Mapping[str, object]]
) -> Iterator[tuple[int, int, Sequence[Mapping[str, object]]]]:
    """Halve a span until each part fits in one reply that is not full."""
    if len(calls) < FULL_REPLY:
        yield start, end, calls
        return
    middle = (start + end) // 2
    cut = bisect_left(calls, middle, key=lambda call: int(str(call["unixtime"])))
    yield from _windows(start, middle, calls[:cut])
    yield from _windows(middle, end, calls[cut:])


def _reply(month: _Month, start: int, end: int, calls: Sequence[Mapping[str, object]]) -> bytes:
    """Write one reply as PHP's json_encode does: no spaces, ``/`` escaped, all else ASCII."""
    begins = month.local(start).isoformat(" ")
    reply = {
        "status": 1,
        "request": "calls/list",
        "timezone": month.zone.key,
        "offset": begins[19:],
        "starttime": begins[:19],
        "endtime": month.local(end).isoformat(" ")[:19],
        "count": len(calls),
        "calls": calls or None,
    }
    return _WRITER.encode(reply).replace("/", "\\/").encode("ascii")


def write_sample(
    client: str,
    out: Path,
    *,
    calls: int | None = None,
    seed: int = 1,
    month: str = "2026-10",
    zone: str | None = None,
) -> tuple[int, int]:
    """Write ``sample.toml`` and ``replies/`` into ``out``; return how many calls and replies.

    Replies of an earlier sample there are removed. FileExistsError where there are replies
    but no ``sample.toml``: they are someone else's. ValueError for too few calls.
    """
    what = _Month(CLIENTS[client], month, zone)
    who = what.client
    by_day = _calls_by_day(what, who.calls if calls is None else calls, seed)
    # Drawn now: too few calls are refused before anything is touched.
    first = next(by_day)
    replies = out / "replies"
    old = sorted(replies.glob("*.json"))
    if old and not (out / "sample.toml").exists():
        raise FileExistsError(f"{replies} holds replies that are no sample's")
    for path in old:
        path.unlink()
    replies.mkdir(parents=True, exist_ok=True)
    as_of = datetime(what.after.year, what.after.month, 5, 9, tzinfo=what.zone)
    settings = {
        "key": f"sandbox-{who.account}",
        "account": who.account,
        "name": who.name,
        "timezone": what.zone.key,
        "period": month,
        "as_of": as_of.isoformat(),
    }
    text = "".join(f'{name} = "{value}"\n' for name, value in settings.items())
    (out / "sample.toml").write_text(text, encoding="ascii", newline="\n")
    written = windows = 0
    for day, made in chain((first,), by_day):
        for start, end, some in _windows(day.start, day.end, made):
            clock = "" if start == day.start else f"{what.local(start):-%H%M%S}"
            (replies / f"{day.date}{clock}.json").write_bytes(_reply(what, start, end, some))
            written, windows = written + len(some), windows + 1
    return written, windows


def main() -> None:
    """Read the command line and write one sample."""
    parser = argparse.ArgumentParser(description="Make a fictional client's month of calls.")
    parser.add_argument("client", choices=sorted(CLIENTS))
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--calls", type=int, metavar="N", help="calls in the month")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--month", default="2026-10", metavar="YYYY-MM")
    parser.add_argument("--zone", metavar="ZONE", help="an IANA time zone")
    given = parser.parse_args()
    calls, replies = write_sample(
        given.client,
        given.out,
        calls=given.calls,
        seed=given.seed,
        month=given.month,
        zone=given.zone,
    )
    print(f"{calls} calls in {replies} replies: {given.out}")


if __name__ == "__main__":
    main()
