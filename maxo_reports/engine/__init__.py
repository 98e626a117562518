"""The verbs. Each is one function that reads like the flow; none decides about content."""

from __future__ import annotations

from maxo_reports.engine.archives import (
    examine_archive,
    export_period,
    purge_archive,
    strangers,
)
from maxo_reports.engine.asking import lately, period_of
from maxo_reports.engine.bills import calibrate, calibration_as_json, reconcile, reconciled_as_json
from maxo_reports.engine.dispatch import Post, Told, Wish
from maxo_reports.engine.handing import (
    bundle_handoffs,
    handoff_json,
    init_handoff,
    is_bundle,
    make_handoff,
    verify_bundle,
)
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
from maxo_reports.engine.numbers import directories_of, suggest
from maxo_reports.engine.oncharging import GivenBill, oncharge_period, oncharged_json
from maxo_reports.engine.packs import (
    DEFAULT_REPORTS,
    as_json,
    demo,
    pull_period,
    refresh,
    run,
    sample,
    verify,
)
from maxo_reports.engine.probing import probe, probe_as_json
from maxo_reports.engine.rates import (
    check_card,
    checked_json,
    infer_rates,
    inferred_json,
    model_lines,
    write_card,
)
from maxo_reports.engine.rebuilding import rebuild
from maxo_reports.engine.template import Trial, check_templates, copy_template
from maxo_reports.issue import Outcome
from maxo_reports.job import Job, Progress

__all__ = [
    "DEFAULT_REPORTS",
    "GivenBill",
    "Job",
    "Monthly",
    "Outcome",
    "Post",
    "Progress",
    "Told",
    "Trial",
    "Wish",
    "as_json",
    "bundle_handoffs",
    "calibrate",
    "calibration_as_json",
    "check_card",
    "check_templates",
    "checked_json",
    "copy_template",
    "demo",
    "directories_of",
    "entry_json",
    "examine_archive",
    "export_period",
    "handoff_json",
    "infer_rates",
    "inferred_json",
    "init_handoff",
    "is_bundle",
    "lately",
    "letters",
    "make_handoff",
    "model_lines",
    "month",
    "monthly_json",
    "oncharge_period",
    "oncharged_json",
    "period_of",
    "probe",
    "probe_as_json",
    "pull_period",
    "purge_archive",
    "rebuild",
    "reconcile",
    "reconciled_as_json",
    "refresh",
    "resolve",
    "run",
    "sample",
    "send",
    "strangers",
    "suggest",
    "told_json",
    "verify",
    "verify_bundle",
    "write_card",
]
