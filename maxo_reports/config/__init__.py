"""Settings: ``maxo.toml``, overruled by the environment, overruled by flags; and the API keys.

Every mistake in the file is told at once, each with the nearest real name.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from maxo_reports.config import brand
from maxo_reports.config.accounts import (
    DEFAULT_BASE_URL,
    DEFAULT_KEY_ENV,
    FILE,
    Account,
    Settings,
    Workspace,
)
from maxo_reports.config.behaviour import TABLE as BEHAVIOUR
from maxo_reports.config.behaviour import behaviour
from maxo_reports.config.keys import KEYRING_SERVICE, MAIL_KEYRING, api_key, mail_secret
from maxo_reports.config.mail import SENDS, Addressee, Mail, read_addressees, read_mail
from maxo_reports.config.problems import Limits, Problems, filled
from maxo_reports.config.template import TEMPLATE, write_template
from maxo_reports.core.behaviour import Behaviour
from maxo_reports.core.brand import Brand
from maxo_reports.core.checks import DEPTHS
from maxo_reports.core.money import GST_BASES
from maxo_reports.errors import ConfigError, did_you_mean

__all__ = [
    "BEHAVIOUR",
    "DEFAULT_BASE_URL",
    "DEFAULT_KEY_ENV",
    "FILE",
    "KEYRING_SERVICE",
    "TEMPLATE",
    "Account",
    "Addressee",
    "Mail",
    "Settings",
    "Workspace",
    "api_key",
    "load",
    "mail_secret",
    "write_template",
]
ENVIRONMENT_PREFIX = "MAXO_REPORTS_"
_LONGEST_NUMBER = 18
"""Digits that a number in the environment can have; Python reads no endless one."""
_ACCOUNT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
_CHOICES = {"crosscheck": DEPTHS, "cost_gst": GST_BASES, "send": SENDS}
_RANGES = {
    "requests_in_flight": (1, 8),
    "tries": (1, 20),
    "connect_timeout": (1, 300),
    "read_timeout": (1, 3600),
    "request_deadline": (1, 7200),
    "settle_hours": (0, 24 * 60),
    "billing_day": (1, 28),
    "calls_per_month": (0, 100_000_000),
}
_LIMITS = Limits(_CHOICES, _RANGES)


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
    problems = Problems(str(path))
    problems.unknown("", content, {"settings", "account", "brand", "mail", BEHAVIOUR})
    given = problems.table("settings", content.get("settings", {}))
    settings = filled(Settings(), given, "settings", problems, _LIMITS)
    settings = _from_environment(settings, environment, problems)
    sender = brand.read("brand", content.get("brand"), folder, problems)
    mail = read_mail(content.get("mail", {}), problems)
    thresholds = {"": behaviour(Behaviour(), content.get(BEHAVIOUR, {}), BEHAVIOUR, problems)}
    accounts, addressees = {}, {}
    tables = problems.table("account", content.get("account", {}))
    for name, given_account in tables.items():
        of_account = dict(problems.table(f"account.{name}", given_account))
        if BEHAVIOUR in of_account:
            own, place = of_account.pop(BEHAVIOUR), f"account.{name}.{BEHAVIOUR}"
            thresholds[name] = behaviour(thresholds[""], own, place, problems)
        listed = of_account.pop("mail", [])
        addressees[name] = read_addressees(f"account.{name}.mail", listed, mail, problems)
        accounts[name] = _account(name, of_account, sender, folder, problems)
        if of_account.get("send") == "automatic" and not mail.can_send:
            problems.add(f'[account.{name}] send = "automatic" needs a host under [mail]')
    if not tables:
        problems.add('there is no account: write a table such as [account.acme] with name = "..."')
    problems.raise_any()
    known = {name: account for name, account in accounts.items() if account is not None}
    return Workspace(
        folder, settings, known, behaviour=thresholds, mail=mail, addressees=addressees
    )


def _from_environment(
    settings: Settings, environment: Mapping[str, str], problems: Problems
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
    overruled: Settings = filled(settings, given, "settings", problems, _LIMITS)
    return overruled


def _account(
    name: str, given: Mapping[str, Any], sender: Brand, folder: Path, problems: Problems
) -> Account | None:
    table = f"account.{name}"
    tables = {key: value for key, value in given.items() if key in brand.TABLES}
    given = {key: value for key, value in given.items() if key not in brand.TABLES}
    if not _ACCOUNT_ID.fullmatch(name):
        problems.add(f"[{table}] the account's id may hold a-z, 0-9, - and _ only, 63 at most")
    missing = [key for key in ("name", "timezone") if key not in given]
    for key in missing:
        problems.add(f"[{table}] {key} is missing")
    account: Account = filled(Account(name, name, "UTC"), given, table, problems, _LIMITS)
    if "timezone" in given and account.timezone not in available_timezones():
        meant = did_you_mean(account.timezone, available_timezones())
        problems.add(f"[{table}] timezone {account.timezone!r} is not an IANA zone{meant}")
    if trouble := _address_trouble(account.base_url):
        problems.add(f"[{table}] base_url {trouble}")
    if name == MAIL_KEYRING:
        problems.add(f"[{table}] no account can be called so: the keyring has mail's secret there")
    account = brand.of_account(account, tables, sender, folder, problems)
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
