"""The outbox: every letter goes out once, and what is not known of one is left to a person."""

from __future__ import annotations

from maxo_reports.outbox.ledger import Entry, Key, Outbox, State
from maxo_reports.outbox.sending import Letter, send
from maxo_reports.outbox.wire import Access, Line, NoLine, Reply, Server

__all__ = [
    "Access",
    "Entry",
    "Key",
    "Letter",
    "Line",
    "NoLine",
    "Outbox",
    "Reply",
    "Server",
    "State",
    "send",
]
