"""The statement: a report value through Jinja templates into an invoice-style PDF.

Templates see plain values and do no arithmetic: the sandbox refuses every operator. The only
thing worked out here is where the marks of a chart stand (``render.chart``). A statement
fetches nothing but files of the template folders' ``fonts`` and ``assets``, uses no font but
the shipped ones, and is the same bytes for the same report.

Text from calls is shown as it came, with two exceptions. What cannot be seen or would turn
its surroundings round (control characters, bidi overrides, zero-width and unassigned ones)
is shown by its number, as in ``‹U+202E›``; and a text of more than ``LONGEST_TEXT`` letters
ends in an ellipsis: the workbook has the whole of it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import mimetypes
import os
import tempfile
import traceback
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit
from urllib.request import url2pathname
from xml.sax.saxutils import escape as xml_escape

import jinja2
from jinja2.exceptions import FilterArgumentError, SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from maxo_reports.core import money, numbering
from maxo_reports.core.period import BillingPeriod
from maxo_reports.core.report import Cell, Column, Kind, Report, Role, Section, Table
from maxo_reports.errors import ConfigError
from maxo_reports.render import RendererUnavailable, Style, chart

SUFFIX = ".pdf"
MEDIA_TYPE = "application/pdf"

FORMAT = "pdf"
LANGUAGE = "en-AU"
VARIANT = "pdf/ua-1"
"""Tagged, so that a screen reader finds the tables' headings and the charts' words."""
LONGEST_TEXT = 300
LONGEST_NAME = 100
MOST_MARKS = 2
ROOMY = 44
BAR_LENGTH = 44.0
DAYS_FRAME = chart.Frame(width=493.0, height=118.0)

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_TRUETYPE = b"\x00\x01\x00\x00"


def render(report: Report, style: Style, target: Path) -> None:
    """Write the statement to ``target``, which does not exist yet."""
    fonts = _fonts(style)
    html = page(report, style)
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
                url_fetcher=_fetcher(weasyprint.urls, style.folders),
            )
            written = document.write_pdf(pdf_variant=VARIANT)
    if troubles:
        raise ConfigError([f"template {report.definition.template}: {line}" for line in troubles])
    target.write_bytes(written)


def page(report: Report, style: Style) -> str:
    """Fill the templates: the statement as HTML, which WeasyPrint then sets on pages."""
    environment = _Sandbox(
        loader=jinja2.FileSystemLoader(style.folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.clear()
    environment.filters = {
        **{name: environment.filters[name] for name in ("e", "escape")},
        **_filters(report.places),
    }
    view = _view(report, style)
    try:
        return environment.get_template(report.definition.template).render(view)
    except _TEMPLATE_TROUBLE as error:
        _refuse(error, report.definition.template, style)


_TEMPLATE_TROUBLE = (
    *(jinja2.TemplateError, ArithmeticError, AttributeError, LookupError),
    *(RecursionError, TypeError, ValueError),
)


# ---- the templates' world -------------------------------------------------------------------


class _Sandbox(ImmutableSandboxedEnvironment):
    """A sandbox whose templates lay out what they are given and work nothing out."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})
    intercepted_unops = frozenset({"+", "-"})

    def call_binop(self, *_: object) -> NoReturn:
        """Refuse arithmetic between two values."""
        raise SecurityError("templates do no arithmetic: every figure comes from the report")

    def call_unop(self, *_: object) -> NoReturn:
        """Refuse arithmetic on one value."""
        self.call_binop()


def _filters(places: int) -> dict[str, Callable[..., str]]:
    """Return the four filters; ``money`` writes the report's own number of decimals."""

    def _money(value: object, sign: str = "") -> str:
        if not isinstance(value, Decimal):
            raise FilterArgumentError("money writes dollars, which are Decimal")
        text = money.to_text(value, places)
        return f"\u2212{sign}{text[1:]}" if text.startswith("\u2212") else f"{sign}{text}"

    return {"money": _money, "duration": _duration, "moment": _moment, "phone": _phone}


