"""Reads ``oncharge.toml``, the terms of a reseller's clients, and gathers every mistake in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from maxo_reports import ratecards
from maxo_reports.config import Addressee, Workspace, brand
from maxo_reports.config.mail import Mail, read_addressees
from maxo_reports.config.problems import Problems
from maxo_reports.core.brand import NO_BRAND, EnvelopeWindow, Recipient
from maxo_reports.core.directory import UNALLOCATED
from maxo_reports.core.money import COST_PLACES, places_of
from maxo_reports.core.rates.tariff import RateCard
from maxo_reports.core.rates.terms import GST_PERCENT, PLACES, SURCHARGED, Fee, Terms
from maxo_reports.core.text import has_controls
from maxo_reports.errors import ConfigError, did_you_mean

FILE = "oncharge.toml"
MADE_BY, REPORT = "oncharge", "client-statement"
"""What a client's pack says that it was made by, and the one report that clients get."""
FOLDER = "client-"
"""How a client's folder begins, before its id, among those of an account."""
_CLIENT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
_USUAL = (
    *("markup_percent", "markup_percent_by_category", "markup_per_call", "markup_per_minute"),
    *("markup_on", "minimum", "included", "gst_percent", "places"),
)
"""Settings that [defaults] may give for every client."""
_OF_CLIENT = ("name", "account", "rate_card", "fee", "recipient", "mail", *_USUAL)
_OF_FEE = ("text", "each", "count")
_MARKUPS = ("markup_percent", "markup_percent_by_category", "markup_per_call", "markup_per_minute")
_LONGEST = 100
_CENTS, _PERCENT_PLACES = 2, 4
_MOST_DOLLARS, _MOST_PERCENT = Decimal(10**6), Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Clients:
    """The terms of all clients of a reseller, and the files that they were read from.

    ``cards`` are the clients' own rate cards by the names that the terms give them. By a client's
    id, ``recipients`` has where its statement goes by post, ``addressees`` who gets it by mail.
    """

    terms: tuple[Terms, ...]
    content: bytes = b""
    cards: Mapping[str, ratecards.Loaded] = field(default_factory=dict)
    recipients: Mapping[str, Recipient] = field(default_factory=dict)
    addressees: Mapping[str, tuple[Addressee, ...]] = field(default_factory=dict)

    def of(self, account: str, names: Collection[str]) -> tuple[Terms, ...]:
        """Return the clients of an account: its own, and those that the directory names.

        ``names`` are the directory's clients.
        """
        return tuple(
            each
            for each in self.terms
            if each.account == account or (not each.account and each.name in names)
        )

    def owner(self, account: str) -> Terms | None:
        """Return who pays for the calls of an account that the directory gives to nobody."""
        return next((each for each in self.terms if each.account == account), None)


@dataclass(frozen=True, slots=True)
class Beside:
    """What the terms are held against: settings of today.

    ``accounts`` are those of maxo.toml, ``listed`` the clients that the number directories name,
    None where that does not matter. Addresses are held to the domains of ``mail`` and fit into
    the ``window``.
    """

    accounts: Collection[str]
    listed: Collection[str] | None = None
    mail: Mail = field(default_factory=Mail)
    window: EnvelopeWindow = NO_BRAND.window

    @classmethod
    def of(cls, workspace: Workspace, listed: Collection[str] | None = None) -> Self:
        """Return what a workspace says; of several windows the lowest."""
        windows = (account.brand.window for account in workspace.accounts.values())
        lowest = min(windows, key=lambda window: window.sheet_height, default=NO_BRAND.window)
        return cls(tuple(workspace.accounts), listed, workspace.mail, lowest)


