"""Settings: ``maxo.toml``, overruled by the environment, overruled by flags; and the API keys.

Every mistake in the file is told at once, each with the nearest real name. A key is read from a
private file, the environment or the system's keyring, never from the command line, where every
user of the machine could read it.
"""

from __future__ import annotations

import ipaddress
import os
import re
import stat
import sys
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from maxo_reports.core.checks import DEPTHS
from maxo_reports.core.money import GST_BASES, GstBasis
from maxo_reports.core.text import has_controls
from maxo_reports.errors import ConfigError, UsageError, did_you_mean

FILE = "maxo.toml"
DEFAULT_KEY_ENV = "MAXO_API_KEY"
DEFAULT_BASE_URL = "https://myapi.maxo.com.au/"
KEYRING_SERVICE = "maxo-reports"
ENVIRONMENT_PREFIX = "MAXO_REPORTS_"
_LONGEST_NUMBER = 18
"""Digits that a number in the environment can have; Python reads no endless one."""
_ACCOUNT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)


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

    @property
    def host(self) -> str:
        """The host that the key goes to, without its port."""
        return urlsplit(self.base_url).hostname or ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for every account of a workspace."""

    out: str = "out"
    archive: str = "archive"
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


_CHOICES: Mapping[str, tuple[str, ...]] = {"crosscheck": DEPTHS, "cost_gst": GST_BASES}
_RANGES: Mapping[str, tuple[int, int]] = {
    "requests_in_flight": (1, 8),
    "tries": (1, 20),
    "connect_timeout": (1, 300),
    "read_timeout": (1, 3600),
    "request_deadline": (1, 7200),
    "settle_hours": (0, 24 * 60),
    "billing_day": (1, 28),
    "calls_per_month": (0, 100_000_000),
}


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder with ``maxo.toml``, the archive and the packs."""

    folder: Path
    settings: Settings
    accounts: Mapping[str, Account]

    @property
    def out(self) -> Path:
        """Where packs go."""
        return self.folder / self.settings.out

    def archive_of(self, account: Account) -> Path:
        """Return the folder that holds an account's replies."""
        return self.folder / self.settings.archive / account.id

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


def load(folder: Path, environment: Mapping[str, str]) -> Workspace:
    """Read a workspace's ``maxo.toml`` and the environment, or tell every mistake at once."""
    path = folder / FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"there is no {FILE} in {folder.resolve()}: write one with 'maxo-reports init', "
            "or name its folder with -C"
        ) from None
    except (ValueError, RecursionError) as problem:
        # Also what TOMLDecodeError is not: a number without end, brackets without end.
        raise ConfigError(f"{path} is not readable TOML: {problem}") from None
    except OSError as problem:
        raise ConfigError(f"cannot read {path}: {problem.strerror}") from None
    problems = _Problems(str(path))
    problems.unknown("", content, {"settings", "account"})
    given = problems.table("settings", content.get("settings", {}))
    settings = _filled(Settings(), given, "settings", problems)
    settings = _from_environment(settings, environment, problems)
    accounts = {}
    tables = problems.table("account", content.get("account", {}))
    for name, given_account in tables.items():
        accounts[name] = _account(name, given_account, problems)
    if not tables:
        problems.add('there is no account: write a table such as [account.acme] with name = "..."')
    problems.raise_any()
    return Workspace(folder, settings, {name: a for name, a in accounts.items() if a is not None})


