"""A job: what one run works for and with, handed down instead of looked up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from maxo_reports.archive.pulls import Account as Archive
from maxo_reports.config import Account, Workspace
from maxo_reports.core.checks import State
from maxo_reports.core.heading import Heading
from maxo_reports.core.period import BillingPeriod, Window
from maxo_reports.errors import CarrierError
from maxo_reports.pull import Look


class Progress:
    """What a verb tells about its work while it goes on. This one tells nobody."""

    def step(self, name: str) -> None:
        """Begin a step of the flow, named for people."""

    def far(self, done: int, total: int) -> None:
        """Tell how many pages of a long file are done."""

    def pulled(self, look: Look) -> None:
        """Tell how far the pull has come."""

    def failed_try(self, window: Window, tried: int, why: CarrierError, wait: float) -> None:
        """Tell of a request that failed; it is asked again after ``wait`` seconds."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one run works for and with. ``now`` gives unix seconds; it is the only clock."""

    workspace: Workspace
    account: Account
    period: BillingPeriod
    key: Callable[[], str]
    now: Callable[[], int]
    progress: Progress = field(default_factory=Progress)

    def heading(self, state: State, pulled_at: datetime, revision: int) -> Heading:
        """Return what stands above the figures of this job's reports."""
        account = self.account
        return Heading(
            account.id,
            account.name,
            self.period,
            state,
            account.cost_gst,
            pulled_at,
            revision,
            account.brand,
            account.recipient,
        )

    @property
    def archive(self) -> Archive:
        """The archive of the job's account."""
        return Archive(self.workspace.archive_of(self.account))
