"""Make three fictional accounts with a bill each, for the reconciliation.

    python bills.py --out bills

Each has a folder with the carrier's replies of three months, its bill for October 2026, and
``planted.json``: what was planted in the bill, class by class. The same arguments give the same
bytes on every machine. Planting is plain arithmetic here, apart from the code that has to find it.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

# Its neighbour is found also where this file is loaded by its path, as the tests do.
sys.path.insert(0, str(Path(__file__).parent))

from clients import CLIENTS
from generate import _Month, _reply, calls_for

MONTHS = ("2026-09", "2026-10", "2026-11")
SYDNEY = "Australia/Sydney"
CENT = Decimal("0.01")
_APART = 1_000_000
"""How far apart the ids of two months are: each month is numbered from the same first one."""

Record = dict[str, object]


@dataclass
class Client:
    """An account with a bill: its records by month, and where they are written."""

    account: str
    name: str
    zone: str
    seed: int
    late_hour: Sequence[str] = ()
    months: dict[str, list[Record]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for at, month in enumerate(MONTHS):
            what = self.what(month)
            calls = calls_for(
                "dental", calls=220, seed=self.seed + at, month=month, zone=self.zone
            )
            inside = [call for call in calls if what.holds(_moment(call))]
            for call in inside:
                call["callid"] = int(str(call["callid"])) + at * _APART
            inside += self._late(what, at)
            self.months[month] = sorted(inside, key=_moment)

    def _late(self, what: _Month, at: int) -> Iterable[Record]:
        """Yield charged calls of the month's last hour, which another zone has in the next."""
        for number, cost in enumerate(self.late_hour, 1):
            moment = what.end - number * 600
            yield {
                **_call(what, moment, 900_000_000 + at * _APART + number),
                "rate": "Mobile",
                "destination": "0491570156",
                "duration": 60 * number,
                # Not the same dollars at both ends, or they would cancel.
                "cost": f"{Decimal(cost) + CENT * 11 * (at + 1)}",
            }

    def what(self, month: str) -> _Month:
        """Return a month in the account's zone."""
        return _Month(CLIENTS["dental"], month, self.zone)

    def billed_month(self) -> tuple[int, int]:
        """Return the month that is billed as Sydney has it, in unix seconds."""
        what = _Month(CLIENTS["dental"], MONTHS[1], SYDNEY)
        return what.start, what.end

    def around(self) -> tuple[list[Record], list[Record], list[Record]]:
        """Return the charged calls of both months, of ours alone, and of the bill's alone."""
        start, end = self.billed_month()
        before = [c for c in self.months[MONTHS[0]] if _cost(c) and _moment(c) >= start]
        inside = [call for call in self.charged if start <= _moment(call) < end]
        ours = [call for call in self.charged if not start <= _moment(call) < end]
        return inside, ours, before

    def write(self, out: Path) -> Path:
        """Write the sample's settings and a reply a month; return its folder."""
        folder = out / self.account
        (folder / "replies").mkdir(parents=True, exist_ok=True)
        settings = {
            "key": f"sandbox-{self.account}",
            "account": self.account,
            "name": self.name,
            "timezone": self.zone,
            "period": MONTHS[1],
            "as_of": "2026-12-05T09:00:00+10:00",
        }
        text = "".join(f'{name} = "{value}"\n' for name, value in settings.items())
        (folder / "sample.toml").write_text(text, encoding="ascii", newline="\n")
        for month, calls in self.months.items():
            what = self.what(month)
            body = _reply(what, what.start, what.end, calls)
            (folder / "replies" / f"{month}.json").write_bytes(body)
        return folder

    @property
    def charged(self) -> list[Record]:
        """The charged calls of the month that is billed."""
        return [call for call in self.months[MONTHS[1]] if _cost(call)]


def _call(what: _Month, moment: int, number: int) -> Record:
    return {
        "callid": number,
        "recording": 0,
        "statid": 300_000_000 + number % 1_000_000,
        "datetime": what.local(moment).isoformat(" ")[:19],
        "unixtime": moment,
        "direction": "OUT",
        "origin": "0255500140",
        "destination": "",
        "rate": "",
        "inboundrate": "",
        "status": "Connected.",
        "duration": 0,
        "cost": "0.00",
    }


