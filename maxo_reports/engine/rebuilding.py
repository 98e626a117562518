"""Making sealed packs again, whichever verb made them, from the archive alone."""

from __future__ import annotations

from datetime import date

from maxo_reports import reconciliation
from maxo_reports.clients import MADE_BY as OF_A_CLIENT
from maxo_reports.config import Workspace
from maxo_reports.core.period import parse_period
from maxo_reports.engine import bills, oncharging, packs, rates
from maxo_reports.errors import ArchiveError, TieOutError, UsageError
from maxo_reports.issue import gone, pull_behind
from maxo_reports.job import Job, Progress
from maxo_reports.pack import Pack

_AGAIN = {
    "": packs.made_again,
    rates.CHECK: rates.made_again,
    rates.INFER: rates.made_again,
    oncharging.MARGIN: oncharging.made_again,
    reconciliation.KIND: bills.made_again,
}
"""What a pack says that it was made by -> what makes it again; a run says nothing."""


def rebuild(workspace: Workspace, sealed: Pack, progress: Progress) -> None:
    """Make a sealed pack again from the archive alone and compare every byte.

    Raises TieOutError naming each file, and in the workbook each part, that differs.
    """
    said = sealed.basis
    made_by = sealed.manifest.get("kind") or said.get("made_by", "")
    if made_by == OF_A_CLIENT:
        message = f"pack {sealed.folder} is a client's, and knows nothing of what the calls cost"
        raise UsageError(f"{message}: rebuild the margin pack, which makes it again, too")
    if made_by not in _AGAIN:
        raise UsageError(f"pack {sealed.folder} was made by {made_by!r}, which is not known here")
    account = workspace.one(said["account"])
    label = said["period"]["label"]
    period = parse_period(label, account.timezone, date.min, account.billing_day)
    job = Job(workspace, account, period, lambda: "", lambda: 0, progress)
    work = pull_behind(job, sealed)
    if work is None:
        raise ArchiveError(f"the calls behind {sealed.folder} {gone(job, sealed)}")
    differing = _AGAIN[made_by](job, work, sealed)
    if differing:
        raise TieOutError(f"pack {sealed.folder}, made again: {'; '.join(differing)}")
