"""The statement: a report value through Jinja templates into an invoice-style PDF.

Templates see plain values and do no arithmetic: the sandbox refuses every operator. The only
thing worked out on the way is where the marks of a chart stand (``render.chart``). A
statement fetches nothing but files of the template folders' ``assets`` and ``fonts``, uses no
font but the shipped ones, and is the same bytes for the same report.

Text from calls is shown as it came, with two exceptions. What cannot be seen, or would turn
or cover its surroundings (controls, bidi overrides, zero-width letters, heaps of accents), is
shown by its number between single guillemets, U+202E for one; and a long text ends in an
ellipsis, since the workbook has the whole of it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import mimetypes
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname
from xml.sax.saxutils import escape as xml_escape

from maxo_reports.core.brand import Logo
from maxo_reports.core.checks import Finding
from maxo_reports.core.report import Cell, Column, Kind, Report, Role, Section, Table
from maxo_reports.core.text import visible
from maxo_reports.errors import ConfigError
from maxo_reports.render import (
    RendererUnavailable,
    Style,
    SystemLibraryMissing,
    chart,
    glyphs,
    sender,
    templates,
)

SUFFIX = ".pdf"
MEDIA_TYPE = "application/pdf"

LANGUAGE = "en-AU"
VARIANT = "pdf/ua-1"
"""Tagged, so that a screen reader finds the tables' headings and the charts' words."""

LONGEST_TEXT, LONGEST_NAME, LONGEST_FOOT, LONGEST_BEAM = 300, 100, 64, 30
"""How many letters of a text are shown: of a message, a name or category, in the foot, beside a
bar."""

ROOMY = 44
"""How many letters the figures of a total may have before a table needs smaller type."""

_TRUETYPE = b"\x00\x01\x00\x00"


def render(report: Report, style: Style, target: Path) -> tuple[Finding, ...]:
    """Write the statement to ``target``, which does not exist yet."""
    fonts = _fonts(style)
    html, missing = glyphs.written_out(page(report, style), style.folders)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        variables = {
            "FONTCONFIG_FILE": _font_settings(fonts, Path(scratch)),
            "SOURCE_DATE_EPOCH": str(int(report.heading.pulled_at.timestamp())),
        }
        with _environment(variables), _listening() as troubles:
            weasyprint = _weasyprint()
            document = weasyprint.HTML(
                string=html,
                base_url=style.folders[0].resolve().as_uri() + "/",
                url_fetcher=_fetcher(weasyprint.urls, style.folders, report.heading.brand.logo),
            )
            written = document.write_pdf(pdf_variant=VARIANT)
    if troubles:
        raise ConfigError([f"template {report.definition.template}: {line}" for line in troubles])
    target.write_bytes(written)
    return glyphs.findings(missing, target.name)


def page(report: Report, style: Style) -> str:
    """Fill the templates: the statement as HTML, which WeasyPrint then sets on pages."""
    template = report.definition.template
    return templates.fill(template, view(report, style), style.folders, report.places)


# ---- what the templates see -----------------------------------------------------------------


def view(report: Report, style: Style) -> dict[str, object]:
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
        "sections": [
            _section(section, report) for section in report.sections_for(SUFFIX.lstrip("."))
        ],
    }


def _section(section: Section, report: Report) -> dict[str, object]:
    spec, table = section.spec, section.table
    if table is None:
        raise ConfigError(
            f"report {report.definition.name}, section {spec.title!r}: the statement does not "
            'list single calls yet; write formats = ["xlsx"] in this section'
        )
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


def _in_sight(table: Table) -> Table:
    """Leave out the columns that the definition hides."""
    places = [at for at, column in enumerate(table.columns) if not column.hidden]
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


# ---- WeasyPrint's world ---------------------------------------------------------------------


def _fonts(style: Style) -> list[Path]:
    """Find the fonts: the user's, and ours, without which Pango ends the whole program."""
    folder = style.folders[-1] / "fonts"
    for path in folder.glob("*.ttf"):
        with path.open("rb") as file:
            if file.read(len(_TRUETYPE)) == _TRUETYPE:
                return list(
                    dict.fromkeys(p.parent.resolve() for p in glyphs.font_files(style.folders))
                )
    raise RendererUnavailable(
        f"PDF needs the fonts that come with the templates, and there are none in {folder}: "
        "install the program again"
    )


