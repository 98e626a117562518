"""The workbook: a report value as native sheets, with live formulas over the calls' own rows.

openpyxl builds the skeleton (``book``, ``sheets``, ``calls``); a pass over the package streams
the rows and writes each formula's value beside it (``package``).
"""

from __future__ import annotations

from pathlib import Path

from maxo_reports.core.checks import Finding
from maxo_reports.core.report import Report
from maxo_reports.render import Style
from maxo_reports.render.xlsx import package, sheets
from maxo_reports.render.xlsx.book import Book

SUFFIX = ".xlsx"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def render(report: Report, style: Style, target: Path) -> tuple[Finding, ...]:
    """Write the workbook to ``target``, which does not exist yet."""
    book = Book(report, style)
    sheets.fill(book)
    moment = report.heading.pulled_at
    package.finish(book.skeleton(), target, book.passes, book.tables, moment)
    return ()
