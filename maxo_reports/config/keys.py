"""API keys: from a private file, the environment or the system's keyring.

Never from the command line, where every user of the machine could read it.
"""

from __future__ import annotations

import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from maxo_reports.config.accounts import FILE, Account
from maxo_reports.errors import ConfigError

KEYRING_SERVICE = "maxo-reports"


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