def _font_settings(fonts: Sequence[Path], scratch: Path) -> str:
    """Write fontconfig's settings: these fonts and no others, and a cache of our own."""
    folders = "".join(f"<dir>{xml_escape(str(folder))}</dir>" for folder in fonts)
    settings = scratch / "fonts.conf"
    settings.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"{folders}"
        f"<cachedir>{xml_escape(str(scratch / 'cache'))}</cachedir>"
        "<config><rescan><int>0</int></rescan></config></fontconfig>",
        encoding="utf-8",
    )
    return str(settings)


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _listening() -> Iterator[list[str]]:
    """Gather what WeasyPrint logs as errors, such as a picture that cannot be had.

    Its warnings, about CSS that it does not know, go where the program's log goes. Dropped are
    the steps that it counts, fontTools' remarks, and advice on libraries, which doctor gives.
    """
    troubles = _Troubles()
    logger = logging.getLogger("weasyprint")
    quiet = {logging.getLogger(name): level for name, level in _QUIET.items()}
    before = {each: each.level for each in quiet}
    logger.addHandler(troubles)
    logger.addFilter(_is_no_advice)
    for each, level in quiet.items():
        each.setLevel(level)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield troubles.lines
    finally:
        logger.removeHandler(troubles)
        logger.removeFilter(_is_no_advice)
        for each, level in before.items():
            each.setLevel(level)


_QUIET = {"weasyprint.progress": logging.WARNING, "fontTools": logging.ERROR}


def _is_no_advice(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Using fontTools instead of HarfBuzz")


class _Troubles(logging.Handler):
    """Keeps the errors that are logged, a line each."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.lines.append(record.getMessage())


def _weasyprint() -> Any:
    """Load WeasyPrint, or say in one line what is missing; its own advice is not printed."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return import_module("weasyprint")
    except (ImportError, OSError) as error:
        # The loader's message goes on for lines; its first words name the library.
        reason = (str(error).splitlines() or [type(error).__name__])[0].split(": ")[0]
        raise SystemLibraryMissing(
            f"a PDF needs WeasyPrint and the Pango library ({reason})"
        ) from None


def _fetcher(urls: Any, folders: Sequence[Path], logo: Logo | None) -> Any:
    """Make the only way in: the logo, and files under ``assets`` or ``fonts`` of the folders."""
    base = folders[0].resolve()
    allowed = [folder.resolve() / name for folder in folders for name in ("assets", "fonts")]

    class Fetcher(urls.URLFetcher):  # type: ignore[misc]
        """Refuses everything else: other schemes, other hosts, other folders, links out."""

        def fetch(self, url: str, headers: object = None) -> Any:
            """Return a file's bytes; the user's folder comes before ours."""
            del headers
            if logo is not None and url == sender.LOGO:
                return urls.URLFetcherResponse(
                    url, logo.content, {"Content-Type": logo.media_type}
                )
            parts = urlsplit(url)
            path = Path(url2pathname(parts.path))
            if parts.scheme == "file" and not parts.netloc and path.is_relative_to(base):
                for folder in folders:
                    file = (folder / path.relative_to(base)).resolve()
                    if any(map(file.is_relative_to, allowed)) and file.is_file():
                        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
                        return urls.URLFetcherResponse(
                            url, file.read_bytes(), {"Content-Type": kind}
                        )
            raise ValueError("not a file of the template folders' assets or fonts")

    return Fetcher()
