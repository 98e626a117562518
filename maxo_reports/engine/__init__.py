"""The verbs. Each is one function that reads like the flow; none decides about content."""

from __future__ import annotations

from maxo_reports.engine.archives import (
    examine_archive,
    export_period,
    purge_archive,
    strangers,
)
from maxo_reports.engine.asking import lately, period_of
from maxo_reports.engine.numbers import directories_of, suggest
from maxo_reports.engine.oncharging import oncharge_period, oncharged_json
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
from maxo_reports.issue import Outcome
from maxo_reports.job import Job, Progress

__all__ = [
    "DEFAULT_REPORTS",
    "Job",
    "Outcome",
    "Progress",
    "as_json",
    "check_card",
    "checked_json",
    "demo",
    "directories_of",
    "examine_archive",
    "export_period",
    "infer_rates",
    "inferred_json",
    "lately",
    "model_lines",
    "oncharge_period",
    "oncharged_json",
    "period_of",
    "probe",
    "probe_as_json",
    "pull_period",
    "purge_archive",
    "rebuild",
    "refresh",
    "run",
    "sample",
    "strangers",
    "suggest",
    "verify",
    "write_card",
]
