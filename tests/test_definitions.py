"""Definitions: data that is checked whole, every mistake at once; a user's own before ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
from carriers import OCTOBER
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.cell import column_index_from_string
from workbooks import Listed

from maxo_reports import definitions
from maxo_reports.core.ledger import DIMENSIONS, MEASURES
from maxo_reports.core.report import CALL_COLUMNS, CallLine, Section, SectionSpec
from maxo_reports.core.sections import CHARGES, NOT_ALWAYS, OF_CALLS, ORDERS, SECTION_KINDS
from maxo_reports.core.theme import Theme
from maxo_reports.definitions import Loaded, Shelf, load, load_theme
from maxo_reports.errors import ConfigError, MaxoReportsError, UsageError
from maxo_reports.render import FORMATS, xlsx
from maxo_reports.render.xlsx import names as sheet_names
from reports import STYLE, made_up_calls, month, statement

SHIPPED = definitions.shipped()
ONE = 'version = 1\n[[section]]\nkind = "summary"\n'


def loaded(folder: Path, text: str | bytes, name: str = "mine") -> Loaded:
    """Write a definition into a workspace and load it."""
    (folder / "reports").mkdir(exist_ok=True)
    content = text.encode() if isinstance(text, str) else text
    (folder / "reports" / f"{name}.toml").write_bytes(content)
    return load(name, Shelf.of(folder), FORMATS)


def mistakes(folder: Path, text: str | bytes) -> tuple[str, ...]:
    """Return what is wrong with a definition; each problem names the file and is one line."""
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    assert "\n" not in str(caught.value)
    path = folder / "reports" / "mine.toml"
    assert str(path) in str(caught.value)
    return tuple(problem.removeprefix(f"{path}: ") for problem in caught.value.problems)


# --- ours ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("reports/*.toml")))
def test_every_shipped_definition_is_right(name: str) -> None:
    """Each loads; its template is there."""
    definition = load(name, Shelf.of(None), FORMATS).definition
    assert definition.name == name
    assert (SHIPPED / "templates" / definition.template).is_file()


def test_the_statement_has_the_sheets_that_are_promised() -> None:
    """Sheets and columns are a contract: others script against them."""
    definition = load("statement", Shelf.of(None), FORMATS).definition
    booked = [spec for spec in definition.sections if "xlsx" in spec.formats]
    sheets = list(dict.fromkeys(spec.sheet for spec in booked))
    assert [sheet for sheet in sheets if sheet != "Changes"] == [
        *("Summary", "By category", "By direction", "By number", "By number x category"),
        *("Calls", "Exceptions", "Checks"),
    ]
    (calls,) = [spec for spec in definition.sections if spec.kind == "itemised"]
    assert [CALL_COLUMNS[key].label for key in calls.show] == [
        *("Call ID", "Started", "Direction", "From", "To", "Service number", "Rate category"),
        *("Status", "Duration", "Cost"),
    ]


# --- what is right -------------------------------------------------------------------------


def test_what_is_not_said_has_a_default(tmp_path: Path) -> None:
    """All formats, all measures, the kind's name as title and sheet."""
    definition = loaded(tmp_path, ONE).definition
    assert (definition.name, definition.title, definition.template) == (
        "mine",
        "mine",
        "statement.html",
    )
    assert definition.formats == tuple(FORMATS)
    assert definition.filename == "{account}-{period}-{report}"
    (spec,) = definition.sections
    assert (spec.title, spec.sheet, spec.order_by, spec.chart) == (
        "Summary",
        "Summary",
        "name",
        False,
    )
    assert spec.show == tuple(MEASURES)
    assert spec.formats == tuple(FORMATS)


@pytest.mark.parametrize("kind", sorted(SECTION_KINDS))
def test_every_kind_of_section_can_be_asked_for(tmp_path: Path, kind: str) -> None:
    """Alone beside a summary, with what it needs."""
    groups = {"groups": ["category"], "matrix": ["service_number", "category"]}
    group = f"group_by = {json.dumps(groups[kind])}\n" if kind in groups else ""
    text = f'{ONE}[[section]]\nkind = "{kind}"\ntitle = "Its own"\n{group}'
    assert loaded(tmp_path, text).definition.sections[1].kind == kind


