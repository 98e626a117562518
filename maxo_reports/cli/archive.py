"""Commands that look after the archive: verify, export, purge."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxo_reports.cli import clock, saying, words, work
from maxo_reports.errors import DONE, ArchiveError

if TYPE_CHECKING:
    from maxo_reports import config
    from maxo_reports.archive.care import Examined
    from maxo_reports.archive.purge import Plan
    from maxo_reports.pack import Pack


def add(verbs: Any) -> None:
    """Add the commands to the parser."""
    verb: argparse.ArgumentParser = verbs.add_parser(
        "archive", help="look after what the carrier answered: verify, export, purge"
    )
    tasks = verb.add_subparsers(title="commands", metavar="COMMAND", required=True)
    verify = words.verb(
        tasks, "verify", _archive_verify, "read the whole archive and name what is damaged"
    )
    words.add_which(verify)
    verify.add_argument(
        "--repair", action="store_true", help="make anew what whole replies allow to be"
    )
    words.add_json(verify)
    does = "write one folder from which another machine can make a period's packs again"
    export = words.verb(tasks, "export", _archive_export, does)
    export.add_argument("period", metavar="PERIOD", help=words.PERIOD)
    export.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new folder")
    export.add_argument(
        "--account", nargs=1, metavar="A", default=[], help="of maxo.toml (default: the only one)"
    )
    words.add_json(export)
    export.set_defaults(all=False, offline=True)
    purge = words.verb(
        tasks,
        "purge",
        _archive_purge,
        "say what there is of before a day, and remove it with --yes",
    )
    purge.add_argument(
        "--before",
        required=True,
        metavar="DAY",
        help="what ends before 2026-10-01, or before the account's month 2026-10",
    )
    words.add_which(purge)
    purge.add_argument("--yes", action="store_true", help="remove it, for good")
    words.add_json(purge)


def _archive_verify(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine, told

    found: dict[str, Examined] = {}
    with work.progress() as progress:
        workspace, accounts = work.accounts(arguments)

        def one(account: config.Account) -> None:
            repair = arguments.repair
            found[account.id] = engine.examine_archive(workspace, account, progress, repair=repair)

        failed = saying.each([(account.id, partial(one, account)) for account in accounts])
    if arguments.json:
        saying.print_accounts([told.examined_json(*each) for each in found.items()], failed)
    else:
        saying.say(*(line for each in found.items() for line in told.examined(*each)))
    whole = all(each.is_whole for each in found.values())
    return saying.worst(failed, DONE if whole else ArchiveError.exit_code)


def _archive_export(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine, told

    with work.progress() as progress:
        (job,) = work.jobs(arguments, progress)
        exported = engine.export_period(job, arguments.to)
    if arguments.json:
        saying.say(json.dumps(told.exported_json(exported), indent=1))
    else:
        saying.say(*told.exported(exported))
    return DONE


def _archive_purge(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine, told

    really, plans = arguments.yes, []
    workspace, accounts = work.accounts(arguments)

    def one(account: config.Account) -> None:
        def tell(plan: Plan, packs: Sequence[Pack]) -> None:
            plans.append(told.purge_json(account.id, plan, packs, really=really))
            if not arguments.json:
                # Before anything is removed.
                saying.say(*told.purge(account.id, plan, packs, really=really))

        engine.purge_archive(
            workspace, account, arguments.before, clock.now(), tell, really=really
        )

    failed = saying.each([(account.id, partial(one, account)) for account in accounts])
    if arguments.json:
        saying.print_accounts(plans, failed)
    return saying.worst(failed, DONE)