def _moment(call: Mapping[str, object]) -> int:
    return int(str(call["unixtime"]))


def _cost(call: Mapping[str, object]) -> Decimal:
    return Decimal(str(call["cost"]))


def _category(call: Mapping[str, object]) -> str:
    return str(call["rate"] or call["inboundrate"])


def _cents(value: Decimal, rounding: str = ROUND_HALF_UP) -> Decimal:
    return value.quantize(CENT, rounding=rounding)


def _by_category(calls: Iterable[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for call in calls:
        found.setdefault(_category(call), []).append(call)
    return dict(sorted(found.items()))


def _sum(calls: Iterable[Record]) -> Decimal:
    return sum(map(_cost, calls), Decimal(0))


Line = tuple[str, str, str, int | None, Decimal]
"""Kind, text, category, calls, charge."""


def _toml(path: Path, facts: Mapping[str, str], lines: Sequence[Line], total: Decimal) -> None:
    text = [f'{name} = "{value}"' for name, value in facts.items()] + [f'total = "{total}"']
    for kind, words, category, calls, charge in lines:
        text += ["", "[[line]]", f'kind = "{kind}"', f'text = "{words}"']
        text += [f'category = "{category}"'] if category else []
        text += [f"calls = {calls}"] if calls is not None else []
        text.append(f'charge = "{charge}"')
    path.write_text("\n".join(text) + "\n", encoding="utf-8", newline="\n")


def _table(path: Path, facts: Mapping[str, str], lines: Sequence[Line], total: Decimal) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["Kind", "Description", "Category", "Calls", "Charge"])
        for name, value in facts.items():
            out.writerow([name, value, "", "", ""])
        for kind, words, category, calls, charge in lines:
            out.writerow([kind, words, category, "" if calls is None else calls, charge])
        out.writerow(["total", "", "", "", total])


def _planted(folder: Path, classes: Mapping[str, Decimal], calls: Sequence[Record] = ()) -> None:
    said = {
        "classes": {kind: f"{value}" for kind, value in classes.items() if value},
        "calls": list(calls),
    }
    (folder / "planted.json").write_text(json.dumps(said, indent=1) + "\n", encoding="ascii")


# ---- three bills ----------------------------------------------------------------------------


def sums_that_agree(out: Path) -> None:
    """Write a bill by category that agrees: only rounding, other lines and GST are between."""
    client = Client("quandong-legal", "Quandong Legal", "Australia/Sydney", 11)
    folder = client.write(out)
    lines: list[Line] = []
    rounding = Decimal(0)
    for category, calls in _by_category(client.charged).items():
        cost = _sum(calls)
        lines.append(("calls", category, category, len(calls), _cents(cost)))
        rounding += _cents(cost) - cost
    others: list[Line] = [
        ("rental", "1300 number", "", None, Decimal("15.00")),
        ("hosting", "Hosted PBX, 9 extensions", "", None, Decimal("135.00")),
        ("sms", "SMS, 46 parts", "", None, Decimal("2.30")),
        ("credit", "Goodwill credit, ticket 20871", "", None, Decimal("-10.00")),
    ]
    net = sum((line[4] for line in (*lines, *others)), Decimal(0))
    gst = _cents(net / 10)
    facts = {
        "number": "INV-104417",
        "issued": "2026-11-03",
        "from": "2026-10-01",
        "to": "2026-10-31",
        "gst": "exclusive",
    }
    whole = [*lines, *others, ("gst", "GST 10%", "", None, gst)]
    _toml(folder / "invoice.toml", facts, whole, net + gst)
    _planted(
        folder,
        {
            "credit": Decimal("-10.00"),
            "non-call line": Decimal("152.30"),
            "GST basis": gst,
            "rounding": rounding,
        },
    )


def sums_in_another_zone(out: Path) -> None:
    """Write a bill as a table: of Sydney's month, without GST where the cost has it, one twice."""
    late = ("0.4400", "0.8800", "1.3200")
    client = Client("banksia-couriers", "Banksia Couriers", "Australia/Adelaide", 29, late)
    folder = client.write(out)
    inside, outside, into = client.around()
    months = [*into, *inside]
    lines: list[Line] = []
    planted: dict[str, Decimal] = {
        "boundary": _sum(into) - _sum(outside),
        "GST basis": Decimal(0),
        "rounding": Decimal(0),
    }
    for category, calls in _by_category(months).items():
        cost = _sum(calls)
        # The carrier's cost includes GST here, to the micro-dollar that the sum comes to.
        without = (cost * 10 / 11).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        charge = _cents(without)
        name = "Calls to mobiles" if category == "Mobile" else category
        lines.append(("calls", name, name, len(calls), charge))
        planted["GST basis"] += without - cost
        planted["rounding"] += charge - without
    twice = next(line for line in lines if line[1] == "1300 Incoming")
    lines.append(twice)
    planted["duplicate"] = twice[4]
    others: list[Line] = [
        ("late-calls", "Calls of August, billed late", "", 2, Decimal("0.84")),
        ("rental", "1800 number", "", None, Decimal("25.00")),
    ]
    planted["late"], planted["non-call line"] = Decimal("0.84"), Decimal("25.00")
    net = sum((line[4] for line in (*lines, *others)), Decimal(0))
    gst = _cents(net / 10)
    planted["GST basis"] += gst
    facts = {
        "number": "BC/2026/10",
        "issued": "5/11/2026",
        "gst basis": "exclusive",
        "timezone": SYDNEY,
    }
    _table(
        folder / "invoice.csv", facts, [*lines, *others, ("gst", "GST", "", None, gst)], net + gst
    )
    renamed = _sum(c for c in months if _category(c) == "Mobile")
    _planted(folder, planted, [{"class": "re-labelled", "moved": f"{_cents(renamed * 10 / 11)}"}])


@dataclass
class _List:
    """A bill's list of calls with planted errors; charges include GST, to the cent."""

    client: Client
    zone: ZoneInfo
    rows: list[list[object]] = field(default_factory=list)
    planted: list[Record] = field(default_factory=list)
    rounding: Decimal = Decimal(0)
    gst: Decimal = Decimal(0)

    def plant(self, kind: str, call: Mapping[str, object] | None, dollars: Decimal) -> None:
        """Write down one planted error."""
        call_id = "" if call is None else f"{call['callid']}"
        self.planted.append({"class": kind, "call_id": call_id, "dollars": f"{dollars}"})

    def add(
        self,
        call: Mapping[str, object],
        *,
        charge: Decimal | None = None,
        category: str = "",
        has_id: bool = True,
    ) -> Decimal:
        """List a call; a line without an id has its time off by a second."""
        moment = _moment(call) + (0 if has_id else 1)
        local = datetime.fromtimestamp(moment, self.zone)
        said = _cents(_cost(call) * 11 / 10) if charge is None else charge
        self.rows.append(
            [
                call["callid"] if has_id else "",
                f"{local:%d/%m/%Y %H:%M:%S}",
                str(call["destination"]).split("/")[0],
                call["duration"],
                category or _category(call),
                said,
            ]
        )
        return said

    def agree(self, call: Mapping[str, object], *, has_id: bool) -> None:
        """List a call as it is, but for GST and cents."""
        with_gst = _cost(call) * 11 / 10
        self.rounding += self.add(call, has_id=has_id) - with_gst
        self.gst += with_gst - _cost(call)


def every_class(out: Path) -> None:
    """Write a bill that lists its calls, with errors of every class planted."""
    late = ("0.4400", "0.8800", "1.3200")
    client = Client("saltbush-vets", "Saltbush Vets", "Australia/Perth", 47, late)
    folder = client.write(out)
    listed = _List(client, ZoneInfo(SYDNEY))
    what = client.what(MONTHS[1])
    inside, outside, before = client.around()
    month = [call for call in inside if _cost(call) > 0]
    for call in outside:
        listed.plant("boundary", call, -_cost(call))
    for call in client.charged:
        if _cost(call) < 0:
            listed.plant("credit", call, -_cost(call))

    def unlisted(call: Record) -> None:
        listed.plant("extra", call, -_cost(call))

    def twice(call: Record) -> None:
        listed.agree(call, has_id=True)
        listed.plant("duplicate", call, listed.add(call))

    def dearer(call: Record) -> None:
        with_gst = _cost(call) * 11 / 10
        charge = _cents(with_gst * 2, ROUND_UP)
        listed.add(call, charge=charge)
        listed.gst += with_gst - _cost(call)
        listed.plant("re-rated", call, charge - with_gst)

    def elsewhere(call: Record) -> None:
        with_gst = _cost(call) * 11 / 10
        listed.rounding += listed.add(call, category="International - New Zealand") - with_gst
        listed.gst += with_gst - _cost(call)
        listed.plant("re-labelled", call, Decimal(0))

    mobiles = [at for at, call in enumerate(month) if _category(call) == "Mobile"]
    acts = (unlisted, twice, dearer, elsewhere, unlisted, twice, dearer, elsewhere, dearer)
    special = dict(zip(mobiles, acts, strict=False))
    for at, call in enumerate(month):
        special.get(at, lambda call, at=at: listed.agree(call, has_id=at % 3 > 0))(call)
    for number, minutes in ((1, 3), (2, 9)):
        ghost = _call(what, what.start + number * 7 * 86_400 + 37_000, 999_000_000 + number)
        ghost.update(rate="Mobile", destination="0491571804", duration=60 * minutes)
        charge = Decimal("0.33") * minutes
        listed.add(ghost, charge=charge)
        listed.plant("missing", None, charge)
    for call in before:
        listed.plant("boundary", call, listed.add(call))
    old = next(c for c in client.months[MONTHS[0]] if _category(c) == "Mobile" and _cost(c))
    listed.plant("late", old, listed.add(old))
    _bill_of_list(folder, listed)


def _bill_of_list(folder: Path, listed: _List) -> None:
    """Write the list, the bill around it, and what was planted."""
    with (folder / "calls.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["Call ID", "Started", "Number called", "Duration", "Category", "Charge"])
        out.writerows(listed.rows)
    sums: dict[str, tuple[int, Decimal]] = {}
    for *_, category, charge in listed.rows:
        count, so_far = sums.get(str(category), (0, Decimal(0)))
        sums[str(category)] = (count + 1, so_far + Decimal(str(charge)))
    unexplained = Decimal("4.20")
    lines: list[Line] = [
        ("calls", name, name, count, charge + (unexplained if name == "National" else 0))
        for name, (count, charge) in sorted(sums.items())
    ]
    lines += [
        ("rental", "1800 number", "", None, Decimal("27.50")),
        ("equipment", "Desk phones, 3", "", None, Decimal("49.50")),
        ("credit", "Credit for outage of 12 October", "", None, Decimal("-22.00")),
        ("rounding", "Rounding", "", None, Decimal("0.02")),
    ]
    total = sum((line[4] for line in lines), Decimal(0))
    facts = {
        "number": "SV-88120",
        "issued": "2026-11-04",
        "gst": "inclusive",
        "timezone": SYDNEY,
        "calls": "calls.csv",
    }
    _toml(folder / "invoice.toml", facts, lines, total)
    classes: dict[str, Decimal] = {}
    for each in listed.planted:
        kind = str(each["class"])
        classes[kind] = classes.get(kind, Decimal(0)) + Decimal(str(each["dollars"]))
    classes["credit"] = classes.get("credit", Decimal(0)) - Decimal("22.00")
    classes["non-call line"] = Decimal("77.00")
    classes["GST basis"] = listed.gst
    classes["rounding"] = listed.rounding + Decimal("0.02")
    classes["unexplained"] = unexplained
    _planted(folder, classes, listed.planted)


BILLS: tuple[Callable[[Path], None], ...] = (sums_that_agree, sums_in_another_zone, every_class)


def main() -> None:
    """Read the command line and write the three samples."""
    parser = argparse.ArgumentParser(description="Make three accounts with a bill each.")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    out = parser.parse_args().out
    for write in BILLS:
        write(out)
    print(f"{len(BILLS)} accounts with a bill each: {out}")


if __name__ == "__main__":
    main()
