"""The command line: reads the words, calls one verb, prints, returns the exit code.

One module for each family of commands. What is slow to load is loaded by the command that needs
it, so that ``--help`` is immediate.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from maxo_reports import __version__
from maxo_reports.cli import (
    archive,
    bills,
    clients,
    directory,
    handoff,
    machine,
    mailing,
    packs,
    rates,
    saying,
    template,
)
from maxo_reports.errors import MaxoReportsError

_FAMILIES = (
    packs,
    mailing,
    bills,
    directory,
    rates,
    clients,
    handoff,
    archive,
    template,
    machine,
)
"""Modules whose ``add`` puts their commands into the parser, in the order of ``--help``."""
_EXIT_CODES = """\
exit codes: 0 done; 1 done, with findings that need a person; 2 usage or configuration;
3 carrier; 4 archive or disk; 5 files do not tie out; 6 mail"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal without Unicode shows a minus sign as an escape rather than ending the run.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = _parser().parse_args(argv)
    finally:
        saying.say()  # what --help and --version have said
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except MaxoReportsError as problem:
        saying.complain(problem)
        return problem.exit_code
    except KeyboardInterrupt:
        print(
            "maxo-reports: stopped; what was kept so far stays for the next run", file=sys.stderr
        )
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="maxo-reports",
        description="Complete, provable reports of a MaxoTel account's calls.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"maxo-reports {__version__}")
    parser.add_argument(
        "-C",
        "--workspace",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="the folder with maxo.toml, archive/ and out/ (default: here)",
    )
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for family in _FAMILIES:
        family.add(verbs)
    return parser