class _Problems:
    """Collects what is wrong in one file, so that all of it can be told together."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._found: list[str] = []

    def add(self, problem: str) -> None:
        self._found.append(f"{self._where}: {problem}")

    def unknown(self, table: str, given: Mapping[str, Any], known: Collection[str]) -> None:
        for key in given:
            if key not in known:
                place = f"[{table}] " if table else ""
                self.add(f"{place}{key!r} is not a setting{did_you_mean(key, known)}")

    def table(self, name: str, value: Any) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self.add(f"{name!r} must be a table, written [{name}]")
        return {}

    def raise_any(self) -> None:
        if self._found:
            raise ConfigError(self._found)


def _filled(start: Any, given: Mapping[str, Any], table: str, problems: _Problems) -> Any:
    """Return ``start`` with the given fields, each of the right type and in its range."""
    names = set(type(start).__dataclass_fields__) - {"id"}
    problems.unknown(table, given, names)
    changed = {}
    for name, value in given.items():
        if name not in names:
            continue
        wanted = type(getattr(start, name))
        if type(value) is not wanted:
            word = {str: "text in quotes", int: "a whole number", bool: "true or false"}[wanted]
            problems.add(f"[{table}] {name} must be {word}, not {value!r}")
        elif isinstance(value, str) and has_controls(value):
            problems.add(f"[{table}] {name} must hold no control characters: {value!r}")
        elif name in _RANGES and not _RANGES[name][0] <= value <= _RANGES[name][1]:
            low, high = _RANGES[name]
            problems.add(f"[{table}] {name} must be from {low} to {high}, not {value}")
        elif name in _CHOICES and value not in _CHOICES[name]:
            meant = did_you_mean(value, _CHOICES[name])
            choices = ", ".join(_CHOICES[name])
            problems.add(f"[{table}] {name} must be one of {choices}, not {value!r}{meant}")
        else:
            changed[name] = value
    return replace(start, **changed)


def _from_environment(
    settings: Settings, environment: Mapping[str, str], problems: _Problems
) -> Settings:
    """Overrule settings with MAXO_REPORTS_OUT, MAXO_REPORTS_TRIES and the like."""
    given: dict[str, Any] = {}
    for name, field in Settings.__dataclass_fields__.items():
        text = environment.get(ENVIRONMENT_PREFIX + name.upper())
        if text is None:
            continue
        kind = type(getattr(settings, name))
        if kind is int and text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER:
            given[name] = int(text)
        elif kind is bool and text.lower() in {"true", "false", "1", "0"}:
            given[name] = text.lower() in {"true", "1"}
        elif kind is str:
            given[name] = text
        else:
            problems.add(f"{ENVIRONMENT_PREFIX}{field.name.upper()}={text!r} does not fit")
    filled: Settings = _filled(settings, given, "settings", problems)
    return filled


def _account(name: str, given: Any, problems: _Problems) -> Account | None:
    table = f"account.{name}"
    given = problems.table(table, given)
    if not _ACCOUNT_ID.fullmatch(name):
        problems.add(f"[{table}] the account's id may hold a-z, 0-9, - and _ only, 63 at most")
    missing = [key for key in ("name", "timezone") if key not in given]
    for key in missing:
        problems.add(f"[{table}] {key} is missing")
    account: Account = _filled(Account(name, name, "UTC"), given, table, problems)
    if "timezone" in given and account.timezone not in available_timezones():
        meant = did_you_mean(account.timezone, available_timezones())
        problems.add(f"[{table}] timezone {account.timezone!r} is not an IANA zone{meant}")
    if trouble := _address_trouble(account.base_url):
        problems.add(f"[{table}] base_url {trouble}")
    return None if missing else account


def _address_trouble(url: str) -> str:
    """Say why the API key must not be sent to an address, or return the empty text."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is not an address"
    # First: what is shown of an address below could else be a key.
    if any(mark in url for mark in "@?#"):
        return "must hold no user, key or question mark: the key has a place of its own"
    if parts.scheme not in {"https", "http"} or not host:
        return f"must begin with https:// and name a host, not {url[:60]!r}"
    if parts.scheme == "http" and not _is_loopback(host):
        return f"must be https:// (the API key would cross the network readable): {host!r}"
    return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def api_key(account: Account, folder: Path, environment: Mapping[str, str]) -> str:
    """Return an account's API key from its file, the environment or the keyring.

    Raises ConfigError, in one line, with the places that were looked at.
    """
    if account.api_key_file:
        return _key_from_file(folder / Path(account.api_key_file).expanduser(), account.id)
    text = environment.get(account.api_key_env, "").strip() or _key_from_keyring(account.id)
    if text:
        return text
    raise ConfigError(
        f"no API key for account {account.id!r}: set the environment variable "
        f"{account.api_key_env}, or api_key_file in {FILE}, or store it with "
        f"'keyring set {KEYRING_SERVICE} {account.id}'"
    )


def _key_from_file(path: Path, account: str) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        why = getattr(problem, "strerror", None) or "it is not text"
        raise ConfigError(f"cannot read the API key of {account!r} from {path}: {why}") from None
    if sys.platform != "win32" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"{path} holds an API key but others may read it: make it private with 'chmod 600'"
        )
    if not text:
        raise ConfigError(f"{path} is empty; it should hold the API key of {account!r}")
    return text


def _key_from_keyring(account: str) -> str:
    """Ask the system's keyring, if the optional package ``keyring`` is installed."""
    try:
        import keyring  # noqa: PLC0415 - optional, and slow to load
        import keyring.errors  # noqa: PLC0415
    except ImportError:
        return ""
    try:
        return keyring.get_password(KEYRING_SERVICE, account) or ""
    except keyring.errors.KeyringError:
        return ""


TEMPLATE = """\
# maxo-reports: the accounts of this workspace. Check it with:  maxo-reports doctor

[account.acme]                             # an id of your own, used in folder names
name     = "Acme Pty Ltd"                  # as it stands on the statement
timezone = "Australia/Brisbane"            # the time zone that the carrier keeps the account in
base_url = "https://myapi.maxo.com.au/"    # a reseller's own API host, if it has one
cost_gst = "unknown"                       # "inclusive" or "exclusive", once a bill told you

# The API key, from My Account Portal, with the permission "Call History/Get Call History".
# It is read from the environment variable MAXO_API_KEY unless you name another place:
# api_key_env  = "ACME_MAXO_KEY"
# api_key_file = "acme.key"                # a file that only you can read (chmod 600)

# billing_day = 1                          # the day on which the account's month begins
# calls_per_month = 30000                  # spares some requests in the first month

# [settings]
# out = "out"                              # where packs go
# archive = "archive"                      # where the carrier's replies are kept
# requests_in_flight = 2                   # requests at the same time
# tries = 6                                # how often a request is tried
# connect_timeout = 10                     # seconds
# read_timeout = 60                        # seconds without a byte
# request_deadline = 180                   # seconds for one whole request
# settle_hours = 48                        # a month is provisional until so long after its end
# crosscheck = "light"                     # none, light (charged calls asked alone), full
# trust_environment = false                # use the machine's proxy settings
"""


def write_template(folder: Path) -> Path:
    """Write a commented ``maxo.toml``; one that is there is never overwritten."""
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        if not folder.is_dir():
            raise UsageError(f"{folder} is a file, not a folder: name another") from None
        raise UsageError(f"{path} is there already; it is left as it is") from None
    except OSError as problem:
        raise ConfigError(f"cannot write {path}: {problem.strerror}") from None
    return path
