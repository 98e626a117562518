"""Reads one report definition and gathers everything that is wrong with it.

The vocabulary is closed: unknown keys, names, columns and fields of a filter are refused, each
with its section and the nearest real name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from maxo_reports import filenames, kinds
from maxo_reports.core import numbering, sheetnames, standards
from maxo_reports.core.ledger import DIMENSIONS, MEASURES
from maxo_reports.core.report import (
    CALL_COLUMNS,
    MOST_ROWS,
    MOST_SHEETS,
    Definition,
    SectionSpec,
)
from maxo_reports.core.sections import NOT_ALWAYS, OF_CALLS, ORDERS, SECTION_KINDS
from maxo_reports.core.text import has_controls, visible
from maxo_reports.core.where import DIRECTIONS, FIELDS, FLAGS, Condition, Where
from maxo_reports.errors import ConfigError, did_you_mean

VERSION = 1
_KEYS = (
    *("version", "title", "formats", "filename", "template", "where", "standard", "attach"),
    "section",
)
_SECTION_KEYS = (
    *("kind", "title", "sheet", "group_by", "show", "order_by", "chart", "formats"),
    *("where", "each", "sheets", "most", "subtotals"),
)
_COLUMN_KEYS = ("key", "label", "hidden")
# What has a meaning of its own inside a formula's reference to a column.
_LABEL_FORBIDDEN = re.compile(r"[\[\]#'@]")
_LABEL_LONGEST = 60
_SHEETS_AT_MOST = 200
_EACH = "service_number"


class _Columns(NamedTuple):
    """What a section's columns are called, and which are out of sight, by their keys."""

    labels: dict[str, str]
    hidden: set[str]


