"""Letters: from a sealed pack to what each recipient gets of each report.

A letter is made of the pack's manifest, its files and the settings, and of nothing else: the same
pack gives the same bytes on every day. Each goes to one recipient, and holds files of that
recipient's account only, since they are taken from a pack of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from maxo_reports import definitions
from maxo_reports.addresses import Address
from maxo_reports.config import Account, Addressee, Workspace
from maxo_reports.core import money
from maxo_reports.core.checks import State
from maxo_reports.core.heading import COST_BASIS
from maxo_reports.core.period import BillingPeriod
from maxo_reports.errors import ConfigError, MailError, TieOutError, did_you_mean
from maxo_reports.manifest import PROGRAM
from maxo_reports.outbox import Key
from maxo_reports.pack import MANIFEST, Pack
from maxo_reports.render import Style, mail, mime
from maxo_reports.tieout import plain

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Issued:
    """One report of a pack: its name, its title, the files that are its own."""

    name: str
    title: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter: what it is known by, to whom, all its bytes but date and id, its files."""

    key: Key
    recipient: Address
    sender: Address | None
    body: bytes
    files: tuple[str, ...]
    zone: str

    @property
    def content(self) -> str:
        """The hash that tells it from a letter with another content."""
        return mime.fingerprint(self.body)

    @property
    def message_id(self) -> str:
        """An id that every try of this letter has, and no other letter."""
        key = self.key
        parts = (key.account, key.days, str(key.revision), key.report, key.recipient)
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        domain = self.sender.domain if self.sender else self.recipient.domain
        return f"<{digest[:40]}@{domain}>"

    def draft(self) -> bytes:
        """Return the file that a mail program opens ready to send."""
        return mime.draft(self.body)

    def dated(self, second: int) -> bytes:
        """Return what a server is handed, as of a second."""
        at = datetime.fromtimestamp(second, ZoneInfo(self.zone))
        return mime.dated(self.body, self.message_id, at)


def issued(pack: Pack) -> tuple[Issued, ...]:
    """Return the reports that a pack holds."""
    try:
        return tuple(
            Issued(str(each["name"]), str(each["title"]), tuple(map(str, each["files"])))
            for each in pack.manifest["reports"]
        )
    except (KeyError, TypeError):
        raise MailError(
            f"pack {pack.folder} does not say which file is of which report: it is of an earlier "
            "version, or of no report, and is not mailed; send its files yourself"
        ) from None


def key(pack: Pack, report: Issued, recipient: Address) -> Key:
    """Return what the letter with a report of a pack is known by."""
    account = pack.basis["account"]
    return Key(account, pack.days, pack.revision, report.name, recipient.mailbox)


