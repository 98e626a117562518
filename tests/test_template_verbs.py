"""Templates of one's own: started from ours, and tried on the sample month."""

from __future__ import annotations

from pathlib import Path

import pytest
from workspaces import Ran, ran

from maxo_reports import definitions

SHIPPED = definitions.shipped() / "templates"
EXTENDS = '{% extends "shipped/statement.html" %}\n'


def check(folder: Path, text: str, *words: str, name: str = "mine") -> Ran:
    """Write a template of the user's and try it."""
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates" / f"{name}.html").write_text(text, encoding="utf-8")
    return ran(folder, "template", "check", name, *words)


def test_a_copy_is_ours_and_is_never_overwritten(tmp_path: Path) -> None:
    """By its name with or without ending; a wrong one is told with the nearest."""
    assert ran(tmp_path, "template", "copy", "statement").code == 0
    copied = tmp_path / "templates" / "statement.html"
    assert copied.read_bytes() == (SHIPPED / "statement.html").read_bytes()
    assert ran(tmp_path, "template", "copy", "print.css").code == 0
    copied.write_text("mine")
    again = ran(tmp_path, "template", "copy", "statement.html")
    assert (again.code, copied.read_text()) == (2, "mine")
    assert "is there already; it is left as it is" in again.err
    wrong = ran(tmp_path, "template", "copy", "statment")
    assert wrong.code == 2
    assert "did you mean 'statement'?" in wrong.err


def test_a_copy_passes_and_its_statement_can_be_looked_at(tmp_path: Path) -> None:
    """It is filled, printed and read back, settled and provisional; a PDF is left on request."""
    assert ran(tmp_path, "template", "copy", "statement").code == 0
    look = tmp_path / "look.pdf"
    tried = ran(tmp_path, "template", "check", "--pdf", str(look))
    assert tried.code == 0, tried.err
    assert "statement.html: nothing undefined, " in tried.out
    assert "client-statement.html" in tried.out
    assert look.read_bytes().startswith(b"%PDF")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["look.pdf", "templates"]


def test_every_undefined_name_is_told_with_file_and_line(tmp_path: Path) -> None:
    """All at once, with the nearest real name, also where the sample does not lead."""
    tried = check(
        tmp_path,
        EXTENDS
        + "{% block foot %}{{ super() }}{{ acount.name }}\n{{ period.naem }}{% endblock %}\n"
        + '{% block stamp %}{% if state.word == "never" %}{{ nowhere | phone }}{% endif %}\n'
        + "{% for line in recipient.adress %}{{ line }}{% endfor %}{{ brand.fax | phone }}"
        + "{% set own = title %}{{ own }}{% endblock %}",
    )
    assert tried.code == 2
    assert tried.out.splitlines() == [
        "mine.html, line 2: 'acount' is undefined (did you mean 'account'?)",
        "mine.html, line 3: 'naem' is undefined (did you mean 'name'?)",
        "mine.html, line 4: 'nowhere' is undefined",
        "mine.html, line 5: 'adress' is undefined (did you mean 'address'?)",
        "mine.html, line 5: 'fax' is undefined",
    ]


def test_a_part_that_a_template_takes_in_is_read_too(tmp_path: Path) -> None:
    """With its own name and line; a file that it does not take in is not."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "_part.html").write_text("\n{{ gone }}")
    (tmp_path / "templates" / "other.html").write_text("{{ elsewhere }}")
    text = EXTENDS + '{% block foot %}{{ super() }}{% include "_part.html" %}{% endblock %}'
    tried = check(tmp_path, text)
    assert tried.out.splitlines() == ["_part.html, line 2: 'gone' is undefined"]


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("{% block foot %}{{ 1 + 1 }}{% endblock %}", 2, "mine.html, line 2: templates do no"),
        ("{% block foot %}{{ totals.cost | sum }}{% endblock %}", 2, "No filter named 'sum'"),
        ("{% block foot %}{{ title | money }}{% endblock %}", 2, "line 2: money writes dollars"),
        ("{% block foot %}{% if %}{% endblock %}", 2, "line 2: Expected an expression"),
        ("{% block groups %}{% endblock %}", 5, "mine-settled.pdf does not tie out"),
        (
            '{% block foot %}{{ super() }}<img alt="x" src="http://127.0.0.1:9/x">{% endblock %}',
            2,
            "not a file of the template folders",
        ),
    ],
)
def test_what_a_template_may_not_do_is_told_in_one_line(
    tmp_path: Path, text: str, code: int, says: str
) -> None:
    """No sums, no filter but the four, no fetch, and no figure left out."""
    tried = check(tmp_path, EXTENDS + text)
    assert tried.code == code
    assert says in tried.err
    assert len(tried.err.strip().splitlines()) == 1


def test_a_template_of_the_same_name_extends_ours(tmp_path: Path) -> None:
    """``shipped/statement.html`` is ours also where the user has a ``statement.html``."""
    text = EXTENDS + "{% block foot %}{{ super() }}<p>ours and yours</p>{% endblock %}"
    tried = check(tmp_path, text, name="statement")
    assert tried.code == 0, tried.err
