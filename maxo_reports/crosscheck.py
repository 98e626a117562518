"""Cross-checks: the same period asked again through the API's own filters, never as a source.

``calls/list`` has no total. But it can be asked for the charged calls only, for the connected
ones only, and for CSV: three other ways through the carrier's system that must agree with the
calls that were pulled. What comes is compared and kept as evidence; no figure is taken from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from maxo_reports.archive.columns import CallStore, mark
from maxo_reports.archive.replies import Replies
from maxo_reports.carrier import LIMIT, Carrier, RawResponse
from maxo_reports.core import cdr
from maxo_reports.core.changes import Content, contents
from maxo_reports.core.checks import Check, Depth
from maxo_reports.core.money import dollars, plain
from maxo_reports.core.period import BillingPeriod, LocalClock, Window
from maxo_reports.errors import TooDense

_FILL = 0.85


def compare(
    depth: Depth, carrier: Carrier, replies: Replies, calls: CallStore, period: BillingPeriod
) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """Ask the carrier for the same period in other ways and compare; ``light`` is charges alone.

    Returns the checks, and the hashes of the replies that were kept as their evidence. Raises
    CarrierError where no answer can be had; an answer that differs is a failed check.
    """
    asking = _Asking(carrier, replies, period)
    ways = {"none": (), "light": (_charges,), "full": (_charges, _connected, _rows)}[depth]
    return tuple(way(asking, calls) for way in ways), tuple(sorted(asking.kept))


def _charges(asking: _Asking, calls: CallStore) -> Check:
    """Ask for charged calls only: as many as were pulled, and the same cost to the last digit."""
    asked = asking.calls(calls.hours("cost <> 0"), {"chargesOnly": 1}, cdr.read_reply)
    costs = {call_id: content.cost for call_id, content in asked if content.cost}
    control = calls.control()
    return Check(
        "Charged calls asked alone (chargesOnly) = charged calls pulled",
        f"{control.charged:,} calls, ${plain(control.cost)}",
        f"{len(costs):,} calls, ${plain(dollars(sum(costs.values())))}",
    )


def _connected(asking: _Asking, calls: CallStore) -> Check:
    """Ask for connected calls only: every one must be among those that were pulled."""
    asked = asking.calls(calls.hours("connected"), {"connectedOnly": 1}, cdr.read_reply)
    unknown = {call_id for call_id, _ in asked}
    unknown.difference_update(call_id for call_id, *_ in calls.contents())
    return Check(
        "Connected calls asked alone (connectedOnly) are among the calls",
        "0 unknown",
        f"{len(unknown):,} unknown",
    )


def _rows(asking: _Asking, calls: CallStore) -> Check:
    """Ask for CSV: the same calls, field by field."""
    also: dict[str, int | str] = {"outputFormat": "csv", "showHeadings": 1}
    asked = asking.calls(calls.hours("true"), also, cdr.read_csv)
    # A mark stands for each call's content: a million calls would not fit otherwise.
    left = {call_id: mark(_bare(content)) for call_id, content in asked}
    missing = differing = 0
    for call_id, *content in calls.contents():
        found = left.pop(call_id, None)
        missing += found is None
        differing += found is not None and found != mark(_bare(content))
    return Check(
        "Calls asked as CSV = calls pulled, row by row",
        "0 missing, 0 different, 0 more",
        f"{missing:,} missing, {differing:,} different, {len(left):,} more",
    )


def _bare(content: Iterable[Any]) -> list[Any]:
    """Return a content without what the two forms of a reply write differently.

    That is the space around a text, and ``null``, which CSV has no word for.
    """
    texts = (each.strip() if isinstance(each, str) else each for each in content)
    return ["" if each == "null" else each for each in texts]


@dataclass(frozen=True, slots=True)
class _Asking:
    """Whom to ask, where to keep the replies, the period, and the hashes of what was kept."""

    carrier: Carrier
    replies: Replies
    period: BillingPeriod
    kept: set[str] = field(default_factory=set)

    def calls(
        self,
        hours: Mapping[int, int],
        also: Mapping[str, int | str],
        read: Callable[[bytes], cdr.Reply],
    ) -> Iterator[tuple[str, Content]]:
        """Yield the period's calls by their id, as the carrier gives them with ``also``."""
        period = self.period
        clock = LocalClock.over(period.zone, period.start, period.end)

        def accept(raw: RawResponse) -> cdr.Reply:
            self.kept.add(self.replies.keep(raw.body))
            reply = read(raw.body)
            if reply.echo is not None:
                cdr.check_echo(reply.echo, raw.window, period.zone)
            return reply

        waiting = _spans(period, hours)[::-1]
        while waiting:
            window = waiting.pop()
            reply = self.carrier.ask(window, accept, also)
            if len(reply.calls) >= LIMIT:
                waiting += _halves(window)
                continue
            for call_id, content in contents(cdr.columns(reply, clock)):
                if period.start <= content.unixtime < period.end:
                    yield call_id, content


def _spans(period: BillingPeriod, hours: Mapping[int, int]) -> list[Window]:
    """Cut the period in spans that fit into one reply each, by the calls known of every hour."""
    spans: list[Window] = []
    begin, held = period.start, 0
    for hour in sorted(hours):
        if held and held + hours[hour] > _FILL * LIMIT and hour > begin:
            spans.append(Window(begin, hour))
            begin, held = hour, 0
        held += hours[hour]
    spans.append(Window(begin, period.end))
    return spans


def _halves(window: Window) -> list[Window]:
    """Cut a full window in two, the later half first: the list is taken from its end."""
    if window.seconds <= 1:
        message = f"{LIMIT:,} calls or more in the second {window.start}: it cannot be checked"
        raise TooDense(message)
    middle = (window.start + window.end) // 2
    return [Window(middle, window.end), Window(window.start, middle)]
