"""Words that several commands take, and how a command is added to the parser."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

PERIOD = "2026-10, last-month, or 2026-10-01..2026-11-01 (the last day is not included)"


def verb(
    verbs: Any, name: str, command: Callable[[argparse.Namespace], int], does: str
) -> argparse.ArgumentParser:
    """Add a command, with what it does in a few words; return its own parser."""
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=does, description=f"{does}.")
    verb.set_defaults(command=command)
    return verb


def add_what(verb: argparse.ArgumentParser) -> None:
    """Add the period and the choice of accounts."""
    verb.add_argument("period", metavar="PERIOD", help=PERIOD)
    add_which(verb)


def add_which(verb: argparse.ArgumentParser) -> None:
    """Add the choice of accounts: some by name, or all."""
    which = verb.add_mutually_exclusive_group()
    which.add_argument(
        "--account",
        action="append",
        metavar="A",
        default=[],
        help="an account of maxo.toml, more than once for more (default: the only one)",
    )
    which.add_argument("--all", action="store_true", help="every account of maxo.toml")


def add_one(verb: argparse.ArgumentParser) -> None:
    """Add a period of one account whose calls are in the archive."""
    verb.add_argument("period", metavar="PERIOD", help=PERIOD)
    verb.add_argument(
        "--account", nargs=1, metavar="A", default=[], help="of maxo.toml (default: the only one)"
    )
    verb.set_defaults(all=False, offline=True)


def add_reports(verb: argparse.ArgumentParser) -> None:
    """Add ``--report``, more than once for more in one pack."""
    verb.add_argument(
        "--report",
        action="append",
        metavar="R",
        default=[],
        help="a report by name, more than once for more (default: statement)",
    )


def add_json(verb: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    verb.add_argument("--json", action="store_true", help="print one object instead of words")