def _duration(value: object) -> str:
    """Write seconds as ``98:05:09``."""
    if not isinstance(value, int):
        raise FilterArgumentError("duration writes whole seconds")
    minutes, seconds = divmod(value, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _moment(value: object) -> str:
    """Write ``31 Oct 2026`` or ``31 Oct 2026, 23:59:59``, in whatever locale we run."""
    if not isinstance(value, date):
        raise FilterArgumentError("moment writes a date or a local time")
    day = f"{value.day} {_MONTHS[value.month - 1][:3]} {value.year}"
    return f"{day}, {value:%H:%M:%S}" if isinstance(value, datetime) else day


def _phone(value: object) -> str:
    """Write a number as people read it, ``02 5550 0140``."""
    return numbering.spaced(str(value))


def _refuse(error: Exception, template: str, style: Style) -> NoReturn:
    """Turn trouble in a template into one line that names the file and the line in it."""
    place = _place(error)
    if isinstance(error, jinja2.TemplateSyntaxError):
        place = (str(error.name), error.lineno)
    if isinstance(error, jinja2.TemplateNotFound):
        folders = ", ".join(str(folder) for folder in style.folders)
        message = f"template {error.name!r} is in none of {folders}"
    else:
        message = f"{error}" or type(error).__name__
    where = f"template {place[0]}, line {place[1]}" if place else f"template {template}"
    raise ConfigError(f"{where}: {message}") from None


def _place(error: Exception) -> tuple[str, int] | None:
    """Find the innermost template and line that an error came from."""
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if "__jinja_exception__" in frame.f_globals:
            found = (Path(frame.f_code.co_filename).name, line)
    return found


# ---- what the templates see -----------------------------------------------------------------


def _view(report: Report, style: Style) -> dict[str, object]:
    """Return plain values only: text made safe to look at, numbers, dates, lists and dicts."""
    heading = report.heading
    period = heading.period
    return {
        "language": LANGUAGE,
        "program": style.program,
        "theme": asdict(style.theme),
        "title": _shown(report.definition.title),
        "account": {"id": _shown(heading.account_id), "name": _shown(heading.account_name, LONGEST_NAME), "short": _shown(heading.account_name, 64)},
        "period": {
            "name": _period_name(period),
            "first": period.first,
            "last": period.last,
            "zone": _shown(period.zone),
        },
        "state": {"word": heading.state.word, "reasons": _all_shown(heading.state.reasons)},
        "pulled_at": heading.pulled_at,
        "pulled_at_iso": heading.pulled_at.isoformat(timespec="seconds"),
        "cost_basis": heading.cost_basis,
        "totals": asdict(report.totals),
        "sections": [_section(section, report) for section in report.sections_for(FORMAT)],
    }


def _period_name(period: BillingPeriod) -> str:
    """Call a calendar month by its name, and anything else by its first and last day."""
    first, last = period.first, period.last
    if (
        first.day == 1
        and period.until.day == 1
        and (first.year, first.month)
        == (
            last.year,
            last.month,
        )
    ):
        return f"{_MONTHS[first.month - 1]} {first.year}"
    return f"{_moment(first)} to {_moment(last)}"


def _section(section: Section, report: Report) -> dict[str, object]:
    spec, table = section.spec, section.table
    if table is None:
        raise ConfigError(
            f"report {report.definition.name}, section {spec.title!r}: the statement does not "
            'list single calls yet; write formats = ["xlsx"] in this section'
        )
    return {
        "kind": spec.kind,
        "title": _shown(spec.title),
        "note": _shown(section.note),
        "columns": [
            {"key": column.key, "label": _shown(column.label), "kind": column.kind.value}
            for column in table.columns
        ],
        "rows": _rows(table, Role.ROW),
        "totals": _rows(table, Role.TOTAL),
        "bars": _bars(table) if spec.chart and spec.kind == "groups" else None,
        "chart": (
            _days(table, report.heading.period) if spec.chart and spec.kind == "days" else None
        ),
        "dense": _dense(table),
        "bar_after": len(table.group_by) - 1,
        "bar_length": BAR_LENGTH,
    }


def _rows(table: Table, role: Role) -> list[list[Cell]]:
    """Return the cells of the rows; counts are written out here, since no filter does."""
    longest = LONGEST_NAME if table.group_by else LONGEST_TEXT
    return [
        [_cell(cell, column.kind, longest) for cell, column in zip(row.cells, table.columns, strict=True)]
        for row in table.rows
        if row.role is role
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
    shown: list[str] = []
    length = marks = 0
    for letter in text:
        category = unicodedata.category(letter)
        marks = marks + 1 if category in _MARKS else 0
        plain = category not in _UNSEEN and marks <= MOST_MARKS
        seen = letter if plain else f"\u2039U+{ord(letter):04X}\u203a"
        length += len(seen)
        if length > longest:
            return "".join((*shown, "\u2026"))
        shown.append(seen)
    return "".join(shown)


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})