def test_a_comment_is_another_definition(tmp_path: Path) -> None:
    """The hash is of the file, byte for byte."""
    first = loaded(tmp_path, ONE)
    second = loaded(tmp_path, ONE + "# a word\n")
    assert first.definition == second.definition
    assert first.sha256 != second.sha256


# --- what is wrong -------------------------------------------------------------------------


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """Each with its section and the nearest real name."""
    text = """
        version = 2
        titel = "Calls"
        formats = ["xlsx", "pfd"]
        filename = "{acount}/{period:>9}"

        [[section]]
        kind = "sumary"

        [[section]]
        kind = "groups"
        group_by = ["categroy"]
        show = ["cals", "cost", "cost"]
        order_by = "price"
        chart = "yes"

        [[section]]
        kind = "days"
        title = "Sumary"
        group_by = ["direction"]
        sheet = "a/b"
        formats = "pdf"
        shows = ["calls"]
    """
    assert mistakes(tmp_path, text) == (
        "'titel' is not a setting (did you mean 'title'?)",
        "version must be 1, not 2",
        "formats: 'pfd' is not known (did you mean 'pdf'?); there is: xlsx, pdf",
        (
            "filename: {acount} is not known (did you mean 'account'?); "
            "there is: account, period, report, first, last"
        ),
        "filename: {period} takes nothing after its name",
        "filename '{acount}/{period:>9}' cannot be the name of a file",
        (
            f"section 1: kind must be one of {', '.join(SECTION_KINDS)}, not 'sumary' "
            "(did you mean 'summary'?)"
        ),
        (
            "section 2: group_by: 'categroy' is not known (did you mean 'category'?); "
            f"there is: {', '.join(DIMENSIONS)}"
        ),
        "section 2: a section of groups needs group_by",
        (
            "section 2: show: 'cals' is not known (did you mean 'calls'?); "
            f"there is: {', '.join(MEASURES)}"
        ),
        "section 2: show names something twice",
        f"section 2: order_by must be one of {', '.join(ORDERS)}, not 'price'",
        "section 2: chart must be true or false, not 'yes'",
        "section 3: 'shows' is not a setting (did you mean 'show'?)",
        (
            "section 3: 'a/b' cannot name a sheet: 1 to 31 characters, all of them seen, "
            "none of [ ] : * ? / \\ and no quote at an end"
        ),
        "section 3: group_by has no meaning in a section of kind 'days'",
        'section 3: formats must be a list such as ["calls", "cost"], not \'pdf\'',
        "two sections are titled 'Sumary'",
    )


@pytest.mark.parametrize(
    "text",
    [b"[[section", b"\xff\xfe", b"x = " + b"[" * 5_000, b"x = " + b"9" * 5_000, b"a=1\na=2"],
)
def test_what_is_no_toml_is_one_line(tmp_path: Path, text: bytes) -> None:
    """Cut, of another encoding, without end: never a traceback."""
    (problem,) = mistakes(tmp_path, text)
    assert "is not readable TOML" in problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "version must be 1, not None"),
        ("version = 1", "there is no [[section]]"),
        ("version = 1\nsection = 3", "there is no [[section]]"),
        ("version = 1\nsection = [1]", "section 1: must be a table, written [[section]]"),
        (f"formats = []\n{ONE}", "formats names nothing"),
        (f"{ONE}formats = []", "section 1: formats names nothing"),
        (f"{ONE}show = []", "section 1: show names nothing"),
        (f"title = 3\n{ONE}", "title must be text in quotes, not 3"),
        (f'title = "a\\u0000"\n{ONE}', "title must hold no control characters"),
        (f'{ONE}sheet = "a\\nb"', "sheet must hold no control characters"),
        (f'{ONE}title = "{"x" * 32}"', "cannot name a sheet"),
        (f'{ONE}sheet = ""', "cannot name a sheet"),
        (f'{ONE}sheet = "\'a"', "cannot name a sheet"),
        (f'{ONE}sheet = "HISTORY"', "Excel keeps that name for itself"),
        (f'{ONE}formats = ["xlsx", "xlsx"]', "formats names something twice"),
        (f"{ONE}chart = true", "a chart needs a section of groups or days"),
        (f'{ONE}[[section]]\nkind="summary"\ntitle="SUMMARY"', "two sections are titled"),
        ('version=1\n[[section]]\nkind="changes"', "no section is always shown in xlsx"),
        (f'{ONE}formats=["pdf"]', "no section is always shown in xlsx"),
        (
            f'{ONE}[[section]]\nkind="checks"\nsheet="summary"',
            "sheets 'Summary' and 'summary' are one to Excel",
        ),
        (
            f'{ONE}[[section]]\nkind="itemised"\nsheet="Summary"',
            "the calls of 'Itemised' need a sheet of their own",
        ),
        (
            (
                'version=1\n[[section]]\nkind="checks"\nsheet="S"\n'
                '[[section]]\nkind="summary"\nsheet="S"'
            ),
            "section 'Summary' is a summary: it must be its sheet's first",
        ),
    ],
)
def test_each_mistake_is_named(tmp_path: Path, text: str, says: str) -> None:
    """One mistake, one problem that names it."""
    assert any(says in problem for problem in mistakes(tmp_path, text))


