"""Addresses: only what every mail server takes, and nothing that could end a header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxo_reports.addresses import NotAnAddress, address, domain


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("jane@acme.example", "jane@acme.example"),
        (" Jane.O'Neil+bills@ACME.Example ", "Jane.O'Neil+bills@acme.example"),
        ("books@m\u00fcller.example", "books@xn--mller-kva.example"),
        ("books@M\u00dcLLER.example", "books@xn--mller-kva.example"),
        # IDNA 2003, which Python's own codec knows, would send this to "strasse.example".
        ("a@stra\u00dfe.example", "a@xn--strae-oqa.example"),
        ("a@\u4f8b\u3048.\u30c6\u30b9\u30c8", "a@xn--r8jz45g.xn--zckzah"),
        ("a@xn--mller-kva.example", "a@xn--mller-kva.example"),
    ],
)
def test_what_can_be_written_to(text: str, spec: str) -> None:
    """The local part as it is written, the domain as servers know it."""
    assert address(text).spec == spec
    assert address(text).mailbox == spec.lower()
    assert address(text, "  Jane   Citizen ").name == "Jane Citizen"


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "jane", "jane@", "@acme.example", "jane@acme", "jane@@acme.example"),
        *("jane doe@acme.example", "a@b@acme.example", ".a@acme.example", "a..b@acme.example"),
        *("a@acme..example", "a@-acme.example", "a@acme.example.", "a@acme_x.example"),
        *('"a b"@acme.example', "Jane <jane@acme.example>", "a,b@acme.example", "a@[127.0.0.1]"),
        *(
            "a\r\nBcc: x@evil.example",
            "a@acme.example\r\nBcc: x@evil.example",
            "a@acme\x00.example",
        ),
        *("j\u00e4ne@acme.example", "a@acme.example, b@acme.example", "a" * 65 + "@acme.example"),
        "a@" + "b" * 64 + ".example",
        "a@" + ".".join(["b" * 60] * 5),
    ],
)
def test_what_is_refused(text: str) -> None:
    """One line says why."""
    with pytest.raises(NotAnAddress) as why:
        address(text)
    assert "\n" not in str(why.value)


@pytest.mark.parametrize("name", ["a\r\nBcc: x", "a\x00", "x" * 121])
def test_names_that_cannot_stand_in_a_header(name: str) -> None:
    """Control characters, and what has no end."""
    with pytest.raises(NotAnAddress):
        address("jane@acme.example", name)


@given(st.text(max_size=80))
def test_whatever_is_taken_is_plain(text: str) -> None:
    """Every accepted address is one token of plain letters, and is read again as itself."""
    try:
        found = address(text)
    except NotAnAddress:
        return
    assert found.spec.isascii()
    assert not set(found.spec) & set(' \t\r\n"(),:;<>[]\\')
    assert found.spec.count("@") == 1
    assert address(found.spec) == found
    assert domain(found.domain) == found.domain