class Desk:
    """Writes the letters of one account's pack; every file is read once."""

    def __init__(self, workspace: Workspace, account: Account, pack: Pack) -> None:
        if pack.basis["account"] != account.id:
            message = f"pack {pack.folder} is of account {pack.basis['account']!r}"
            raise MailError(f"{message}, not of {account.id!r}: nothing is made of it")
        self._workspace, self._account, self._pack = workspace, account, pack
        shelf = definitions.Shelf.of(workspace.folder)
        style = Style(definitions.load_theme(shelf), shelf.templates(), PROGRAM)
        self._writer = mail.Writer(style.branded(account.brand))
        self._read: dict[str, bytes] = {}

    def letter(self, report: Issued, recipient: Addressee, replaced: int) -> Letter:
        """Write one letter; ``replaced`` is the revision that the recipient may have, or 0.

        Raises MailError where a file that he is to have is not there, or all of it is too large.
        """
        to = recipient.mailbox
        enclosed = self._enclosed(report, recipient)
        sender = self._sender()
        written = self._writer.write(self._facts(report, replaced), sender, to, enclosed)
        files = [*enclosed, *([sender.logo] if sender.logo else [])]
        body = mime.body(written, files)
        most = self._workspace.mail.largest_mb
        if len(body) > most * _MEGABYTE:
            raise MailError(
                f"the message to {to.spec} would have {mail.size(len(body))}, more than the "
                f"{most} MB of largest_mb under [mail]: attach less to it "
                f"({', '.join(f'{f.name} {mail.size(len(f.content))}' for f in enclosed)})"
            )
        names = tuple(file.name for file in enclosed)
        known = key(self._pack, report, to)
        return Letter(known, to, sender.address, body, names, self._account.timezone)

    def _enclosed(self, report: Issued, recipient: Addressee) -> list[mime.Enclosed]:
        names = [path.name for path in self._pack.files]
        own = set(report.files)
        wanted = recipient.chosen(names, own)
        there = {Path(name).suffix.lstrip(".").lower() for name in own}
        lacking = [kind for kind in recipient.kinds() if kind not in there]
        if lacking or not wanted:
            raise MailError(
                f"{recipient.address} is to have {', '.join(lacking or recipient.attach)} of the "
                f"report {report.name!r}, which pack {self._pack.folder} does not hold (it has: "
                f"{', '.join(names)})"
            )
        return [mime.Enclosed(name, self._content(name)) for name in wanted]

    def _content(self, name: str) -> bytes:
        """Read a file of the pack, once more held to the hash that it was issued with."""
        if name not in self._read:
            content = (self._pack.folder / name).read_bytes()
            (said,) = (e for e in self._pack.manifest["files"] if e["name"] == name)
            if hashlib.sha256(content).hexdigest() != said["sha256"]:
                raise TieOutError(f"{self._pack.folder / name} was changed after it was issued")
            self._read[name] = content
        return self._read[name]

    def _sender(self) -> mail.Party:
        settings = self._workspace.mail
        address = settings.sender_address()
        brand = self._account.brand
        # Whoever sends his own reports is the account itself.
        named = brand.name or settings.sender_name or self._account.name
        if address is not None:
            address = Address(address.local, address.domain, settings.sender_name or named)
        logo = None
        if brand.logo is not None and brand.logo.media_type == "image/png":
            # The only kind of ours that mail programs show; without it there is the name.
            logo = mime.Enclosed("logo.png", brand.logo.content, mail.LOGO)
        return mail.Party(named, address, settings.reply_to_address(), logo)

    def _facts(self, report: Issued, replaced: int) -> mail.Facts:
        manifest, basis = self._pack.manifest, self._pack.basis
        filtered, totals = "", plain.control_totals(manifest)
        others = manifest.get("totals_of_files", {})
        for name in report.files:
            if name in others:
                filtered, totals = others[name]["filter"], plain.totals_of(others[name], name)
        found = manifest.get("findings", ())
        return mail.Facts(
            account_id=self._account.id,
            account_name=basis["name"],
            title=report.title,
            period=_period(basis["period"]),
            state=State(basis["state"], tuple(basis["reasons"])),
            revision=self._pack.revision,
            replaced=replaced,
            totals=totals,
            payable=money.round_half_up(totals.cost),
            cost_basis=COST_BASIS[basis["cost_gst"]],
            filtered=filtered,
            to_look_at=sum(each["severity"] != "info" for each in found),
            fingerprint=hashlib.sha256((self._pack.folder / MANIFEST).read_bytes()).hexdigest(),
        )


def _period(said: Mapping[str, str]) -> BillingPeriod:
    """Read the period that a manifest names."""
    start, end = (datetime.fromisoformat(said[edge]) for edge in ("start", "end"))
    return BillingPeriod(
        said["label"],
        start.date(),
        end.date(),
        said["timezone"],
        int(start.timestamp()),
        int(end.timestamp()),
    )


def check_reports(workspace: Workspace, account: Account) -> None:
    """Refuse names of reports that are none: whoever is to get one would silently get nothing."""
    there = definitions.Shelf.of(workspace.folder).reports()
    problems = [
        f"[[account.{account.id}.mail]] {each.address!r}: there is no report {name!r}"
        f"{did_you_mean(name, there)}"
        for each in workspace.addressees.get(account.id, ())
        for name in each.reports
        if name not in there
    ]
    if problems:
        raise ConfigError(problems)


def recipients_of(
    workspace: Workspace, account: Account, only: Sequence[Address]
) -> tuple[Addressee, ...]:
    """Return who gets an account's reports; ``only`` those addresses, where there are any.

    An address that is not in the settings gets what a recipient gets by default.
    """
    listed = workspace.addressees.get(account.id, ())
    if not only:
        return listed
    known = {each.mailbox.mailbox for each in listed}
    named = {each.mailbox for each in only}
    return (
        *(each for each in listed if each.mailbox.mailbox in named),
        *(Addressee(each.spec) for each in only if each.mailbox not in known),
    )
