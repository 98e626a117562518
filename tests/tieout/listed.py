"""A small month whose calls are listed, written to a workbook, for trying to fool the tie-out."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from workbooks import Listed

from maxo_reports.core.ledger import Totals
from maxo_reports.core.money import MICROS
from maxo_reports.core.report import CallBlock, CallLine, Report
from maxo_reports.render import renderer
from reports import STYLE, Call, made_up_calls, month, statement

_NOON = 43_200


class Lines(list[CallLine]):
    """Calls held in memory, as the column store would give them."""

    def lines(self) -> Iterator[CallLine]:
        """Return them one by one."""
        return iter(self)

    def longest(self) -> dict[str, int]:
        """Return the letters of the longest text of each column."""
        return Listed(self).longest()

    def blocks(self) -> Iterator[CallBlock]:
        """Return them in columns."""
        return Listed(self).blocks()


def _line(number: int, call: Call) -> CallLine:
    totals: Totals = call.totals
    return CallLine(
        str(722_000_000 + number),
        (call.day - date(1970, 1, 1)).days * 86_400 + _NOON + number,
        call.direction,
        "0491570006" if call.direction == "Inbound" else call.service_number,
        f"{call.service_number}/PBX" if call.direction == "Inbound" else "0291570110",
        call.service_number,
        call.category,
        "Connected" if totals.connected else "No Answer.",
        totals.seconds,
        int(totals.cost * MICROS),
    )


def report_of(calls: Sequence[Call], **more: object) -> Report:
    """Build the statement of some calls, with each of them in its list."""
    made = statement(calls, **more)  # type: ignore[arg-type]
    in_order = sorted(calls, key=lambda call: call.day)
    return replace(made, calls=Lines(_line(n, call) for n, call in enumerate(in_order)))


def small_month(count: int = 40) -> list[Call]:
    """Make a few calls up."""
    return made_up_calls(count, month())


def workbook(report: Report, target: Path) -> Path:
    """Write a report's workbook."""
    renderer("xlsx").render(report, STYLE, target)
    return target


def pdf(report: Report, target: Path) -> Path:
    """Write a report's statement."""
    renderer("pdf").render(report, STYLE, target)
    return target


def patched(path: Path, target: Path, part: str, patch: Callable[[str], str]) -> Path:
    """Copy a workbook with one of its parts changed."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as out:
        for name in source.namelist():
            content = source.read(name)
            if name == part:
                before = content.decode()
                after = patch(before)
                assert after != before, "the patch was to change something"
                content = after.encode()
            out.writestr(name, content)
    return target


def part_of(path: Path, sheet: str) -> str:
    """Return the name of a sheet's part: sheets are numbered in their order."""
    from python_calamine import CalamineWorkbook

    place = CalamineWorkbook.from_path(str(path)).sheet_names.index(sheet) + 1
    return f"xl/worksheets/sheet{place}.xml"
