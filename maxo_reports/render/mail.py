"""The message that a report goes out with: a pack's facts in, a letter out; no figure of its own.

``templates/email.subject``, ``email.txt`` and ``email.html`` are filled in the same sandbox as the
statement's. A message crosses strangers' machines and stands in previews, so it says totals and
never a telephone number: a letter in which one can be read is refused.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import PurePath

from maxo_reports.addresses import Address
from maxo_reports.core import money
from maxo_reports.core.checks import State
from maxo_reports.core.ledger import Totals
from maxo_reports.core.numbering import numbers_in
from maxo_reports.core.period import BillingPeriod
from maxo_reports.core.text import visible
from maxo_reports.errors import MailError
from maxo_reports.render import Style, templates
from maxo_reports.render.mime import Enclosed, Written

SUBJECT, TEXT, MARKUP = "email.subject", "email.txt", "email.html"
LANGUAGE = "en-AU"
LOGO = "logo"
"""The content id under which the HTML finds the sender's picture."""
_LONGEST, _LONGEST_SUBJECT = 300, 180
_KINDS = {
    ".pdf": "to read and print",
    ".xlsx": "Excel workbook",
    ".csv": "table as text",
    ".json": "for programs",
    ".txt": "text",
}
_KILO, _MEGA = 1_000, 1_000_000
Filler = Callable[[str, Mapping[str, object]], str]
"""What fills a template with a view."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a letter says of one report of a sealed pack.

    ``totals`` are those that the report's files say, ``payable`` their cost to the cent, or, where
    ``is_due``, what a reseller's client is to pay, GST and fees included;
    ``filtered`` tells in words which calls they are about, if not all. ``replaced`` is the earlier
    revision that the recipient may have, or 0. ``to_look_at`` is the number of findings that need
    a person. ``fingerprint`` is the hash of the pack's manifest.
    """

    account_id: str
    account_name: str
    title: str
    period: BillingPeriod
    state: State
    revision: int
    replaced: int
    totals: Totals
    payable: Decimal
    cost_basis: str
    filtered: str
    to_look_at: int
    fingerprint: str
    is_due: bool = False


@dataclass(frozen=True, slots=True)
class Party:
    """Who sends: the name that stands at the top, the mailbox, where answers go, a picture."""

    name: str
    address: Address | None = None
    reply_to: Address | None = None
    logo: Enclosed | None = None


class Writer:
    """Writes letters in one style; what it compiles, it keeps for the next recipient."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._fillers: dict[tuple[int, bool], Filler] = {}

    def write(
        self, facts: Facts, sender: Party, recipient: Address, attached: Sequence[Enclosed]
    ) -> Written:
        """Fill the templates for one recipient; raises MailError where a number could be read."""
        view = _view(facts, sender, recipient, attached, self._style)
        places = money.printed_places([facts.totals.cost])

        def filled(template: str, *, escaping: bool = False) -> str:
            return self._filler(places, escaping=escaping)(template, view)

        subject = " ".join(filled(SUBJECT).split())
        letter = Written(
            sender.address,
            recipient,
            visible(subject, _LONGEST_SUBJECT),
            filled(TEXT),
            filled(MARKUP, escaping=True),
            sender.reply_to,
            (("X-Maxo-Reports-Manifest", f"sha256={facts.fingerprint}"),),
        )
        _hold_to_words(letter)
        return letter

    def _filler(self, places: int, *, escaping: bool) -> Filler:
        known = (places, escaping)
        if known not in self._fillers:
            self._fillers[known] = templates.filler(
                self._style.folders, places, escaping=escaping, withheld=("phone",)
            )
        return self._fillers[known]


def _hold_to_words(letter: Written) -> None:
    """Refuse a letter in which a telephone number can be read."""
    for template, text in (
        (SUBJECT, letter.subject),
        (TEXT, letter.text),
        (MARKUP, html.unescape(letter.markup)),
    ):
        if numbers_in(text):
            raise MailError(
                f"the message to {letter.recipient.spec} would show a telephone number, which "
                f"belongs in the files only: take it out of the account's name or of {template}"
            )


def _view(
    facts: Facts, sender: Party, recipient: Address, attached: Sequence[Enclosed], style: Style
) -> dict[str, object]:
    """Return plain values, since templates reach whatever their values have."""
    return {
        "language": LANGUAGE,
        "program": style.program,
        "theme": asdict(style.theme),
        "sender": {
            "name": _shown(sender.name),
            "reply_to": sender.reply_to.spec if sender.reply_to else "",
            "logo": f"cid:{LOGO}" if sender.logo else "",
        },
        "recipient": {"name": _shown(recipient.name)},
        "title": _shown(facts.title),
        "account": {"id": facts.account_id, "name": _shown(facts.account_name)},
        "period": {
            "name": facts.period.name,
            "first": facts.period.first,
            "last": facts.period.last,
            "zone": _shown(facts.period.zone),
        },
        "state": {
            "word": facts.state.word,
            "reasons": [_shown(reason) for reason in facts.state.reasons],
        },
        "revision": facts.revision,
        "replaces": facts.replaced,
        "payable": facts.payable,
        "is_due": facts.is_due,
        "is_rounded": not facts.is_due and facts.payable != facts.totals.cost,
        # A month without a call may have fees.
        "is_empty": not facts.totals.calls and not (facts.is_due and facts.payable),
        "totals": {
            "calls": f"{facts.totals.calls:,}",
            "connected": f"{facts.totals.connected:,}",
            "charged": f"{facts.totals.charged:,}",
            "seconds": facts.totals.seconds,
            "cost": facts.totals.cost,
        },
        "cost_basis": facts.cost_basis,
        "filtered": _shown(facts.filtered),
        "to_look_at": facts.to_look_at,
        "files": [
            {"name": _shown(file.name), "kind": _kind(file.name), "size": size(len(file.content))}
            for file in attached
        ],
    }


def _kind(name: str) -> str:
    return _KINDS.get(PurePath(name).suffix.lower(), "file")


def size(count: int) -> str:
    """Write a number of bytes as mail programs do: ``56 kB``, ``1.2 MB``."""
    if count < _MEGA:
        return f"{max(1, round(count / _KILO)):,} kB"
    return f"{count / _MEGA:,.1f} MB"


def _shown(text: str) -> str:
    return visible(text, _LONGEST)
