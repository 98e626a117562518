"""Commands about templates: start one of one's own, and try it on the sample month."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from maxo_reports.cli import saying, words, work
from maxo_reports.errors import DONE, ConfigError


def add(verbs: Any) -> None:
    """Add the commands to the parser."""
    does = "start a template of your own, or try it on the sample month"
    verb = verbs.add_parser("template", help=does, description=f"{does}.")
    own = verb.add_subparsers(title="commands", metavar="COMMAND", required=True)
    copy = words.verb(own, "copy", _copy, "copy one of our templates into templates/")
    copy.add_argument("name", metavar="NAME", help="statement, base, print.css, theme.toml, ...")
    check = words.verb(own, "check", _check, "fill, print and read back on the sample month")
    check.add_argument(
        "names", nargs="*", metavar="NAME", help="a template, more than one (default: all in use)"
    )
    check.add_argument("--pdf", type=Path, metavar="FILE", help="leave the statement here")


def _copy(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    path = engine.copy_template(arguments.workspace, arguments.name)
    saying.say(f"wrote {path}: change it, then run 'maxo-reports template check'")
    return DONE


def _check(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    with work.progress() as progress:
        trial = engine.check_templates(
            arguments.workspace, arguments.names, arguments.pdf, progress
        )
    for remark in trial.remarks:
        saying.say(f"{remark.file}, line {remark.line}: {remark.says}")
    if trial.remarks:
        return ConfigError.exit_code
    saying.say(f"{', '.join(trial.templates)}: nothing undefined, {trial.figures} figures agree")
    return DONE