@pytest.mark.parametrize(
    ("filename", "says"),
    [
        ("{}", "{} is not known"),
        ("{0}", "{0} is not known"),
        ("{account.id}", "{account.id} is not known"),
        ("{account[0]}", "{account[0]} is not known"),
        ("{account!r}", "takes nothing after its name"),
        ("{account:>99999999999}", "takes nothing after its name"),
        ("{account:{period}}", "takes nothing after its name"),
        ("{account", "a bracket too few or too many"),
        ("account}", "a bracket too few or too many"),
        ("", "cannot be the name of a file"),
        ("..", "cannot be the name of a file"),
        (". .", "cannot be the name of a file"),
        ("a/b", "cannot be the name of a file"),
        ("../x", "cannot be the name of a file"),
        ("a\\\\b", "cannot be the name of a file"),
        ("CON:", "cannot be the name of a file"),
        ("x" * 151, "cannot be the name of a file"),
        ("a\\u0000b", "must hold no control characters"),
    ],
)
def test_a_filename_that_could_be_none_is_refused(
    tmp_path: Path, filename: str, says: str
) -> None:
    """Before anything is pulled, and not when the file is to be written."""
    found = mistakes(tmp_path, f'filename = "{filename}"\n{ONE}')
    assert any(says in problem for problem in found)


@pytest.mark.parametrize("filename", ["{account}{period}{report}", "{{x}} {period}", "Ü (1)"])
def test_filenames_that_are_some(tmp_path: Path, filename: str) -> None:
    """What passes can be filled in."""
    definition = loaded(tmp_path, f'filename = "{filename}"\n{ONE}').definition
    assert definition.filename.format(account="a", period="2026-10", report="mine")


def test_a_report_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    """And all that there are, the workspace's own among them."""
    loaded(tmp_path, ONE)
    with pytest.raises(UsageError) as caught:
        load("statment", Shelf.of(tmp_path), FORMATS)
    assert "(did you mean 'statement'?); there is: " in str(caught.value)
    assert "mine" in str(caught.value)
    for name in ("../reports/statement", "", "statement.toml", "/etc/passwd"):
        with pytest.raises(UsageError, match="there is no report"):
            load(name, Shelf.of(tmp_path), FORMATS)


names = st.sampled_from
SHEETS = ("Calls", "calls", "Summary", "x y", "x_y", "OCT2026", "R1C1", "c", "1st", "Übersicht")


LISTED = Listed(
    [
        CallLine(str(n), OCTOBER + n, "Inbound", "04", "07", "07", "Incoming", "Busy", n, n * 1000)
        for n in range(3)
    ]
)


