"""What the templates see: plain values only, text made safe to look at, nothing to work out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace

from maxo_reports.core import grids
from maxo_reports.core.checks import Finding
from maxo_reports.core.report import Cell, Column, Kind, Report, Role, Section, Table
from maxo_reports.core.text import visible
from maxo_reports.render import Style, chart, sender
from maxo_reports.render.pdf import plain, quick

LANGUAGE = "en-AU"

LONGEST_TEXT, LONGEST_NAME, LONGEST_FOOT, LONGEST_BEAM = 300, 100, 64, 30
"""How many letters of a text are shown: of a message, a name or category, in the foot, beside a
bar."""

ROOMY = 44
"""How many letters the figures of a total may have before a table needs smaller type."""


def view(
    report: Report, style: Style, lists: Mapping[str, quick.Long], total: int | None
) -> dict[str, object]:
    """Return plain values only: text made safe to look at, numbers, dates, lists and dicts."""
    heading = report.heading
    period = heading.period
    return {
        "language": LANGUAGE,
        "program": style.program,
        "theme": asdict(style.theme),
        "title": _shown(report.definition.title),
        "number": _shown(heading.number),
        "revision": heading.revision,
        **sender.view(heading, lambda text: _shown(text, LONGEST_NAME)),
        "account": {
            "id": _shown(heading.account_id),
            "name": _shown(heading.account_name, LONGEST_NAME),
            "short": _shown(heading.account_name, LONGEST_FOOT),
        },
        "period": {
            "name": period.name,
            "first": period.first,
            "last": period.last,
            "zone": _shown(period.zone),
        },
        "state": {
            "word": heading.state.word,
            "reasons": [_shown(reason) for reason in heading.state.reasons],
        },
        "pulled_at": heading.pulled_at,
        "pulled_at_iso": heading.pulled_at.isoformat(timespec="seconds"),
        "cost_basis": heading.cost_basis,
        "totals": asdict(report.totals),
        "payable": report.payable,
        "is_rounded": report.payable != report.totals.cost,
        "attention": [_finding(found) for found in report.findings if found.severity != "info"],
        "filtered": _shown(report.filtered),
        "pages": "" if total is None else str(total),
        "sections": [_section(section, report, lists) for section in report.sections_for("pdf")],
    }


def _section(
    section: Section, report: Report, lists: Mapping[str, quick.Long]
) -> dict[str, object]:
    spec, table = section.spec, section.table
    if table is None:
        return _list(section, report, lists.get(spec.title))
    table = _in_sight(table)
    return {
        "kind": spec.kind,
        "title": _shown(spec.title),
        "filtered": _shown(section.filtered) if section.filtered != report.filtered else "",
        "note": _shown(section.note),
        "columns": [_column(column) for column in table.columns],
        "rows": _rows(table, Role.ROW, Role.SUBTOTAL),
        "roles": [row.role.value for row in table.rows if row.role is not Role.TOTAL],
        "totals": _rows(table, Role.TOTAL),
        "dense": _dense(table),
        "categories": _categories(table) if spec.chart and spec.kind == "groups" else None,
        "chart": _days(table, report) if spec.chart and spec.kind == "days" else None,
    }


def _list(section: Section, report: Report, made: quick.Long | None) -> dict[str, object]:
    """Return a list of calls: its pages, or one without rows that stands for them."""
    spec = section.spec
    said: dict[str, object] = {
        "kind": spec.kind,
        "title": _shown(spec.title),
        "filtered": _shown(section.filtered) if section.filtered != report.filtered else "",
        "note": grids.NO_CALLS if not section.filtered else "No calls match the filter.",
        **dict.fromkeys(("columns", "rows", "roles", "totals", "leaves"), ()),
        **dict.fromkeys(("categories", "chart")),
        "dense": False,
    }
    if made is None:
        return said
    leaves = ((),) if made.listed.is_long else made.listed.leaves()
    return {**said, **plain.view(made.listed, leaves, made.pages)}


def _in_sight(table: Table) -> Table:
    """Leave out the columns that the definition hides."""
    places = [at for at, column in enumerate(table.columns) if column.is_in_print]
    if len(places) == len(table.columns):
        return table
    rows = tuple(replace(row, cells=tuple(row.cells[at] for at in places)) for row in table.rows)
    keys = sum(1 for at in places if at < len(table.group_by))
    columns = tuple(table.columns[at] for at in places)
    return Table(columns, rows, table.group_by[:keys])


def _finding(found: Finding) -> dict[str, object]:
    return {
        "severity": found.severity,
        "where": _shown(found.where),
        "message": _shown(found.message),
        "dollars": found.dollars,
    }


def _categories(table: Table) -> dict[str, object] | None:
    drawing = chart.categories(table)
    if drawing is None:
        return None
    bars = [
        {
            **asdict(bar),
            "name": [
                [_shown(str(cell or "(none)"), LONGEST_BEAM), kind] for cell, kind in bar.name
            ],
        }
        for bar in drawing.bars
    ]
    return {**asdict(drawing), "bars": bars}


def _days(table: Table, report: Report) -> dict[str, object] | None:
    drawing = chart.days(table, report.heading.period)
    if drawing is None:
        return None
    value = drawing.peak_value
    counted = drawing.column.kind is Kind.COUNT
    return {
        **asdict(drawing),
        "column": _column(drawing.column),
        "peak_value": f"{value:,}" if counted else value,
    }


def _column(column: Column) -> dict[str, str]:
    return {"key": column.key, "label": _shown(column.label), "kind": column.kind.value}


def _rows(table: Table, *roles: Role) -> list[list[Cell]]:
    """Return the cells of the rows; counts are written out here, since no filter does."""
    of_calls = table.group_by or any(column.key == "b_party" for column in table.columns)
    longest = LONGEST_NAME if of_calls else LONGEST_TEXT
    return [
        [
            _cell(cell, column.kind, longest)
            for cell, column in zip(row.cells, table.columns, strict=True)
        ]
        for row in table.rows
        if row.role in roles
    ]


def _dense(table: Table) -> bool:
    """Tell whether figures run into the millions, which needs smaller type to stay in line."""
    totals = [row for row in table.rows if row.role is Role.TOTAL]
    return any(sum(len(str(cell or "")) for cell in row.cells) > ROOMY for row in totals)


def _cell(cell: Cell, kind: Kind, longest: int) -> Cell:
    if kind is Kind.COUNT and isinstance(cell, int):
        return f"{cell:,}"
    return _shown(cell, longest) if isinstance(cell, str) else cell


def _shown(text: str, longest: int = LONGEST_TEXT) -> str:
    """Make a text fit to be looked at: nothing in it unseen, and no longer than a few lines."""
    return visible(text, longest)
