"""Filters and columns of a definition: what is wrong is refused, with the nearest name."""

from __future__ import annotations

import pytest
from test_definitions_sheets import refused

from maxo_reports.core.where import Condition
from maxo_reports.definitions import Shelf, load
from maxo_reports.render import FORMATS

CALLS = 'kind = "itemised"\ntitle = "Calls"\n'
GROUPS = 'kind = "groups"\ngroup_by = ["category"]\n'


def section(folder, text):
    """Read a definition of one section and return it; it must be right."""
    assert refused(folder, text) == ""
    return load("own", Shelf.of(folder), FORMATS).definition.sections[0]


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("{ chrged = true }", "where: 'chrged' is not known (did you mean 'charged'?)"),
        ('{ charged = "yes" }', "where: charged must be true or false, not 'yes'"),
        ("{ charged = 1 }", "where: charged must be true or false, not 1"),
        ('{ direction = "inbound" }', "not 'inbound' (did you mean 'Inbound'?)"),
        ("{ category = [] }", "where: category must be text or a list"),
        ('{ category = ["Mobile", 3] }', "where: category must be text or a list"),
        ("{ cost = 3 }", "where: 'cost' is not known"),
        ('"charged"', "where must be a table such as { charged = true }, not 'charged'"),
    ],
)
def test_a_wrong_filter_is_refused(tmp_path, where, says):
    """Nothing but the closed vocabulary is a filter."""
    assert says in refused(tmp_path, f"{GROUPS}where = {where}")


def test_all_mistakes_of_a_filter_are_told_at_once(tmp_path):
    """Also those of another section."""
    said = refused(
        tmp_path,
        f'{GROUPS}where = {{ conected = true, direction = ["Inbund", "Sideways"] }}',
        'kind = "checks"\nwhere = { charged = true }',
    )
    for words in ("did you mean 'connected'?", "did you mean 'Inbound'?", "'Sideways'"):
        assert words in said
    assert "section 2: where has no meaning in a section of kind 'checks'" in said


def test_a_filter_is_read_as_it_is_compared(tmp_path):
    """Numbers as calls are grouped by; a text alone is a list of one; each text once."""
    read = section(
        tmp_path,
        f'{GROUPS}where = {{ service_number = ["+61 2 5550 0140", "0255500140/PBX"],'
        ' category = "Mobile", connected = false }',
    ).where
    assert read.conditions == (
        Condition("service_number", ("0255500140",)),
        Condition("category", ("Mobile",)),
        Condition("connected", values=False),
    )


def test_a_whole_report_can_be_filtered(tmp_path):
    """The filter stands above the sections."""
    (tmp_path / "reports").mkdir()
    text = 'version = 1\nwhere = { charged = true }\n[[section]]\nkind = "summary"\n'
    (tmp_path / "reports" / "own.toml").write_text(text)
    definition = load("own", Shelf.of(tmp_path), FORMATS).definition
    assert definition.where.words == "only charged calls"


@pytest.mark.parametrize(
    ("show", "says"),
    [
        ('[{ key = "cost", lable = "x" }]', "'lable' is not a setting of a column"),
        ('[{ key = "cots" }]', "show: 'cots' is not known (did you mean 'cost'?)"),
        ('[{ label = "x" }]', "show must be a list"),
        ('[{ key = "cost", label = 3 }]', "show: label must be text in quotes, not 3"),
        ('[{ key = "cost", label = "" }]', "label '' cannot name a column"),
        ('[{ key = "cost", label = "a[b]" }]', "label 'a[b]' cannot name a column"),
        ('[{ key = "cost", label = "a\\nb" }]', "cannot name a column"),
        ('["calls", { key = "cost", hidden = "no" }]', "hidden must be true or false"),
        ('["calls", { key = "cost", label = "calls" }]', "two columns are named"),
        ('["calls", { key = "cost", label = "RATE category" }]', "two columns are named"),
        ('["cost", { key = "cost", label = "x" }]', "show names something twice"),
    ],
)
def test_a_wrong_column_is_refused(tmp_path, show, says):
    """A heading that a table cannot have, a setting that is none."""
    assert says in refused(tmp_path, f"{GROUPS}show = {show}")


def test_columns_are_chosen_named_hidden_and_ordered(tmp_path):
    """The list's columns are the definition's."""
    read = section(
        tmp_path,
        f'{CALLS}show = ["started", {{ key = "a_party", label = "Caller" }},'
        ' { key = "cost", hidden = true }]',
    )
    columns = [(c.key, c.label, c.hidden) for c in read.call_columns]
    assert columns == [
        ("started", "Started", False),
        ("a_party", "Caller", False),
        ("cost", "Cost", True),
    ]


def test_the_first_column_cannot_be_hidden(tmp_path):
    """The sheet's title stands in it."""
    said = refused(tmp_path, f'{CALLS}show = [{{ key = "call_id", hidden = true }}, "cost"]')
    assert "the first column, call_id, cannot be hidden" in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'{CALLS}each = "number"', "each must be 'service_number', not 'number'"),
        (f'{GROUPS}each = "service_number"', "each has no meaning"),
        (f'{CALLS}each = "service_number"\nsheets = 0', "sheets must be 1 to 200, not 0"),
        (f'{CALLS}each = "service_number"\nsheets = true', "sheets must be 1 to 200"),
        (f"{CALLS}sheets = 5", 'sheets needs each = "service_number"'),
        ('kind = "matrix"\ngroup_by = ["category"]', "with two dimensions"),
        (
            'kind = "matrix"\ngroup_by = ["category", "direction"]\nshow = ["cost", "calls"]',
            "shows one measure, not 2",
        ),
        ('kind = "trend"\ngroup_by = ["category"]', "shows one measure, not 5"),
        (
            'kind = "trend"\ngroup_by = ["category"]\nshow = ["cost"]\nchart = true',
            "a chart needs",
        ),
    ],
)
def test_what_makes_no_section_is_refused(tmp_path, text, says):
    """Each with its reason."""
    assert says in refused(tmp_path, text)


def test_what_a_statement_cannot_show_is_for_workbooks(tmp_path):
    """Without a word it is left out of the statement; asked for, it is refused."""
    (tmp_path / "reports").mkdir()
    path = tmp_path / "reports" / "own.toml"
    text = f'version = 1\n[[section]]\nkind = "summary"\n[[section]]\n{CALLS}'
    path.write_text(text)
    assert load("own", Shelf.of(tmp_path), FORMATS).definition.sections[1].formats == (
        *("xlsx", "pdf"),
    )
    text += 'each = "service_number"\n'
    path.write_text(text)
    definition = load("own", Shelf.of(tmp_path), FORMATS).definition
    assert definition.sections[1].formats == ("xlsx",)
    path.write_text(f'{text}formats = ["pdf"]\n')
    with pytest.raises(Exception, match="is for workbooks"):
        load("own", Shelf.of(tmp_path), FORMATS)
