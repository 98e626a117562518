"""Columns made again from the kept replies: whatever is lost or damaged there is no loss."""

from __future__ import annotations

from maxo_reports.archive import columns
from maxo_reports.archive.pulls import Account, Answer, Pull
from maxo_reports.core import cdr
from maxo_reports.core.period import LocalClock


def rebuild(account: Account, work: Pull) -> None:
    """Derive the columns of accepted windows anew where they are missing or damaged."""
    for answer in work.accepted():
        path = work.calls_path(answer.window)
        if not columns.is_whole(path):
            columns.put(path, content(account, work, answer))


def content(account: Account, work: Pull, answer: Answer) -> bytes:
    """Return the file of columns that the kept reply of one accepted window makes."""
    reply = cdr.read_reply(account.replies.read(answer.sha256))
    clock = LocalClock.over(work.asked.zone, work.asked.start, work.asked.end)
    calls = cdr.columns(reply, clock)
    return columns.packed(calls, answer.window, reply.unknown_fields, reply.missing_fields)
