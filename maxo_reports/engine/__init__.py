"""The verbs. Each is one function that reads like the flow; none decides about content."""

from __future__ import annotations

from maxo_reports.engine.archives import (
    examine_archive,
    export_period,
    purge_archive,
    strangers,
)
from maxo_reports.engine.asking import lately, period_of
from maxo_reports.engine.dispatch import Post, Told, Wish
from maxo_reports.engine.mailing import (
    Monthly,
    entry_json,
    letters,
    month,
    monthly_json,
    resolve,
    send,
    told_json,
)
from maxo_reports.engine.packs import (
    DEFAULT_REPORTS,
    as_json,
    demo,
    pull_period,
    rebuild,
    refresh,
    run,
    sample,
    verify,
)
from maxo_reports.engine.probing import probe, probe_as_json
from maxo_reports.engine.template import Trial, check_templates, copy_template
from maxo_reports.issue import Outcome
from maxo_reports.job import Job, Progress

__all__ = [
    "DEFAULT_REPORTS",
    "Job",
    "Monthly",
    "Outcome",
    "Post",
    "Progress",
    "Told",
    "Trial",
    "Wish",
    "as_json",
    "check_templates",
    "copy_template",
    "demo",
    "entry_json",
    "examine_archive",
    "export_period",
    "lately",
    "letters",
    "month",
    "monthly_json",
    "period_of",
    "probe",
    "probe_as_json",
    "pull_period",
    "purge_archive",
    "rebuild",
    "refresh",
    "resolve",
    "run",
    "sample",
    "send",
    "strangers",
    "told_json",
    "verify",
]
