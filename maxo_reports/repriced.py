"""A store of one client's calls at the client's charges: what its statement is made from.

The client's report goes through the same machinery as any other, over a store in which the cost
*is* the charge. So no filter, formula or hidden column can bring up what the reseller paid: it is
not there. Findings, hashes and notes of the carrier's replies stay behind for the same reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maxo_reports.archive import columns
from maxo_reports.archive.columns import CallStore
from maxo_reports.core.cdr import NONE, QUIRKS, CallColumns
from maxo_reports.core.changes import Content
from maxo_reports.core.directory import EMPTY, Directory
from maxo_reports.core.money import COST_PLACES
from maxo_reports.core.period import BillingPeriod
from maxo_reports.core.report import CallLine


class Gathering:
    """Gathers one client's calls without what they cost."""

    def __init__(self, connected: Sequence[str]) -> None:
        self._connected = frozenset(connected)
        self._columns = CallColumns()

    def add(self, call: CallLine, content: Content) -> None:
        """Take in one call: everything that the carrier says of it but its cost."""
        into = self._columns
        into.call_id.append(call.call_id)
        into.unixtime.append(content.unixtime)
        into.direction.append(call.direction)
        into.a_party.append(call.a_party)
        into.b_party.append(call.b_party)
        into.service_number.append(call.service_number)
        into.category.append(call.category)
        into.status.append(call.status)
        into.connected.append(call.status in self._connected)
        into.seconds.append(call.seconds)
        into.cost_text.append("")

    def store(
        self,
        folder: Path,
        units: Sequence[int | None],
        places: int,
        period: BillingPeriod,
        directory: Directory = EMPTY,
    ) -> CallStore:
        """Return the calls at their charges, given in whole units of so many decimals."""
        charged = self._columns
        scale = 10 ** (COST_PLACES - places)
        charged.cost = [None if unit is None else unit * scale for unit in units]
        charged.quirks = [self._quirks(at) for at in range(len(units))]
        path = folder / "charges.parquet"
        columns.write(path, charged, period.window, {})
        return CallStore([path], period, directory)

    def _quirks(self, at: int) -> int:
        """Mark again what a client should see to be odd."""
        row, charge = self._columns, self._columns.cost[at]
        odd = {
            "cost-unreadable": charge is None,
            "credit": charge is not None and charge < 0,
            "category-missing": row.category[at] == NONE,
            "service-number-missing": row.service_number[at] == NONE,
            "duration-missing": row.seconds[at] is None,
        }
        return sum(QUIRKS[name] for name, is_odd in odd.items() if is_odd)


def own_entries(directory: Directory, client: str) -> Directory:
    """Return what a directory says of one client's numbers, and of nobody else's."""
    own = tuple(entry for entry in directory.entries if entry.client == client)
    return Directory(own) if own else EMPTY