class Reader:
    """Reads one definition and gathers everything that is wrong with it."""

    def __init__(self, path: Path, formats: Collection[str]) -> None:
        self._path = path
        self._formats = formats
        self._problems: list[str] = []
        self._where = ""

    def raise_any(self) -> None:
        """Raise ConfigError with every mistake, if there is one."""
        if self._problems:
            raise ConfigError(self._problems)

    def definition(self, name: str, content: Mapping[str, Any]) -> Definition:
        """Return the definition as far as it can be read; ``raise_any`` tells what is wrong."""
        self._unknown_keys(content, _KEYS)
        version = content.get("version")
        if version != VERSION:
            self._problem(f"version must be {VERSION}, not {version!r}")
        formats = self._names(content, "formats", self._formats, tuple(self._formats))
        filename = self._text(content, "filename", "{account}-{period}-{report}")
        for mistake in filenames.mistakes(filename):
            self._problem(mistake)
        sections = content.get("section", [])
        if not isinstance(sections, list) or not sections:
            self._problem("there is no [[section]]")
            sections = []
        specs = [self._section(number, given, formats) for number, given in enumerate(sections, 1)]
        self._where = ""
        self._check_titles([spec.title for spec in specs])
        for file_format in formats:
            self._check_file(file_format, [s for s in specs if file_format in s.formats])
        template = self._text(content, "template", "statement.html")
        title = self._text(content, "title", name)
        where = self._filter(content)
        standard, attach = self._standard(content, formats, specs)
        return Definition(
            name, title, formats, filename, template, tuple(specs), where, standard, attach
        )

    def _standard(
        self, content: Mapping[str, Any], formats: tuple[str, ...], specs: Sequence[SectionSpec]
    ) -> tuple[str, tuple[str, ...]]:
        """Read which standard the PDF keeps, and what is attached to it."""
        given = self._text(content, "standard", "")
        known = standards.STANDARDS
        if given and given not in known:
            there, meant = " or ".join(known), did_you_mean(given, known)
            self._problem(f"standard must be {there}, not {given!r}{meant}")
            given = ""
        attach = self._names(content, "attach", standards.ATTACHMENTS, ())
        for mistake in standards.mistakes(given, attach, formats, specs):
            self._problem(mistake)
        return given or standards.usual(specs), attach

    def _section(self, number: int, given: Any, formats: tuple[str, ...]) -> SectionSpec:
        self._where = f"section {number}: "
        if not isinstance(given, dict):
            self._problem("must be a table, written [[section]]")
            given = {}
        self._unknown_keys(given, _SECTION_KEYS)
        kind = self._text(given, "kind", "")
        if kind not in SECTION_KINDS:
            known = ", ".join(SECTION_KINDS)
            self._problem(
                f"kind must be one of {known}, not {kind!r}{did_you_mean(kind, SECTION_KINDS)}"
            )
        title = self._text(given, "title", kind.capitalize())
        sheet = self._text(given, "sheet", title)
        self._check_sheet(sheet)
        columns = _Columns({}, set())
        group_by = self._columns(given, "group_by", DIMENSIONS, (), columns)
        self._check_grouping(kind, group_by)
        shows = kinds.SHOWS.get(kind, ())
        default = kinds.DEFAULT_SHOWS.get(kind, tuple(shows))
        show = self._columns(given, "show", shows, default, columns)
        if len(show) != 1 and (kind == "matrix" or (kind == "trend" and group_by)):
            self._problem(f"a {kind} of groups shows one measure, not {len(show)}")
        self._check_labels(kind, group_by, show, columns)
        where = self._filter(given)
        if where and kind not in OF_CALLS:
            self._problem(f"where has no meaning in a section of kind {kind!r}")
        each, sheets = self._each(given, kind)
        most = self._most(given, kind)
        order_by = self._text(given, "order_by", "name")
        if order_by not in ORDERS:
            known, meant = ", ".join(ORDERS), did_you_mean(order_by, ORDERS)
            self._problem(f"order_by must be one of {known}, not {order_by!r}{meant}")
        chart = given.get("chart", False)
        if not isinstance(chart, bool):
            self._problem(f"chart must be true or false, not {chart!r}")
        elif chart and not kinds.can_be_drawn(kind, group_by, show):
            self._problem("a chart needs a section of groups or days that shows cost")
        of_books = kind in kinds.WORKBOOK_ONLY or each
        default = tuple(f for f in formats if f == "xlsx" or not of_books)
        only = self._names(given, "formats", formats, default)
        subtotals = self._subtotals(given, group_by, only)
        if of_books and set(only) - {"xlsx"}:
            what = f"with each = {_EACH!r}" if each else f"of kind {kind!r}"
            self._problem(f'a section {what} is for workbooks: formats = ["xlsx"]')
        return SectionSpec(
            kind,
            title,
            sheet,
            only,
            group_by,
            show,
            order_by,
            chart=bool(chart),
            where=where,
            labels=tuple(columns.labels.items()),
            hidden=frozenset(columns.hidden),
            each=each,
            sheets=sheets,
            most=most,
            subtotals=subtotals,
        )

    def _each(self, given: Mapping[str, Any], kind: str) -> tuple[bool, int]:
        """Read whether a list has a sheet for each number, and how many at most."""
        each, sheets = given.get("each"), given.get("sheets", MOST_SHEETS)
        if each is not None and each != _EACH:
            self._problem(
                f"each must be {_EACH!r}, not {each!r}{did_you_mean(f'{each}', [_EACH])}"
            )
        if each is not None and kind != "itemised":
            self._problem(f"each has no meaning in a section of kind {kind!r}")
        if "sheets" in given and each is None:
            self._problem(f'sheets needs each = "{_EACH}"')
        if type(sheets) is not int or not 1 <= sheets <= _SHEETS_AT_MOST:
            self._problem(f"sheets must be 1 to {_SHEETS_AT_MOST}, not {sheets!r}")
            sheets = MOST_SHEETS
        return each is not None, sheets

    def _most(self, given: Mapping[str, Any], kind: str) -> int:
        """Read how many rows a list of the foremost has."""
        most = given.get("most", MOST_ROWS)
        if "most" in given and kind not in kinds.LISTS:
            self._problem(f"most has no meaning in a section of kind {kind!r}")
        if type(most) is not int or not 1 <= most <= kinds.ROWS_AT_MOST:
            self._problem(f"most must be 1 to {kinds.ROWS_AT_MOST}, not {most!r}")
            return MOST_ROWS
        return most

    def _subtotals(
        self, given: Mapping[str, Any], group_by: Sequence[str], only: Sequence[str]
    ) -> bool:
        """Read whether each value of the first dimension is added up."""
        subtotals = given.get("subtotals", False)
        if not isinstance(subtotals, bool):
            self._problem(f"subtotals must be true or false, not {subtotals!r}")
            return False
        if subtotals and (len(group_by) < 2 or given.get("kind") != "groups"):
            self._problem("subtotals need a section of groups with two dimensions or more")
        if subtotals and "xlsx" in only:
            # A workbook's table is filtered and added up by its reader, and they would be twice.
            self._problem('subtotals are for statements: formats = ["pdf"]')
        return bool(subtotals)

    def _check_grouping(self, kind: str, group_by: tuple[str, ...]) -> None:
        least, most = kinds.GROUPED.get(kind, (0, 0))
        if group_by and not most:
            self._problem(f"group_by has no meaning in a section of kind {kind!r}")
        elif kind == "groups" and not group_by:
            self._problem("a section of groups needs group_by")
        elif kind == "itemised" and group_by not in ((), (_EACH,)):
            self._problem(f'a list of calls can be grouped by one thing: group_by = ["{_EACH}"]')
        elif not least <= len(group_by) <= most:
            self._problem("a matrix needs group_by with two dimensions: the rows, the columns")

    def _check_labels(
        self, kind: str, group_by: Sequence[str], show: Sequence[str], columns: _Columns
    ) -> None:
        """Refuse headings that a workbook's table cannot have."""
        shows = kinds.SHOWS.get(kind, ())
        known: Mapping[str, str] = {**DIMENSIONS, **MEASURES}
        if shows is CALL_COLUMNS:
            known = {key: column.label for key, column in CALL_COLUMNS.items()}
        shown = dict.fromkeys((*group_by, *show))
        labels = [columns.labels.get(key, known[key]) for key in shown]
        folded = [label.casefold() for label in labels]
        for label in dict.fromkeys(labels):
            if folded.count(label.casefold()) > 1:
                self._problem(f"two columns are named {label!r}")
        for label in columns.labels.values():
            plain = visible(label, _LABEL_LONGEST) == label == label.strip()
            if not plain or not label or _LABEL_FORBIDDEN.search(label):
                self._problem(
                    f"label {label!r} cannot name a column: 1 to {_LABEL_LONGEST} letters, all "
                    "of them seen, none of [ ] # ' @"
                )
        # A sheet's title stands in its first column.
        for key in (*group_by, *show)[:1]:
            if key in columns.hidden:
                self._problem(f"the first column, {key}, cannot be hidden: put another before it")

    # ---- filters ----------------------------------------------------------------------------

    def _filter(self, given: Mapping[str, Any]) -> Where:
        """Read ``where``: fields of a closed list, each with what it must be."""
        table = given.get("where", {})
        if not isinstance(table, dict):
            self._problem(f"where must be a table such as {{ charged = true }}, not {table!r}")
            return Where()
        conditions = []
        for field, value in table.items():
            if field not in FIELDS:
                there = f"there is: {', '.join(FIELDS)}"
                meant = did_you_mean(field, FIELDS)
                self._problem(f"where: {field!r} is not known{meant}; {there}")
            elif (read := self._wanted(field, value)) is not None:
                conditions.append(Condition(field, read))
        return Where(tuple(conditions))

    def _wanted(self, field: str, value: Any) -> bool | tuple[str, ...] | None:
        """Read what a field must be; None where it makes no sense."""
        if field in FLAGS:
            if isinstance(value, bool):
                return value
            self._problem(f"where: {field} must be true or false, not {value!r}")
            return None
        texts = value if isinstance(value, list) else [value]
        if not texts or not all(isinstance(text, str) for text in texts):
            self._problem(
                f'where: {field} must be text or a list such as ["a", "b"], not {value!r}'
            )
            return None
        if field == "direction":
            for text in texts:
                if text not in DIRECTIONS:
                    known, meant = " or ".join(DIRECTIONS), did_you_mean(text, DIRECTIONS)
                    self._problem(f"where: direction must be {known}, not {text!r}{meant}")
        if field == "service_number":
            # As the calls are grouped: without spaces and route, in national form.
            texts = [numbering.compact(text) or text for text in texts]
        return tuple(dict.fromkeys(texts))

    def _problem(self, text: str) -> None:
        self._problems.append(f"{self._path}: {self._where}{text}")

    def _unknown_keys(self, given: Mapping[str, Any], known: Collection[str]) -> None:
        for key in given:
            if key not in known:
                self._problem(f"{key!r} is not a setting{did_you_mean(key, known)}")

    def _text(self, given: Mapping[str, Any], key: str, default: str) -> str:
        value = given.get(key, default)
        if not isinstance(value, str):
            self._problem(f"{key} must be text in quotes, not {value!r}")
        elif has_controls(value):
            self._problem(f"{key} must hold no control characters: {value!r}")
        else:
            return value
        return default

    def _names(
        self,
        given: Mapping[str, Any],
        key: str,
        known: Collection[str],
        default: tuple[str, ...],
    ) -> tuple[str, ...]:
        """Read a list of names out of a known set, each at most once."""
        value = given.get(key, list(default))
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            self._problem(f'{key} must be a list such as ["calls", "cost"], not {value!r}')
            return default
        for name in value:
            if name not in known:
                there = f"; there is: {', '.join(known)}" if known else ""
                self._problem(f"{key}: {name!r} is not known{did_you_mean(name, known)}{there}")
        if len(set(value)) != len(value):
            self._problem(f"{key} names something twice")
        if not value and default:
            self._problem(f"{key} names nothing; leave it out to have all")
        return tuple(name for name in value if name in known)

    def _columns(
        self,
        given: Mapping[str, Any],
        key: str,
        known: Collection[str],
        default: tuple[str, ...],
        columns: _Columns,
    ) -> tuple[str, ...]:
        """Read a list of columns: names, or tables that also rename or hide one."""
        listed = given.get(key)
        if not isinstance(listed, list):
            return self._names(given, key, known, default)
        names: list[Any] = []
        for each in listed:
            if not isinstance(each, dict):
                names.append(each)
                continue
            for setting in each:
                if setting not in _COLUMN_KEYS:
                    meant = did_you_mean(setting, _COLUMN_KEYS)
                    self._problem(f"{key}: {setting!r} is not a setting of a column{meant}")
            name = each.get("key")
            names.append(name)
            label, hidden = each.get("label"), each.get("hidden", False)
            if label is not None and not isinstance(label, str):
                self._problem(f"{key}: label must be text in quotes, not {label!r}")
            elif label is not None:
                columns.labels[f"{name}"] = label
            if not isinstance(hidden, bool):
                self._problem(f"{key}: hidden must be true or false, not {hidden!r}")
            elif hidden:
                columns.hidden.add(f"{name}")
        return self._names({key: names}, key, known, default)

    def _check_sheet(self, sheet: str) -> None:
        if not sheetnames.is_legal(sheet):
            self._problem(
                f"{sheet!r} cannot name a sheet: 1 to {sheetnames.LONGEST} characters, all of "
                "them seen, none of [ ] : * ? / \\ and no quote at an end"
            )
        elif sheetnames.is_kept(sheet):
            self._problem("'History' cannot name a sheet: Excel keeps that name for itself")

    def _check_file(self, file_format: str, specs: Sequence[SectionSpec]) -> None:
        """Find sections that cannot stand together in one file."""
        if all(spec.kind in NOT_ALWAYS for spec in specs):
            self._problem(f"no section is always shown in {file_format}: its first issue is empty")
        if file_format != "xlsx":
            return
        first: dict[str, SectionSpec] = {}
        for spec in specs:
            other = first.setdefault(spec.sheet.casefold(), spec)
            if other is spec:
                continue
            if other.sheet != spec.sheet:
                self._problem(f"sheets {other.sheet!r} and {spec.sheet!r} are one to Excel")
            for one in (spec, other):
                if one.kind == "itemised":
                    self._problem(f"the calls of {one.title!r} need a sheet of their own")
            if spec.kind == "summary":
                self._problem(f"section {spec.title!r} is a summary: it must be its sheet's first")

    def _check_titles(self, titles: Sequence[str]) -> None:
        folded = [title.casefold() for title in titles]
        for title in sorted({t for t in titles if folded.count(t.casefold()) > 1}):
            self._problem(f"two sections are titled {title!r}")