def load(path: Path, beside: Beside) -> Clients:
    """Read the terms, or raise ConfigError with every mistake in them."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"there is no {path}: write [client.NAME] tables with the terms of your clients"
        ) from None
    except OSError as problem:
        raise ConfigError(f"cannot read {path}: {problem.strerror}") from None
    return read(
        content,
        str(path),
        lambda name: ratecards.load(path.parent / Path(name).expanduser()),
        beside,
    )


def read(
    content: bytes,
    name: str,
    card_of: Callable[[str], ratecards.Loaded],
    beside: Beside,
) -> Clients:
    """Read the content of a file of terms; ``card_of`` gives the rate cards that it names."""
    try:
        # Decimal, so that 12.5 is what is written and not the nearest binary figure.
        tables = tomllib.loads(content.decode(), parse_float=Decimal)
    except (ValueError, RecursionError) as problem:
        raise ConfigError(f"{name} is not readable TOML: {problem}") from None
    reader = _Reader(name, card_of, beside)
    terms = reader.all(tables)
    reader.problems.raise_any()
    return Clients(terms, content, reader.cards, reader.recipients, reader.addressees)


class _Reader:
    def __init__(
        self, name: str, card_of: Callable[[str], ratecards.Loaded], beside: Beside
    ) -> None:
        self.problems = Problems(name)
        self.cards: dict[str, ratecards.Loaded] = {}
        self.recipients: dict[str, Recipient] = {}
        self.addressees: dict[str, tuple[Addressee, ...]] = {}
        self._card_of, self._beside = card_of, beside
        self._table = ""

    def all(self, content: Mapping[str, Any]) -> tuple[Terms, ...]:
        problems = self.problems
        problems.unknown("", content, ("defaults", "client"))
        usual = problems.table("defaults", content.get("defaults", {}))
        problems.unknown("defaults", usual, _USUAL)
        tables = problems.table("client", content.get("client", {}))
        if not tables:
            problems.add('there is no client: write a table such as [client.smith] with name = ""')
        terms = []
        for name, given in tables.items():
            self._table = f"client.{name}"
            own = problems.table(self._table, given)
            problems.unknown(self._table, own, _OF_CLIENT)
            if not _CLIENT_ID.fullmatch(name):
                self._problem("a client's id may hold a-z, 0-9, - and _ only, 63 at most")
            terms.append(self._terms(name, own, usual))
            self._check_account(terms[-1])
            self._to_whom(terms[-1], own)
        self._check_names(terms)
        return tuple(terms)

    def _problem(self, text: str) -> None:
        self.problems.add(f"[{self._table}] {text}")

    def _terms(self, name: str, own: Mapping[str, Any], usual: Mapping[str, Any]) -> Terms:
        said = {**usual, **own}
        card = self._card(own)
        if card is not None:
            said = {key: value for key, value in said.items() if key not in _MARKUPS}
        elif "rate_card" not in own and not any(key in said for key in _MARKUPS):
            self._problem(
                "says nothing of what calls cost: write a mark-up (markup_percent = 0 for at "
                "cost) or rate_card"
            )
        if "rate_card" in own and any(key in own for key in _MARKUPS):
            self._problem("has rate_card and a mark-up: calls cost what the one or the other says")
        return Terms(
            name,
            self._text(own, "name", name),
            self._text(own, "account", ""),
            self._percent(said, "markup_percent"),
            self._percents(said),
            self._dollars(said, "markup_per_call", COST_PLACES),
            self._dollars(said, "markup_per_minute", COST_PLACES),
            self._choice(said, "markup_on", SURCHARGED),
            card,
            self._fees(own.get("fee", [])),
            self._dollars(said, "minimum", _CENTS),
            self._dollars(said, "included", _CENTS),
            self._percent(said, "gst_percent", GST_PERCENT),
            self._places(said),
        )

    def _to_whom(self, terms: Terms, own: Mapping[str, Any]) -> None:
        beside, table = self._beside, self._table
        if "recipient" in own:
            self.recipients[terms.id] = brand.recipient(
                *(f"{table}.recipient", own["recipient"], terms.name),
                *(beside.window, self.problems),
            )
        self.addressees[terms.id] = read_addressees(
            f"{table}.mail", own.get("mail", []), beside.mail, self.problems
        )

    # ---- values -----------------------------------------------------------------------------

    def _text(self, given: Mapping[str, Any], key: str, default: str) -> str:
        value = given.get(key, default)
        if key == "name" and key not in given:
            self._problem("name is missing: the client's, as the number directory has it")
        if not isinstance(value, str) or has_controls(value) or len(value) > _LONGEST:
            self._problem(f"{key} must be text in quotes, {_LONGEST} letters at most")
            return default
        return value.strip()

    def _number(self, value: Any, key: str, places: int, most: Decimal, what: str) -> Decimal:
        """Read a figure, written as a number or as text."""
        try:
            read = Decimal(value) if type(value) in {int, str, Decimal} else None
        except ArithmeticError:
            read = None
        if read is None or not read.is_finite() or not 0 <= read < most:
            self._problem(f"{key} must be {what}, not {str(value)[:40]!r}")
        elif places_of(read) > places:
            self._problem(f"{key} must be {what} of {places} decimals at most, not {read}")
        else:
            return read
        return Decimal(0)

    def _dollars(self, given: Mapping[str, Any], key: str, places: int) -> Decimal:
        value = given.get(key, 0)
        return self._number(value, key, places, _MOST_DOLLARS, "dollars without GST such as 0.05")

    def _percent(
        self, given: Mapping[str, Any], key: str, default: Decimal = Decimal(0)
    ) -> Decimal:
        value = given.get(key, default)
        return self._number(value, key, _PERCENT_PLACES, _MOST_PERCENT, "a percentage such as 25")

    def _percents(self, given: Mapping[str, Any]) -> Mapping[str, Decimal]:
        table = given.get("markup_percent_by_category", {})
        if not isinstance(table, dict):
            self._problem('markup_percent_by_category must be a table: { "Mobile" = 15 }')
            return {}
        return {category: self._percent(table, category) for category in table}

    def _choice(self, given: Mapping[str, Any], key: str, known: Sequence[Any]) -> Any:
        value = given.get(key, known[0])
        if value not in known:
            words, meant = " or ".join(known), did_you_mean(str(value), known)
            self._problem(f"{key} must be {words}, not {value!r}{meant}")
            return known[0]
        return value

    def _places(self, given: Mapping[str, Any]) -> int:
        value = given.get("places", PLACES)
        if type(value) is not int or not _CENTS <= value <= PLACES:
            self._problem(f"places must be {_CENTS} to {PLACES}, not {value!r}")
            return PLACES
        return value

    def _fees(self, listed: Any) -> tuple[Fee, ...]:
        if not isinstance(listed, list):
            self._problem(f"fee must be a list of tables, written [[{self._table}.fee]]")
            return ()
        fees = []
        for number, given in enumerate(listed, 1):
            if not isinstance(given, dict):
                self._problem(f"fee {number} must be a table")
                continue
            self.problems.unknown(f"{self._table}.fee", given, _OF_FEE)
            text, count = given.get("text", ""), given.get("count", 1)
            if not isinstance(text, str) or not text.strip() or has_controls(text):
                self._problem(f"fee {number}: text must say what it is for")
                text = ""
            if type(count) is not int or not 1 <= count <= _MOST_DOLLARS:
                self._problem(f"fee {number}: count must be a whole number from 1, not {count!r}")
                count = 1
            if "each" not in given:
                self._problem(f"fee {number}: each is missing: dollars without GST")
            fees.append(Fee(text.strip()[:_LONGEST], self._dollars(given, "each", _CENTS), count))
        return tuple(fees)

    def _card(self, own: Mapping[str, Any]) -> RateCard | None:
        named = own.get("rate_card")
        if named is None:
            return None
        if not isinstance(named, str) or not named:
            self._problem(f"rate_card must be the name of a file, not {named!r}")
            return None
        try:
            loaded = self._card_of(named)
        except ConfigError as why:
            for problem in why.problems:
                self._problem(f"rate_card: {problem}")
            return None
        except (RuntimeError, ValueError) as why:
            self._problem(f"rate_card: {named!r} is no name of a file: {why}")
            return None
        self.cards[named], card = loaded, loaded.card
        for rate in card.rates:
            if rate.gst == "unknown":
                self._problem(f"rate_card: {named} {rate.place}: gst must say if it is included")
        return card

    # ---- what belongs together --------------------------------------------------------------

    def _check_account(self, terms: Terms) -> None:
        accounts, listed = self._beside.accounts, self._beside.listed
        if terms.account and terms.account not in accounts:
            meant = did_you_mean(terms.account, accounts)
            self._problem(f"account {terms.account!r} is not in maxo.toml{meant}")
        if terms.name.casefold() == UNALLOCATED.casefold():
            self._problem(f"name {terms.name!r} is kept for calls of nobody")
        elif listed is not None and not terms.account and terms.name not in listed:
            meant = did_you_mean(terms.name, listed)
            self._problem(
                f"name {terms.name!r} is no client of the number directory{meant}; correct it, "
                "or name the account whose calls are all this client's"
            )
        fixed = terms.fees or terms.minimum or terms.included
        if fixed and not terms.account and len(accounts) > 1:
            self._problem(
                "has fees, a minimum or included calls, which are charged once: say in account "
                "with which of the accounts"
            )

    def _check_names(self, terms: Sequence[Terms]) -> None:
        for what in ("name", "account"):
            first: dict[str, str] = {}
            for each in terms:
                value = getattr(each, what)
                if value and first.setdefault(value.casefold(), each.id) != each.id:
                    self._table = f"client.{each.id}"
                    other = first[value.casefold()]
                    self._problem(f"{what} {value!r} is that of [client.{other}], too")
