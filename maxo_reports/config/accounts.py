"""A workspace: its accounts, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from maxo_reports.config.mail import Addressee, Mail
from maxo_reports.core.behaviour import Behaviour
from maxo_reports.core.brand import NO_BRAND, Brand, Recipient
from maxo_reports.core.money import GstBasis
from maxo_reports.errors import ConfigError, UsageError, did_you_mean

FILE = "maxo.toml"
DEFAULT_KEY_ENV = "MAXO_API_KEY"
DEFAULT_BASE_URL = "https://myapi.maxo.com.au/"


def file_named(folder: Path, written: str) -> Path:
    """Return a file that settings name, beside them or from somebody's home (``~``)."""
    try:
        return folder / Path(written).expanduser()
    except RuntimeError:
        raise ConfigError(f"{written!r} begins with a home that is not on this machine") from None


@dataclass(frozen=True, slots=True)
class Account:
    """One account of the carrier: whose it is, where its API is, and what its costs mean."""

    id: str
    name: str
    timezone: str
    base_url: str = DEFAULT_BASE_URL
    cost_gst: GstBasis = "unknown"
    billing_day: int = 1
    api_key_file: str = ""
    api_key_env: str = DEFAULT_KEY_ENV
    calls_per_month: int = 0
    """About how many calls a month has; sizes the first requests of a new account. 0: unknown."""
    directory: str = ""
    """The account's own number directory; empty for the workspace's."""
    send: str = "approved"
    """What ``month`` sends: what a person has approved, or every clean first issue (automatic)."""
    brand: Brand = NO_BRAND
    """Who sends the account's statements; without a name, nobody is named."""
    recipient: Recipient | None = None

    @property
    def host(self) -> str:
        """The host that the key goes to, without its port."""
        return urlsplit(self.base_url).hostname or ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for every account of a workspace."""

    out: str = "out"
    archive: str = "archive"
    outbox: str = "outbox"
    requests_in_flight: int = 2
    tries: int = 6
    connect_timeout: int = 10
    read_timeout: int = 60
    request_deadline: int = 180
    settle_hours: int = 48
    crosscheck: str = "light"
    """How far the carrier is asked again in other ways: none, light (charged calls), full."""
    trust_environment: bool = False
    """Use the machine's proxy settings and .netrc; off, so that the key goes where you say."""
    directory: str = ""
    """The number directory of accounts that have none of their own: a .csv or .xlsx file."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder with ``maxo.toml``, the archive and the packs."""

    folder: Path
    settings: Settings
    accounts: Mapping[str, Account]
    behaviour: Mapping[str, Behaviour] = field(default_factory=dict)
    """The thresholds of accounts by their ids; under the empty name those of all others."""
    mail: Mail = field(default_factory=Mail)
    addressees: Mapping[str, tuple[Addressee, ...]] = field(default_factory=dict)
    """Account -> who gets its reports."""

    @property
    def out(self) -> Path:
        """Where packs go."""
        return self.folder / self.settings.out

    @property
    def outbox(self) -> Path:
        """Where drafts, the send ledger and the locks of mailing are."""
        return self.folder / self.settings.outbox

    def archive_of(self, account: Account) -> Path:
        """Return the folder that holds an account's replies."""
        return self.folder / self.settings.archive / account.id

    def directory_of(self, account: Account) -> Path | None:
        """Return the file of an account's number directory, or None where there is none."""
        named = account.directory or self.settings.directory
        return file_named(self.folder, named) if named else None

    def behaviour_of(self, account: Account) -> Behaviour:
        """Return the thresholds of the checks on an account's behaviour."""
        return self.behaviour.get(account.id) or self.behaviour.get("") or Behaviour()

    def chosen(self, names: Collection[str], *, every: bool) -> tuple[Account, ...]:
        """Return the accounts that the command line means, or say which there are."""
        if every:
            return tuple(self.accounts.values())
        if names:
            return tuple(self._named(name) for name in dict.fromkeys(names))
        return (self._only("--account NAME or --all"),)

    def one(self, name: str) -> Account:
        """Return one account by its id; without one, the only account that there is."""
        return self._named(name) if name else self._only("--account NAME")

    def _named(self, name: str) -> Account:
        if name not in self.accounts:
            meant = did_you_mean(name, self.accounts)
            raise UsageError(f"account {name!r} is not in {FILE}{meant}; it has: {self._ids}")
        return self.accounts[name]

    def _only(self, flags: str) -> Account:
        if len(self.accounts) != 1:
            raise UsageError(f"which account? Give {flags}; {FILE} has: {self._ids}")
        return next(iter(self.accounts.values()))

    @property
    def _ids(self) -> str:
        return ", ".join(self.accounts)
