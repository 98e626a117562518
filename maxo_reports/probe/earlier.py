"""Earlier looks: calls that a pull or a probe brought before, asked again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maxo_reports.archive.pulls import ACCEPTED, Account, Answer
from maxo_reports.carrier import LIMIT
from maxo_reports.core import cdr, compared
from maxo_reports.core.period import BillingPeriod, Window
from maxo_reports.core.questions import Line, untold
from maxo_reports.core.sight import Sight
from maxo_reports.errors import Refused
from maxo_reports.probe.asking import Asking, is_final

LATE = 200
"""Calls of an earlier pull that are asked again."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the archive knows from before: calls of the latest pull, and the last probe's note."""

    account: Account
    period: BillingPeriod
    settle_hours: int
    now: Callable[[], int]

    def pulled(self) -> tuple[Window, cdr.Reply, int] | None:
        """Return the last calls of the newest pull: their span, the kept reply, when asked."""
        own = self.account.latest_done(self.period)
        for work in (*([own] if own else []), *self.account.other_periods(self.period)):
            for answer in reversed(work.accepted()):
                reply = cdr.read_reply(self.account.replies.read(answer.sha256))
                end = min(answer.window.end, answer.asked_at)
                inside = [m for m in sorted(reply.moments()) if answer.window.start <= m < end]
                if inside:
                    return Window(inside[-LATE:][0], end), reply, answer.asked_at
        return None

    def noted(self) -> tuple[Window, cdr.Reply, int] | None:
        """Return the span that a probe noted, its kept reply, and when it was asked."""
        note = self.account.noted()
        if note is None:
            return None
        reply = cdr.read_reply(self.account.replies.read(note.sha256))
        return note.window, reply, note.asked_at

    def keep(self, whole: Sight) -> None:
        """Keep a reply for the next probe."""
        sha256 = self.account.replies.keep(whole.body)
        count = len(whole.calls)
        self.account.note(Answer(whole.window, sha256, count, ACCEPTED, self.now(), 1))


def ask_late(
    asking: Asking, earlier: Earlier, whole: Sight | None, found: dict[str, Line]
) -> None:
    """Ask again what was asked before, and note a span for the next probe."""
    nothing = {
        "late-pull": "the archive holds none: run again after a pull",
        "late-probe": f"there is no earlier one: {compared.AGAIN}",
    }
    noted = earlier.noted()
    for name, known in (("late-pull", earlier.pulled()), ("late-probe", noted)):
        found[name] = untold(name, nothing[name])
        if known is None:
            continue
        window, before, then = known
        try:
            seen = asking.sight(window, {"limit": LIMIT})
        except Refused as no:
            if is_final(no):
                raise
            found[name] = untold(name, f"refused, HTTP {no.status}")
            continue
        if seen.columns is None or len(seen.calls) >= LIMIT:
            found[name] = untold(name, "the reply cannot be compared")
            continue
        settle = earlier.settle_hours
        found[name] = compared.late(name, before, then, seen, earlier.now(), settle)
    # A note of today stays: whoever probes every hour shall still learn of a day's changes.
    is_due = noted is None or compared.is_another_day(noted[2], earlier.now())
    if is_due and whole is not None and whole.columns is not None:
        earlier.keep(whole)
