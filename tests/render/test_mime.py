"""A message's bytes, read by the standard library: nothing gets lost, nothing gets out."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports.addresses import Address, address
from maxo_reports.render.mime import Enclosed, Written, body, dated, draft, fingerprint

SENDER = address("reports@example.com", "Example Telecom")
JANE = address("jane@acme.example", "Jane Citizen")
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120).map(
    lambda text: " ".join(text.split())
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="/\\"),
    min_size=1,
    max_size=90,
).filter(lambda name: name == name.strip())


def read(content: bytes) -> EmailMessage:
    """Parse as a mail program would, and find nothing wrong."""
    found = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    assert not any(part.defects for part in found.walk())
    return found


def letter(**other: object) -> Written:
    """Write a plain letter, but for what is said."""
    fields = {
        "sender": SENDER,
        "recipient": JANE,
        "subject": "Call statement",
        "text": "Hello\n",
        "markup": "<p>Hello</p>\n",
        **other,
    }
    return Written(**fields)  # type: ignore[arg-type]


def mailbox(content: bytes, header: str) -> tuple[str, str]:
    """Read a name and an address. The newer parser puts spaces between encoded words."""
    raw = email.message_from_bytes(content)[header]
    name, spec = parseaddr(raw)
    return str(make_header(decode_header(name))), spec


def well_formed(content: bytes) -> None:
    """Plain letters, CRLF and nothing else at the end of lines, none too long."""
    assert content.isascii()
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 78
    assert b"\0" not in content


@settings(max_examples=60, deadline=None)
@given(subject=LINE, name=LINE, sender=LINE, text=TEXT, markup=TEXT)
def test_words_in_any_script_come_back(
    subject: str, name: str, sender: str, text: str, markup: str
) -> None:
    """Subject, names and both bodies are what was written; lines stay short whatever they hold."""
    written = letter(
        sender=Address("reports", "example.com", sender),
        recipient=Address("jane", "acme.example", name),
        subject=subject,
        text=text,
        markup=markup,
    )
    content = body(written, [])
    well_formed(content)
    found = read(content)
    assert found["Subject"] == subject
    assert mailbox(content, "To") == (name, "jane@acme.example")
    assert mailbox(content, "From") == (sender, "reports@example.com")
    for kind, said in (("plain", text), ("html", markup)):
        part = found.get_body((kind,))
        assert part is not None
        assert part.get_content().splitlines() == (said.splitlines() or [""])
    assert sorted(found.keys()) == sorted(
        ["From", "To", "Subject", "MIME-Version", "Content-Type"]
    )


@settings(max_examples=40, deadline=None)
@given(files=st.lists(st.tuples(NAMES, st.binary(max_size=400)), max_size=4))
def test_files_come_back_byte_for_byte(files: list[tuple[str, bytes]]) -> None:
    """Under their own names, in whatever script."""
    enclosed = [Enclosed(name, content) for name, content in files]
    content = body(letter(), enclosed)
    well_formed(content)
    found = read(content)
    attached = list(found.iter_attachments()) if files else []
    assert [part.get_payload(decode=True) for part in attached] == [each for _, each in files]
    assert [part.get_filename() for part in attached] == [name for name, _ in files]


@pytest.mark.parametrize(
    "evil",
    ["x\r\nBcc: victim@evil.example", "x\nBcc: victim@evil.example", "x\rBcc: a@evil.example"],
)
def test_no_text_begins_a_header(evil: str) -> None:
    """A line's end in a subject or name is a space; one in a file's name is coded."""
    written = letter(
        subject=evil,
        sender=Address("reports", "example.com", evil),
        recipient=Address("jane", "acme.example", evil),
    )
    found = read(body(written, [Enclosed(f"{evil}.csv", b"1")]))
    assert found["Bcc"] is None
    assert "Bcc" not in {name for part in found.walk() for name in part}
    assert found["Subject"] == " ".join(evil.split())


def test_a_picture_stands_in_its_place() -> None:
    """It is related to the HTML, and is no attachment."""
    picture = Enclosed("logo.png", b"\x89PNG", "logo")
    found = read(body(letter(markup='<img src="cid:logo">'), [picture, Enclosed("a.csv", b"1")]))
    kinds = [part.get_content_type() for part in found.walk()]
    assert kinds == [
        *("multipart/mixed", "multipart/alternative", "text/plain"),
        *("multipart/related", "text/html", "image/png", "text/csv"),
    ]
    (shown,) = [part for part in found.walk() if part["Content-ID"]]
    assert shown["Content-ID"] == "<logo>"
    assert [part.get_filename() for part in found.iter_attachments()] == ["a.csv"]


def test_a_draft_and_a_sent_letter_are_the_same_but_for_their_heads() -> None:
    """The draft opens ready to send; what is sent has a date, an id, and says that it is ours."""
    content = body(letter(reply_to=address("books@example.com")), [Enclosed("a.pdf", b"%PDF")])
    assert content == body(
        letter(reply_to=address("books@example.com")), [Enclosed("a.pdf", b"%PDF")]
    )
    opened = read(draft(content))
    assert opened["X-Unsent"] == "1"
    assert opened["Date"] is None
    assert opened["Message-ID"] is None
    at = datetime(2026, 11, 3, 6, 30, tzinfo=UTC)
    sent = read(dated(content, "<abc@example.com>", at))
    assert sent["X-Unsent"] is None
    assert sent["Date"].datetime == at
    assert sent["Message-ID"] == "<abc@example.com>"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["Reply-To"] == "books@example.com"
    assert draft(content).endswith(content)
    assert dated(content, "<abc@example.com>", at).endswith(content)


def test_the_hash_tells_any_two_letters_apart() -> None:
    """Another word, name or byte of a file is another letter."""
    letters = [
        body(letter(), []),
        body(letter(subject="Call statement."), []),
        body(letter(text="Hello.\n"), []),
        body(letter(recipient=address("jane@acme.example", "Jane")), []),
        body(letter(), [Enclosed("a.csv", b"1")]),
        body(letter(), [Enclosed("a.csv", b"2")]),
        body(letter(), [Enclosed("b.csv", b"2")]),
    ]
    assert len({fingerprint(each) for each in letters}) == len(letters)


def test_no_part_can_end_another() -> None:
    """A body that quotes a boundary is coded, so that the boundary stands where we put it."""
    plain = body(letter(), [])
    boundaries = re.findall(rb'boundary="([^"]+)"', plain)
    text = "\n".join(f"--{each.decode()}--" for each in boundaries)
    found = read(body(letter(text=text, markup=text), [Enclosed("a.txt", text.encode())]))
    assert len(list(found.walk())) == 5