@st.composite
def definition_texts(draw: st.DrawFn) -> str:
    """Write definitions that are right line by line, and may not be as a whole."""
    lines = ["version = 1", 'formats = ["xlsx"]']
    for _ in range(draw(st.integers(1, 4))):
        # Charges are a client's, which only ``oncharge`` has.
        kind = draw(names(sorted(set(SECTION_KINDS) - {CHARGES})))
        lines += ["[[section]]", f'kind = "{kind}"']
        if draw(st.booleans()):
            lines.append(f"title = {json.dumps(draw(names(SHEETS)), ensure_ascii=False)}")
        if draw(st.booleans()):
            lines.append(f"sheet = {json.dumps(draw(names(SHEETS)), ensure_ascii=False)}")
        if kind in {"groups", "matrix"} or (kind == "trend" and draw(st.booleans())):
            by = st.lists(names(sorted(DIMENSIONS)), min_size=1, max_size=3, unique=True)
            lines.append(f"group_by = {json.dumps(draw(by))}")
        shown = {"itemised": CALL_COLUMNS, "checks": ()}.get(kind, MEASURES)
        if kind in OF_CALLS and draw(st.booleans()):
            show = draw(st.lists(names(sorted(shown)), max_size=4, unique=True))
            columns = [
                {"key": key, "label": f"My {key}"} if draw(st.booleans()) else key for key in show
            ]
            lines.append(f"show = [{', '.join(map(_toml, columns))}]")
        if draw(st.booleans()):
            lines.append(f'order_by = "{draw(names(ORDERS))}"')
    return "\n".join(lines)


def _toml(column: str | dict[str, str]) -> str:
    if isinstance(column, str):
        return json.dumps(column)
    inside = ", ".join(f"{key} = {json.dumps(value)}" for key, value in column.items())
    return f"{{ {inside} }}"


