"""Earlier looks: calls that a pull or a probe brought before, asked again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
class Known:
    """A span that was asked before, the reply that came, and when, in unix seconds."""

    window: Window
    reply: cdr.Reply
    asked_at: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the archive knows from before: calls of the latest pull, and the last probe's note."""

    account: Account
    period: BillingPeriod
    settle_hours: int
    now: Callable[[], int]

    def known(self) -> dict[str, Known | None]:
        """Return what can be asked again, by the question that it answers."""
        return {"late-pull": self._pulled(), "late-probe": self._noted()}

    def _pulled(self) -> Known | None:
        """Return the last calls of the newest pull that holds some."""
        own = self.account.latest_done(self.period)
        for work in (*([own] if own else []), *self.account.other_periods(self.period)):
            for answer in reversed(work.accepted()):
                reply = cdr.read_reply(self.account.replies.read(answer.sha256))
                end = min(answer.window.end, answer.asked_at)
                inside = [m for m in sorted(reply.moments()) if answer.window.start <= m < end]
                if inside:
                    return Known(Window(inside[-LATE:][0], end), reply, answer.asked_at)
        return None

    def _noted(self) -> Known | None:
        """Return the span that a probe noted."""
        note = self.account.noted()
        if note is None:
            return None
        reply = cdr.read_reply(self.account.replies.read(note.sha256))
        return Known(note.window, reply, note.asked_at)

    def keep(self, whole: Sight) -> None:
        """Keep a reply for the next probe."""
        sha256 = self.account.replies.keep(whole.body)
        count = len(whole.calls)
        self.account.note(Answer(whole.window, sha256, count, ACCEPTED, self.now(), 1))


_NOTHING = {
    "late-pull": "the archive holds none: run again after a pull",
    "late-probe": f"there is no earlier one: {compared.AGAIN}",
}


def ask_late(
    asking: Asking,
    earlier: Earlier,
    known: Mapping[str, Known | None],
    whole: Sight | None,
    found: dict[str, Line],
) -> None:
    """Ask again what was asked before, and note a span for the next probe."""
    for name, before in known.items():
        if before is None:
            found[name] = untold(name, _NOTHING[name])
            continue
        try:
            seen = asking.sight(before.window, {"limit": LIMIT})
        except Refused as no:
            if is_final(no):
                raise
            found[name] = untold(name, f"refused, HTTP {no.status}")
            continue
        if seen.columns is None or len(seen.calls) >= LIMIT:
            found[name] = untold(name, "the reply cannot be compared")
            continue
        now, settle_hours = earlier.now(), earlier.settle_hours
        found[name] = compared.late(name, before.reply, before.asked_at, seen, now, settle_hours)
    # A note of today stays: whoever probes every hour shall still learn of a day's changes.
    noted = known["late-probe"]
    is_due = noted is None or compared.is_another_day(noted.asked_at, earlier.now())
    if is_due and whole is not None and whole.columns is not None:
        earlier.keep(whole)
