"""Pulling a period: tile it in windows, ask for each, split what is full, keep every reply.

``calls/list`` has no cursor and no total. The only proof that a reply is whole is that it
holds fewer calls than the limit, so a window whose reply is full is cut in smaller ones and
asked again, down to one second. Where to cut is ``planner``'s guess.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass

from maxo_reports.archive import columns
from maxo_reports.archive.derive import rebuild
from maxo_reports.archive.pulls import ACCEPTED, FULL, Account, Answer, Asked, Pull
from maxo_reports.carrier import LIMIT, Carrier, RawResponse
from maxo_reports.core import cdr
from maxo_reports.core.period import BillingPeriod, LocalClock, Window
from maxo_reports.errors import Garbled, Refused
from maxo_reports.planner import Density, Planner

_FRUGAL = 1.5
"""An earlier pull's windows are asked again if they are not more than this times the ideal."""
RESUME_SECONDS = 24 * 3600
"""A pull that was cut short is taken up again within a day; later it is begun anew."""


@dataclass(frozen=True, slots=True)
class Look:
    """Tells how far a pull has come: seconds of the period settled, calls so far, requests."""

    settled: int
    total: int
    calls: int
    requests: int


def pull(
    account: Account,
    period: BillingPeriod,
    asked: Asked,
    *,
    connect: Callable[[], Carrier],
    now: Callable[[], int],
    in_flight: int = 2,
    calls_expected: int = 0,
    progress: Callable[[Look], None] = lambda _: None,
) -> Pull:
    """Ask for every call of a period and keep every reply; return the whole pull.

    A pull of the same span that was cut short within the last day is taken up again: only
    its missing windows are asked. ``now`` gives unix seconds. Raises CarrierError when any
    window cannot be had whole, and ArchiveError when it cannot be kept; what has been kept
    by then stays for the next run.
    """
    began = now()
    taken_up = account.unfinished(period, asked, began - RESUME_SECONDS)
    work = taken_up or account.begin(period, asked, began)
    rebuild(account, work)
    planner = Planner(
        _density(account, period, calls_expected),
        work.missing(),
        asked.limit,
        plan=_earlier_windows(account, period),
    )
    job = _Job(
        account,
        work,
        planner,
        LocalClock.over(asked.zone, period.start, period.end),
        now,
        progress,
    )
    with ThreadPoolExecutor(in_flight, thread_name_prefix="pull") as pool:
        lanes = [pool.submit(job.run, connect) for _ in range(in_flight)]
        try:
            wait(lanes, return_when=FIRST_EXCEPTION)
        except BaseException:
            # Interrupted: nobody wants to wait for the requests that are under way.
            job.give_up()
            raise
        finally:
            planner.stop()
    for lane in lanes:
        lane.result()
    work.finish(now())
    return work


def _density(account: Account, period: BillingPeriod, calls_expected: int) -> Density:
    """Build the density from the newest pull of this period, or of another one."""
    known = account.latest_done(period)
    others = account.other_periods(period)
    if known is None and others:
        known = others[0]
    if known is None:
        return Density(period, {}, calls_expected)
    paths = [known.calls_path(answer.window) for answer in known.accepted()]
    # The columns may have been deleted: then nothing is known, and nothing is lost.
    seen = columns.hours(paths)
    # Records out of the pull's own span can be of any age; they would make the table endless.
    hours = {at: n for at, n in seen.items() if known.asked.start <= at < known.asked.end}
    return Density(period, hours, 0 if hours else calls_expected)


def _earlier_windows(account: Account, period: BillingPeriod) -> tuple[Window, ...]:
    """Return the windows of the period's newest whole pull, which are known to fit.

    Where there are many more than the calls need, none: then better ones are planned.
    """
    known = account.latest_done(period)
    answers = known.accepted() if known is not None else ()
    ideal = max(1, -(-sum(answer.count for answer in answers) // LIMIT))
    return tuple(a.window for a in answers) if len(answers) <= _FRUGAL * ideal else ()


class _Job:
    """What the lanes of one pull share."""

    def __init__(
        self,
        account: Account,
        work: Pull,
        planner: Planner,
        clock: LocalClock,
        now: Callable[[], int],
        progress: Callable[[Look], None],
    ) -> None:
        self._account = account
        self._work = work
        self._planner = planner
        self._clock = clock
        self._now = now
        self._progress = progress
        self._lock = threading.Lock()
        self._carriers: list[Carrier] = []
        accepted = work.accepted()
        self._settled = sum(answer.window.seconds for answer in accepted)
        self._calls = sum(answer.count for answer in accepted)
        self._requests = 0

    def give_up(self) -> None:
        """End the requests that are under way, and those that are waiting to be asked again."""
        self._planner.stop()
        with self._lock:
            for carrier in self._carriers:
                carrier.give_up()

    def run(self, connect: Callable[[], Carrier]) -> None:
        """Ask for windows until there are none left, on a connection of this lane's own."""
        try:
            with connect() as carrier:
                with self._lock:
                    self._carriers.append(carrier)
                while (window := self._planner.next()) is not None:
                    self._one(carrier, window)
        except BaseException:
            self._planner.stop()
            raise

    def _one(self, carrier: Carrier, window: Window) -> None:
        asked_at = self._now()
        reply, answer = carrier.ask(window, lambda raw: self._accept(raw, asked_at))
        if answer.verdict == FULL:
            self._planner.full(window, reply.moments())
        else:
            self._planner.answered(window, answer.count)
        with self._lock:
            self._requests += 1
            if answer.verdict == ACCEPTED:
                self._settled += window.seconds
                self._calls += answer.count
            total = self._work.asked.end - self._work.asked.start
            self._progress(Look(self._settled, total, self._calls, self._requests))

    def _accept(self, raw: RawResponse, asked_at: int) -> tuple[cdr.Reply, Answer]:
        """Keep a reply, then read it; one that breaks a rule stays as evidence and is refused."""
        sha256 = self._account.replies.keep(raw.body)
        echo = ("", "", "")

        def answer(count: int, verdict: str) -> Answer:
            found = Answer(raw.window, sha256, count, verdict, asked_at, raw.tries, echo)
            self._work.record(found)
            return found

        try:
            reply = cdr.read_reply(raw.body)
            assert reply.echo is not None, "a JSON reply says what it answers"
            echo = (reply.echo.start, reply.echo.end, reply.echo.zone)
            cdr.check_echo(reply.echo, raw.window, self._work.asked.zone)
            if reply.count > self._work.asked.limit:
                raise Garbled(
                    f"the reply holds {reply.count} calls, more than the limit asked for"
                )
            calls = cdr.columns(reply, self._clock)
        except (Garbled, Refused) as why:
            answer(0, str(why))
            raise
        if reply.count >= self._work.asked.limit:
            return reply, answer(reply.count, FULL)
        path = self._work.calls_path(raw.window)
        columns.write(path, calls, raw.window, reply.unknown_fields, reply.missing_fields)
        return reply, answer(reply.count, ACCEPTED)
