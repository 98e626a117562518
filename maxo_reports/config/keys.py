"""API keys and the mail server's secret: from a private file, the environment or the keyring.

Never from the command line, where every user of the machine could read it.
"""

from __future__ import annotations

import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from maxo_reports.config.accounts import FILE, Account, file_named
from maxo_reports.config.mail import Mail
from maxo_reports.errors import ConfigError

KEYRING_SERVICE = "maxo-reports"
MAIL_KEYRING = "mail"
"""The name under which the keyring has the mail server's secret; no account may be called so."""


def api_key(account: Account, folder: Path, environment: Mapping[str, str]) -> str:
    """Return an account's API key from its file, the environment or the keyring.

    Raises ConfigError, in one line, with the places that were looked at.
    """
    if account.api_key_file:
        path = file_named(folder, account.api_key_file)
        return _from_file(path, f"the API key of {account.id!r}")
    text = environment.get(account.api_key_env, "").strip() or _from_keyring(account.id)
    if text:
        return text
    raise ConfigError(
        f"no API key for account {account.id!r}: set the environment variable "
        f"{account.api_key_env}, or api_key_file in {FILE}, or store it with "
        f"'keyring set {KEYRING_SERVICE} {account.id}'"
    )


def mail_secret(mail: Mail, folder: Path, environment: Mapping[str, str]) -> str:
    """Return the mail server's password, or OAuth token, from the same kinds of places."""
    if mail.secret_file:
        path = file_named(folder, mail.secret_file)
        return _from_file(path, f"the secret of {mail.user!r} at the mail server")
    text = environment.get(mail.secret_env, "").strip() or _from_keyring(MAIL_KEYRING)
    if text:
        return text
    raise ConfigError(
        f"no secret for {mail.user!r} at {mail.host}: set the environment variable "
        f"{mail.secret_env}, or secret_file under [mail] in {FILE}, or store it with "
        f"'keyring set {KEYRING_SERVICE} {MAIL_KEYRING}'"
    )


def _from_file(path: Path, what: str) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        why = getattr(problem, "strerror", None) or "it is not text"
        raise ConfigError(f"cannot read {what} from {path}: {why}") from None
    if sys.platform != "win32" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"{path} holds {what} but others may read it: make it private with 'chmod 600'"
        )
    if not text:
        raise ConfigError(f"{path} is empty; it should hold {what}")
    return text


def _from_keyring(name: str) -> str:
    """Ask the system's keyring, if the optional package ``keyring`` is installed."""
    try:
        import keyring  # noqa: PLC0415 - optional, and slow to load
        import keyring.errors  # noqa: PLC0415
    except ImportError:
        return ""
    try:
        return keyring.get_password(KEYRING_SERVICE, name) or ""
    except keyring.errors.KeyringError:
        return ""