def _all_shown(texts: Sequence[str]) -> list[str]:
    return [_shown(text) for text in texts]


# ---- charts ---------------------------------------------------------------------------------


def _drawn(table: Table) -> tuple[Column, list[Decimal]] | None:
    """Choose what to draw: the cost, or the number of calls where nothing cost anything."""
    for key in ("cost", "calls"):
        for place, column in enumerate(table.columns):
            cells = [row.cells[place] for row in table.rows if row.role is Role.ROW]
            values = [Decimal(cell) if isinstance(cell, (int, Decimal)) else _ZERO for cell in cells]
            if column.key == key and any(values):
                return column, values
    return None


_ZERO = Decimal(0)


def _bars(table: Table) -> tuple[float, ...] | None:
    drawn = _drawn(table)
    return chart.lengths(drawn[1], BAR_LENGTH) if drawn else None


def _days(table: Table, period: BillingPeriod) -> dict[str, object] | None:
    """Place the columns of the daily chart, a day without calls included."""
    drawn = _drawn(table)
    if drawn is None:
        return None
    column, values = drawn
    days = [row.cells[0] for row in table.rows if row.role is Role.ROW]
    by_day = dict(zip(days, values, strict=True))
    span = (period.until - period.first).days
    calendar = [period.first + timedelta(days=place) for place in range(span)]
    heights = [by_day.get(day, _ZERO) for day in calendar]
    money_drawn = column.kind is Kind.MONEY
    drawing = chart.columns(calendar, heights, DAYS_FRAME, "$" if money_drawn else "")
    return {
        **asdict(drawing),
        "label": _shown(column.label),
        "kind": column.kind.value,
        "first": period.first,
        "last": period.last,
        "peak_day": calendar[drawing.peak],
        "peak_value": heights[drawing.peak] if money_drawn else f"{heights[drawing.peak]:,}",
    }


# ---- WeasyPrint's world ---------------------------------------------------------------------


def _fonts(style: Style) -> Path:
    """Find the shipped fonts, without any of which Pango ends the whole program."""
    folder = style.folders[-1] / "fonts"
    for path in folder.glob("*.ttf"):
        with path.open("rb") as file:
            if file.read(len(_TRUETYPE)) == _TRUETYPE:
                return folder.resolve()
    raise RendererUnavailable(
        f"PDF needs the fonts that come with the templates, and there are none in {folder}: "
        "install the program again"
    )


def _font_settings(fonts: Path, scratch: Path) -> str:
    """Write fontconfig's settings: these fonts and no others, and a cache of our own."""
    settings = scratch / "fonts.conf"
    settings.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{xml_escape(str(fonts))}</dir>"
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

    fontTools' remarks on its own work, and warnings about libraries to come, are dropped.
    """
    troubles = _Troubles(logging.ERROR)
    loud, chatty = logging.getLogger("weasyprint"), logging.getLogger("fontTools")
    level = chatty.level
    loud.addHandler(troubles)
    chatty.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield troubles.lines
    finally:
        chatty.setLevel(level)
        loud.removeHandler(troubles)


class _Troubles(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(record.getMessage())


def _weasyprint() -> Any:
    """Load WeasyPrint, or say in one line what is missing; it prints advice, which is kept back."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return import_module("weasyprint")
    except (ImportError, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise RendererUnavailable(
            f"PDF needs WeasyPrint and the Pango library ({reason}): "
            "maxo-reports doctor prints the line that installs them"
        ) from None


def _fetcher(urls: Any, folders: Sequence[Path]) -> Any:
    """Make the only way in: files under ``assets`` or ``fonts`` of a template folder."""
    base = folders[0].resolve()
    allowed = [folder.resolve() / name for folder in folders for name in ("assets", "fonts")]

    class Fetcher(urls.URLFetcher):  # type: ignore[misc, name-defined]
        """Refuses everything else: other schemes, other hosts, other folders, links out."""

        def fetch(self, url: str, headers: object = None) -> Any:
            """Return a file's bytes; the user's folder comes before ours."""
            del headers
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
