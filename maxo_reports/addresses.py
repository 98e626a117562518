"""Mail addresses: read strictly, so that nothing in one can end a header or reach another.

The grammar is the plain one that providers give out (RFC 5322's dot-atom, at RFC 5321's lengths).
A domain in another script becomes the letters that mail servers know (IDNA 2008). A mailbox name
in another script needs SMTPUTF8 on every server of the way and is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import idna

from maxo_reports.core.text import has_controls

LONGEST = 254
_LONGEST_LOCAL = 64
_LONGEST_NAME = 120
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*", re.ASCII)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+", re.ASCII)


class NotAnAddress(ValueError):
    """Says in a few words why a text is no address that mail can be sent to."""


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """One mailbox: its local part as written, its domain as servers know it, a name to show."""

    local: str
    domain: str
    name: str = ""

    @property
    def spec(self) -> str:
        """The address itself, ``jane@acme.example``."""
        return f"{self.local}@{self.domain}"

    @property
    def mailbox(self) -> str:
        """What two addresses of one mailbox have in common: no provider minds capitals."""
        return self.spec.lower()


def address(text: str, name: str = "") -> Address:
    """Read ``jane@acme.example``; raises NotAnAddress with the reason."""
    local, at, written = text.strip().rpartition("@")
    if not at or not local:
        raise NotAnAddress("is not an address such as jane@acme.example")
    if not local.isascii():
        raise NotAnAddress(
            "has letters before the @ that most mail servers refuse: use plain ones"
        )
    if not _LOCAL.fullmatch(local) or len(local) > _LONGEST_LOCAL:
        raise NotAnAddress("is not an address such as jane@acme.example")
    found = Address(local, domain(written), shown_name(name))
    if len(found.spec) > LONGEST:
        raise NotAnAddress(f"is longer than the {LONGEST} characters that an address can have")
    return found


def domain(text: str) -> str:
    """Return a domain in the lower-case letters that mail servers know; refuse what is none."""
    try:
        known = idna.encode(text.strip(), uts46=True).decode("ascii").lower()
    except UnicodeError:  # idna's own error is one
        raise NotAnAddress("has no domain such as acme.example") from None
    if not _DOMAIN.fullmatch(known):
        raise NotAnAddress("has no domain such as acme.example")
    return known


def shown_name(text: str) -> str:
    """Return a name that can stand before an address, or refuse it."""
    if has_controls(text) or len(text) > _LONGEST_NAME:
        raise NotAnAddress(
            f"has a name with control characters, or of more than {_LONGEST_NAME} letters"
        )
    return " ".join(text.split())
