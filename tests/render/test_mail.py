"""The message in words: the same figures in text and HTML, and nothing that must not be there."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from maxo_reports.addresses import address
from maxo_reports.core.checks import State
from maxo_reports.core.ledger import Totals
from maxo_reports.core.period import parse_period
from maxo_reports.errors import ConfigError, MailError
from maxo_reports.render.mail import Facts, Party, Writer, size
from maxo_reports.render.mime import Enclosed, Written
from reports import STYLE

FACTS = Facts(
    account_id="acme",
    account_name="Acme <b>& Sons</b> M\u00fcller",
    title="Call statement",
    period=parse_period("2026-10", "Australia/Brisbane", date(2026, 11, 3)),
    state=State("settled"),
    revision=1,
    replaced=0,
    totals=Totals(1_234, 1_000, 700, 98_765, Decimal("1295.9048")),
    payable=Decimal("1295.90"),
    cost_basis="Costs as reported by the carrier.",
    filtered="",
    to_look_at=0,
    fingerprint="ab" * 32,
)
SENDER = Party("Example Telecom", address("reports@example.com"), address("books@example.com"))
JANE = address("jane@acme.example", "Jane Citizen")
FILES = [Enclosed("acme-statement.pdf", b"x" * 56_000), Enclosed("acme.xlsx", b"x" * 1_234_567)]


def written(facts: Facts = FACTS, **other: object) -> Written:
    """Write a letter."""
    fields = {"sender": SENDER, "recipient": JANE, "attached": FILES, **other}
    style = fields.pop("style", STYLE)
    return Writer(style).write(facts, **fields)  # type: ignore[arg-type]


class Seen(HTMLParser):
    """The words that a reader of the HTML sees, every tag, and what each would fetch."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self._hidden = 0
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._hidden += tag in {"style", "title"}

    def handle_endtag(self, tag: str) -> None:
        """Leave one."""
        self._hidden -= tag in {"style", "title"}

    def handle_data(self, data: str) -> None:
        """Note what is seen."""
        if not self._hidden and data.strip():
            self.words.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        """All of the words."""
        return " ".join(self.words)


def test_both_parts_say_the_same_figures() -> None:
    """Costs, calls, talk time, period, files."""
    letter = written()
    assert letter.subject == "Call statement, Acme <b>& Sons</b> M\u00fcller, October 2026"
    seen = Seen(letter.markup).text
    for figure in (
        *(
            "$1,295.90",
            "Exactly $1,295.9048 before it is rounded",
            "1,234",
            "700",
            "27:26:05",
            "1 Oct 2026 to 31 Oct 2026",
        ),
        *("Acme <b>& Sons</b> M\u00fcller", "acme-statement.pdf", "56 kB", "1.2 MB"),
        *("Example Telecom", "books@example.com", "Not a tax invoice", "Costs as reported"),
    ):
        assert figure in seen, figure
        assert figure in letter.text, figure
    assert "Jane Citizen" in letter.text
    assert "None" not in seen + letter.text
    assert max(map(len, letter.text.splitlines())) <= 100


def test_what_a_reader_must_know_stands_in_both() -> None:
    """Provisional and why, what is replaced, which calls, what to look at."""
    facts = replace(
        FACTS,
        state=State("provisional", ("the period was not over", "by <hand>")),
        revision=3,
        replaced=2,
        filtered="Charged calls: 700 of 1,234 calls.",
        to_look_at=4,
    )
    letter = written(facts)
    assert letter.subject.startswith("Provisional: ")
    assert letter.subject.endswith("(revision 3)")
    for text in (Seen(letter.markup).text, letter.text):
        for said in (
            *(
                "can still change",
                "the period was not over",
                "by <hand>",
                "Exceptions in the files: 4",
            ),
            *("replaces revision 2", "Charged calls: 700 of 1,234 calls."),
        ):
            assert said in text


def test_an_empty_month_says_so() -> None:
    """And shows no row of zeros."""
    letter = written(replace(FACTS, totals=Totals(0, 0, 0, 0, Decimal(0)), payable=Decimal(0)))
    for text in (Seen(letter.markup).text, letter.text):
        assert "There were no calls in this period." in text
        assert "$0.00" not in text