@settings(max_examples=60, deadline=None)
@given(text=definition_texts())
def test_what_is_accepted_can_be_made_into_a_workbook(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """Law: a definition is refused in one line when it is read, or makes a whole workbook."""
    folder = tmp_path_factory.getbasetemp() / "law"
    folder.mkdir(exist_ok=True)
    try:
        definition = loaded(folder, text).definition
    except MaxoReportsError:
        return
    target = folder / "book.xlsx"
    target.unlink(missing_ok=True)
    report = statement(made_up_calls(5, month()), definition=definition)
    xlsx.render(replace(report, calls=LISTED), STYLE, target)
    book = load_workbook(target)
    wanted = {spec.sheet for spec in definition.sections if spec.kind not in NOT_ALWAYS}
    assert set(book.sheetnames) == wanted
    assert len(wanted) == len({name.casefold() for name in wanted})
    tables = [table for sheet in book for table in sheet.tables]
    assert len({table.casefold() for table in tables}) == len(tables)
    for table in tables:
        assert not is_like_a_cell(table), "Excel would offer to repair the workbook"


@pytest.mark.parametrize(
    ("sheet", "table"),
    [
        ("Calls", "Calls"),
        ("OCT2026", "T_OCT2026"),
        ("R1C1", "T_R1C1"),
        ("c", "T_c"),
        ("1st", "T_1st"),
        ("x y", "x_y"),
        ("October 2026", "October_2026"),
    ],
)
def test_no_table_is_named_like_a_cell(sheet: str, table: str) -> None:
    """OCT2026 is row 2026 of column OCT; Excel would offer to repair a table of that name."""
    spec = SectionSpec("itemised", "Calls", sheet, ("xlsx",))
    (page,) = sheet_names.plan([Section(spec, None)], 1)["Calls"]
    assert (page.sheet, page.table) == (sheet, table)


def is_like_a_cell(name: str) -> bool:
    """Tell whether a spreadsheet program would read a name as a cell's, as A1 or as R1C1."""
    letters = name.rstrip("0123456789")
    is_address = len(letters) < len(name) and letters.isalpha() and letters.isascii()
    if is_address and len(letters) <= 3:
        return column_index_from_string(letters.upper()) <= 16_384
    return name.casefold() in {"r", "c", "r1c1"}


# --- shelves -------------------------------------------------------------------------------


def test_a_workspaces_own_replaces_ours_of_that_name(tmp_path: Path) -> None:
    """By its name, and only that one; ours stay for the rest."""
    ours = Shelf.of(None).reports()
    loaded(tmp_path, ONE, "statement")
    loaded(tmp_path, ONE, "mine")
    found = Shelf.of(tmp_path).reports()
    assert found["statement"] == tmp_path / "reports" / "statement.toml"
    assert set(found) == {*ours, "mine"}
    assert load("statement", Shelf.of(tmp_path), FORMATS).definition.title == "statement"
    assert load("statement", Shelf.of(None), FORMATS).definition.title == "Call statement"


def test_templates_are_looked_for_in_the_workspace_first(tmp_path: Path) -> None:
    """A workspace without templates has ours alone."""
    assert Shelf.of(tmp_path).templates() == (SHIPPED / "templates",)
    (tmp_path / "templates").mkdir()
    assert Shelf.of(tmp_path).templates() == (tmp_path / "templates", SHIPPED / "templates")


CHANGES: list[tuple[str, Callable[[Path], object]]] = [
    ("a new file", lambda folder: (folder / "b.css").write_bytes(b"a")),
    ("other bytes", lambda folder: (folder / "a.css").write_bytes(b"b")),
    ("another name", lambda folder: (folder / "a.css").rename(folder / "b.css")),
    ("a file that moved", lambda folder: (folder / "a.css").rename(folder / "fonts" / "a.css")),
    ("one file less", lambda folder: (folder / "a.css").unlink()),
]


@pytest.mark.parametrize(("what", "change"), CHANGES, ids=[what for what, _ in CHANGES])
def test_the_looks_fingerprint_notices(
    tmp_path: Path, what: str, change: Callable[[Path], object]
) -> None:
    """Whatever changes in the templates changes it; looking again does not."""
    folder = tmp_path / "templates"
    (folder / "fonts").mkdir(parents=True)
    (folder / "a.css").write_bytes(b"a")
    before = Shelf.of(tmp_path).fingerprint()
    assert Shelf.of(tmp_path).fingerprint() == before
    change(folder)
    assert Shelf.of(tmp_path).fingerprint() != before


# --- the theme -----------------------------------------------------------------------------


def themed(folder: Path, text: str) -> Theme:
    """Write a workspace's palette and load it."""
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates" / "theme.toml").write_text(text, encoding="utf-8")
    return load_theme(Shelf.of(folder))


PALETTE = (SHIPPED / "templates" / "theme.toml").read_text(encoding="utf-8")


def test_the_palette_is_ours_or_the_workspaces(tmp_path: Path) -> None:
    """Templates of one's own without a palette keep ours."""
    ours = load_theme(Shelf.of(None))
    (tmp_path / "templates").mkdir()
    assert load_theme(Shelf.of(tmp_path)) == ours
    own = themed(tmp_path, PALETTE.replace(ours.brand, "#AbCdEf"))
    assert own.brand == "#AbCdEf"
    assert own.ink == ours.ink


def test_every_mistake_of_a_palette_is_told_at_once(tmp_path: Path) -> None:
    """Missing, of another kind, no colour, and what is not part of it, with the nearest name."""
    text = (
        PALETTE.replace("\nbrand ", "\nbradn ").replace('"#475569"', "5").replace("#cbd5e1", "red")
    )
    with pytest.raises(ConfigError) as caught:
        themed(tmp_path, text)
    path = tmp_path / "templates" / "theme.toml"
    assert caught.value.problems == (
        f"{path}: 'bradn' is not part of a theme (did you mean 'brand'?)",
        f"{path}: muted must be text in quotes, not 5",
        f"{path}: line must be a colour such as #0f5f8c, not 'red'",
        f"{path}: 'brand' is missing",
    )


@pytest.mark.parametrize(
    "colour", ["#fff", "0f5f8c", "#0f5f8cff", "#0f5f8g", "red", "", "#٠f5f8c"]
)
def test_a_colour_is_six_hexadecimal_digits(tmp_path: Path, colour: str) -> None:
    """It goes into style sheets and workbooks as it is."""
    with pytest.raises(ConfigError, match="ink must be"):
        themed(tmp_path, PALETTE.replace("#0f172a", colour))


def test_a_palette_of_nothing_names_all_that_is_missing(tmp_path: Path) -> None:
    """One problem for each part of a theme."""
    with pytest.raises(ConfigError) as caught:
        themed(tmp_path, "")
    assert len(caught.value.problems) == len(fields(Theme))
    with pytest.raises(ConfigError, match="not readable TOML"):
        themed(tmp_path, "[")
