"""Settings of mail: ``[mail]`` for the workspace, and who gets what under each account."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from maxo_reports import addresses
from maxo_reports.addresses import Address, NotAnAddress
from maxo_reports.config.problems import Limits, Problems, filled

SECURITIES = ("starttls", "tls")
LOGINS = ("password", "xoauth2", "none")
SENDS = ("approved", "automatic")
"""What ``month`` sends of an account: what a person has approved, or every clean first issue."""
PORTS = {"starttls": 587, "tls": 465}
DEFAULT_SECRET_ENV = "MAXO_MAIL_SECRET"  # noqa: S105 - its name, not the secret
_LIMITS = Limits(
    {"security": SECURITIES, "login": LOGINS},
    {"largest_mb": (1, 100), "port": (0, 65_535), "timeout": (5, 600), "tries": (1, 10)},
)


@dataclass(frozen=True, slots=True)
class Mail:
    """How letters look from outside and where they are handed over.

    ``domains`` are the only ones that anything is sent to. ``largest_mb`` is the most that a
    message may have, as it travels. A ``port`` of 0 is the usual one of the ``security``.
    """

    sender: str = ""
    sender_name: str = ""
    reply_to: str = ""
    domains: tuple[str, ...] = ()
    largest_mb: int = 10
    host: str = ""
    port: int = 0
    security: str = "starttls"
    user: str = ""
    login: str = "password"
    secret_env: str = DEFAULT_SECRET_ENV
    secret_file: str = ""
    ca_file: str = ""
    timeout: int = 60
    tries: int = 3

    @property
    def can_send(self) -> bool:
        """Whether there is a server to hand letters to."""
        return bool(self.host)

    @property
    def real_port(self) -> int:
        """The port that is used."""
        return self.port or PORTS[self.security]

    @property
    def server_name(self) -> str:
        """The server's name in the letters that certificates have, or its number."""
        return self.host if _is_number(self.host) else addresses.domain(self.host)

    def sender_address(self) -> Address | None:
        """Return the mailbox that letters come from, without a name; None where none is set."""
        return addresses.address(self.sender) if self.sender else None

    def reply_to_address(self) -> Address | None:
        """Return where answers go, if not to the sender."""
        return addresses.address(self.reply_to) if self.reply_to else None

    def allows(self, recipient: Address) -> bool:
        """Tell whether something may be sent to an address."""
        return recipient.domain in {addresses.domain(each) for each in self.domains}


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who gets which reports of an account, and which of their files.

    No ``reports`` are all of a pack. An entry of ``attach`` is a kind of the report's own files
    (``pdf``), or the name of any file of the pack (``changes.csv``, ``*.json``).
    """

    address: str = ""
    name: str = ""
    reports: tuple[str, ...] = ()
    attach: tuple[str, ...] = ("pdf",)

    @property
    def mailbox(self) -> Address:
        """The address and the name that it is shown with."""
        return addresses.address(self.address, self.name)

    def wants(self, report: str) -> bool:
        """Tell whether he gets a report."""
        return not self.reports or report in self.reports

    def chosen(self, files: Sequence[str], own: Collection[str]) -> list[str]:
        """Return those of a pack's files that he gets, in the order of ``attach``.

        ``own`` are those of his report.
        """
        wanted = [
            file
            for each in self.attach
            for file in files
            if (fnmatch(file, each) if _is_pattern(each) else file in own and _kind(file, each))
        ]
        return list(dict.fromkeys(wanted))

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of files that he is to have of every report."""
        return tuple(each.lower() for each in self.attach if not _is_pattern(each))


def _kind(file: str, kind: str) -> bool:
    return Path(file).suffix.lstrip(".").lower() == kind.lower()


def _is_pattern(entry: str) -> bool:
    return "." in entry or "*" in entry


def read_mail(given: Any, problems: Problems) -> Mail:
    """Read ``[mail]``; without it there are drafts only."""
    mail: Mail = filled(Mail(), problems.table("mail", given), "mail", problems, _LIMITS)
    for name in ("sender", "reply_to"):
        if text := getattr(mail, name):
            _address(f"[mail] {name}", text, problems)
    for each in mail.domains:
        try:
            addresses.domain(each)
        except NotAnAddress:
            problems.add(f"[mail] domains: {each!r} is not a domain such as acme.example")
    if mail.can_send:
        for name in ("sender", "domains", *(("user",) if mail.login != "none" else ())):
            if not getattr(mail, name):
                problems.add(f"[mail] {name} is missing: it is needed to send over {mail.host!r}")
        if not _is_number(mail.host):
            try:
                addresses.domain(mail.host)
            except NotAnAddress:
                problems.add(f"[mail] host {mail.host!r} is not the name of a server")
    return mail


def read_addressees(
    table: str, given: Any, mail: Mail, problems: Problems
) -> tuple[Addressee, ...]:
    """Read an account's ``[[account.X.mail]]`` tables."""
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        problems.add(f"{table!r} must be tables, each written [[{table}]]")
        return ()
    found = tuple(_addressee(table, each, mail, problems) for each in given)
    _told_once(table, found, problems)
    return found


def _addressee(table: str, given: Mapping[str, Any], mail: Mail, problems: Problems) -> Addressee:
    recipient: Addressee = filled(Addressee(), given, table, problems, Limits())
    if not recipient.address:
        problems.add(f"[[{table}]] address is missing")
        return recipient
    address = _address(f"[[{table}]] address", recipient.address, problems, recipient.name)
    if address is not None and _are_domains(mail) and mail.domains and not mail.allows(address):
        problems.add(
            f"[[{table}]] {recipient.address!r}: {address.domain} is not among the domains "
            "under [mail]"
        )
    if not recipient.attach:
        problems.add(f"[[{table}]] {recipient.address!r}: attach must name a kind of file")
    return recipient


def _told_once(table: str, found: Sequence[Addressee], problems: Problems) -> None:
    """Nobody is to get one report twice because he is written down twice."""
    seen: dict[str, Addressee] = {}
    for each in found:
        mailbox = each.address.strip().lower()
        other = seen.setdefault(mailbox, each)
        if other is not each and (
            not other.reports or not each.reports or set(other.reports) & set(each.reports)
        ):
            problems.add(f"[[{table}]] {each.address!r} is there twice for the same report")


def _are_domains(mail: Mail) -> bool:
    try:
        for each in mail.domains:
            addresses.domain(each)
    except NotAnAddress:
        return False  # told already
    return True


def _address(place: str, text: str, problems: Problems, name: str = "") -> Address | None:
    try:
        return addresses.address(text, name)
    except NotAnAddress as why:
        problems.add(f"{place} {text!r} {why}")
        return None


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True