def test_the_html_is_what_mail_programs_can_set() -> None:
    """Tables of 600 pixels, styles in each element, nothing to fetch, nothing that runs."""
    letter = written()
    seen = Seen(letter.markup)
    allowed = {
        *("html", "head", "meta", "title", "style", "body", "table", "tr", "td", "h1", "b", "br"),
        "span",
    }
    assert set(seen.tags) <= allowed
    widths = [int(value) for name, value in seen.attributes if name == "width" and value.isdigit()]
    assert max(widths) == 600
    assert not {name for name, _ in seen.attributes} & {"src", "href", "background", "onload"}
    for forbidden in (
        "url(",
        "@import",
        "javascript:",
        "http:",
        "https:",
        "flex",
        "float",
        "grid",
    ):
        assert forbidden not in letter.markup
    assert len(letter.markup.encode()) < 20_000  # Gmail cuts what is longer than 102 KB
    assert letter.markup.count("<table") == letter.markup.count('role="presentation"')


def luminance(colour: str) -> float:
    """Return WCAG's relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return WCAG's contrast of two colours."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_words_can_be_read_light_and_dark() -> None:
    """At least 4.5 to 1 for every pair of text and ground, in both schemes."""
    markup = written(replace(FACTS, state=State("provisional", ("x",)))).markup
    theme = STYLE.theme
    pairs = [
        (theme.ink, theme.paper),
        (theme.muted, theme.paper),
        (theme.ink, theme.tint),
        (theme.muted, theme.tint),
        (theme.on_brand, theme.brand),
    ]
    (warn,) = re.findall(r'class="warn" style="[^"]*"', markup)
    pairs.append(
        (re.findall(r" color:(#\w+)", warn)[0], re.findall(r"background-color:(#\w+)", warn)[0])
    )
    dark = dict(re.findall(r"\.(\w+) \{ (?:background-)?color: (#\w+)", markup))
    pairs += [
        (dark[text], dark[ground]) for text in ("ink", "muted") for ground in ("card", "box")
    ]
    warn_dark = re.findall(r"\.warn \{ background-color: (#\w+).*? color: (#\w+)", markup)
    pairs.append((warn_dark[0][1], warn_dark[0][0]))
    assert len(pairs) == 11
    for text, ground in pairs:
        assert contrast(text, ground) >= 4.5, (text, ground)


@pytest.mark.parametrize("place", ["account_name", "title", "filtered", "cost_basis"])
@pytest.mark.parametrize("number", ["0255500140", "+61 491 570 006", "1300 975 707"])
def test_no_telephone_number_gets_into_a_letter(place: str, number: str) -> None:
    """Wherever it stands; the message does not repeat it."""
    facts = replace(FACTS, **{place: f"Acme {number}"})
    with pytest.raises(MailError, match="would show a telephone number") as why:
        written(facts)
    assert number not in str(why.value)
    assert number not in html.unescape(str(why.value))


def test_a_name_with_unseen_characters_shows_them() -> None:
    """Nothing turns the line round or ends it."""
    letter = written(replace(FACTS, account_name="Acme\u202e\r\nBcc: x\x00"))
    assert "\u202e" not in letter.subject + letter.text + letter.markup
    assert "\u2039U+202E\u203a" in letter.subject
    assert "\n" not in letter.subject


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ totals.cost + 1 }}", "no arithmetic"),
        ("{{ account.phone }}", "has no attribute 'phone'"),
        ("{{ account.name | phone }}", "No filter named 'phone'"),
        ("{{ account.__class__ }}", "unsafe"),
        ("{% include '/etc/passwd' %}", "is in none of"),
    ],
)
def test_templates_obey_the_sandbox(tmp_path: Path, template: str, says: str) -> None:
    """A template of one's own cannot compute, read or show numbers; file and line are told."""
    (tmp_path / "email.txt").write_text(f"Hello\n{template}\n")
    style = replace(STYLE, folders=(tmp_path, *STYLE.folders))
    with pytest.raises(ConfigError, match=r"template email\.txt, line 2") as why:
        written(style=style)
    assert says in str(why.value)


def test_the_same_facts_are_the_same_letter() -> None:
    """To the letter."""
    assert written() == written()


def test_sizes_as_mail_programs_write_them() -> None:
    """Thousands, as disks and mail programs count."""
    assert [size(n) for n in (0, 999, 56_000, 999_999, 1_200_000)] == [
        *("1 kB", "1 kB", "56 kB", "1,000 kB", "1.2 MB")
    ]


def test_a_logo_stands_at_the_top_with_its_name_for_who_sees_no_pictures() -> None:
    """Shown from the message itself: nothing is fetched."""
    logo = Enclosed("logo.png", b"\x89PNG", "logo")
    seen = Seen(written(sender=replace(SENDER, logo=logo)).markup)
    assert ("src", "cid:logo") in seen.attributes
    assert ("alt", "Example Telecom") in seen.attributes
    assert [value for name, value in seen.attributes if name in {"src", "href"}] == ["cid:logo"]
