"""Letters: from a sealed pack to what each recipient gets of each report.

A letter is made of the pack's manifest, its files and the settings, and of nothing else: the same
pack gives the same bytes on every day. Each goes to one recipient, and holds files of that
recipient's account only, since they are taken from a pack of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from maxo_reports import definitions
from maxo_reports.addresses import Address
from maxo_reports.config import FILE, Addressee, Workspace
from maxo_reports.core import money
from maxo_reports.core.checks import State
from maxo_reports.core.heading import COST_BASIS
from maxo_reports.core.period import BillingPeriod
from maxo_reports.errors import MailError, TieOutError
from maxo_reports.manifest import PROGRAM
from maxo_reports.outbox import Key
from maxo_reports.owners import Owner, is_clients
from maxo_reports.pack import MANIFEST, Pack
from maxo_reports.render import Style, mail, mime
from maxo_reports.tieout import plain

_MEGABYTE = 1_000_000
_CHARGED = "In the files calls are charged without GST; the total includes it."


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


def key(owner: Owner, pack: Pack, report: Issued, recipient: Address) -> Key:
    """Return what the letter with a report of a pack is known by."""
    return Key(owner.known, pack.days, pack.revision, report.name, recipient.mailbox)


class Desk:
    """Writes the letters of one owner's pack; every file is read once."""

    def __init__(self, workspace: Workspace, owner: Owner, pack: Pack) -> None:
        if not owner.owns(pack):
            kind = "client" if is_clients(pack) else "account"
            message = f"pack {pack.folder} is of {kind} {pack.basis['account']!r}"
            raise MailError(f"{message}, not of {owner.known!r}: nothing is made of it")
        self._workspace, self._owner, self._pack = workspace, owner, pack
        shelf = definitions.Shelf.of(workspace.folder)
        style = Style(definitions.load_theme(shelf), shelf.templates(), PROGRAM)
        self._writer = mail.Writer(style.branded(owner.account.brand))
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
        known = key(self._owner, self._pack, report, to)
        return Letter(known, to, sender.address, body, names, self._owner.account.timezone)

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
        brand = self._owner.account.brand
        named = brand.name or settings.sender_name
        if not named and self._owner.client:
            raise MailError(
                "a client reads who sends its statement: write name under [brand], or sender_name "
                f"under [mail], in {FILE}"
            )
        # Whoever sends his own reports is the account itself.
        named = named or self._owner.account.name
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
            account_id=self._owner.id,
            account_name=basis["name"],
            title=report.title,
            period=_period(basis["period"]),
            state=State(basis["state"], tuple(basis["reasons"])),
            revision=self._pack.revision,
            replaced=replaced,
            totals=totals,
            payable=self._due() if self._owner.client else money.round_half_up(totals.cost),
            cost_basis=_CHARGED if self._owner.client else COST_BASIS[basis["cost_gst"]],
            is_due=bool(self._owner.client),
            filtered=filtered,
            to_look_at=sum(each["severity"] != "info" for each in found),
            fingerprint=hashlib.sha256((self._pack.folder / MANIFEST).read_bytes()).hexdigest(),
        )

    def _due(self) -> Decimal:
        """Return what a client is to pay, GST included: the last of its charges."""
        _, dollars = self._pack.basis["charges"][-1]
        return Decimal(dollars)


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
