"""Whose a pack is, and who gets its letters: an account of the carrier's, or a reseller's client.

A client's pack is known by what its manifest says and by the folder that ``oncharge`` put it in:
a client may be called like an account, and each must get its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maxo_reports import clients, definitions
from maxo_reports.addresses import Address
from maxo_reports.clients import Beside
from maxo_reports.config import FILE, Account, Addressee, Workspace
from maxo_reports.errors import ConfigError, MailError, did_you_mean
from maxo_reports.pack import Pack


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose letters are written. ``account`` is the one whose brand and zone they have.

    ``client`` is the id of the reseller's client whose pack it is, empty for the account's own.
    """

    account: Account
    addressees: tuple[Addressee, ...]
    client: str = ""

    @property
    def id(self) -> str:
        """What the pack says whose it is."""
        return self.client or self.account.id

    @property
    def known(self) -> str:
        """What its letters are known by: no account can be called so."""
        return under(self.account) + self.client if self.client else self.account.id

    @property
    def table(self) -> str:
        """The table of its addressees."""
        return f"client.{self.client}.mail" if self.client else f"account.{self.account.id}.mail"

    @property
    def file(self) -> str:
        """The file that the table stands in."""
        return clients.FILE if self.client else FILE

    def owns(self, pack: Pack) -> bool:
        """Tell whether a pack is this owner's."""
        return pack.basis["account"] == self.id and is_clients(pack) == bool(self.client)

    def check_reports(self, workspace: Workspace) -> None:
        """Refuse names of reports that are none: whoever is to get one would get nothing."""
        everything = definitions.Shelf.of(workspace.folder).reports()
        there = [clients.REPORT] if self.client else everything
        problems = [
            f"[[{self.table}]] {each.address!r}: there is no report {name!r}"
            f"{did_you_mean(name, there)}"
            for each in self.addressees
            for name in each.reports
            if name not in there
        ]
        if problems:
            raise ConfigError(problems)

    def chosen(self, only: Sequence[Address]) -> tuple[Addressee, ...]:
        """Return who gets the reports; ``only`` those addresses, where there are any.

        An address that is not in the settings gets what a recipient gets by default.
        """
        listed = self.addressees
        if not only:
            return listed
        known = {each.mailbox.mailbox for each in listed}
        named = {each.mailbox for each in only}
        return (
            *(each for each in listed if each.mailbox.mailbox in named),
            *(Addressee(each.spec) for each in only if each.mailbox not in known),
        )


def under(account: Account) -> str:
    """Return what the letters of all clients of an account are known by, up to their ids."""
    return f"{account.id}/{clients.FOLDER}"


def is_clients(pack: Pack) -> bool:
    """Tell whether a pack is a client's."""
    return pack.basis.get("made_by") == clients.MADE_BY


def of_account(workspace: Workspace, account: Account) -> Owner:
    """Return an account as the owner of its own packs."""
    return Owner(account, workspace.addressees.get(account.id, ()))


def of_pack(workspace: Workspace, pack: Pack, terms: Path | None = None) -> Owner:
    """Return whose a pack is; a client's addresses stand in the file of ``terms``."""
    said = pack.basis["account"]
    if not is_clients(pack):
        return of_account(workspace, workspace.one(said))
    *_, account, client, _, _ = ("", "", "", *pack.folder.resolve().parts)
    if account not in workspace.accounts or client != f"{clients.FOLDER}{said}":
        raise MailError(
            f"pack {pack.folder} is a client's and not where 'oncharge' put it "
            f"(out/ACCOUNT/{clients.FOLDER}{said}/PERIOD/rN): of which account cannot be told"
        )
    known = clients.load(terms or workspace.folder / clients.FILE, Beside.of(workspace))
    ids = [each.id for each in known.terms]
    if said not in ids:
        raise ConfigError(
            f"there is no [client.{said}] in {clients.FILE}{did_you_mean(said, ids)}"
        )
    return Owner(workspace.accounts[account], known.addressees[said], said)
