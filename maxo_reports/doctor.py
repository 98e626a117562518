"""The doctor: looks at the machine, the workspace and the keys, and says what to install or do.

Each examination returns one line; nothing is changed, and the carrier is not asked.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from pathlib import Path
from typing import Literal
from zoneinfo import TZPATH, ZoneInfo, available_timezones

from maxo_reports import config, definitions, directories
from maxo_reports.core.text import counted
from maxo_reports.errors import MaxoReportsError
from maxo_reports.render import FORMATS

Health = Literal["ok", "note", "ill"]
_PACKAGES = (
    *("duckdb", "jinja2", "msgspec", "openpyxl", "phonenumbers", "pyarrow", "pypdfium2"),
    *("python-calamine", "requests", "rich", "urllib3", "weasyprint"),
)
_LEAST_FREE = 500 * 1024 * 1024
_WRITTEN_IN = 2026

_DEBIAN = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
_INSTALL: Mapping[str, str] = {
    "debian": _DEBIAN,
    "ubuntu": _DEBIAN,
    "fedora": "dnf install pango",
    "rhel": "dnf install pango",
    "suse": "zypper install libpango-1_0-0",
    "arch": "pacman -S pango",
    "alpine": "apk add pango harfbuzz-subset",
    "macos": "brew install pango",
    "windows": "pacman -S mingw-w64-ucrt-x86_64-pango (in an MSYS2 shell), then set "
    "WEASYPRINT_DLL_DIRECTORIES to its bin folder",
}
"""System -> the line that installs what a PDF needs, from WeasyPrint's own documentation."""


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing that was looked at: how it is, and what to do where it is ill."""

    what: str
    health: Health
    says: str


def examine(folder: Path, environment: Mapping[str, str], now: int) -> tuple[Examined, ...]:
    """Examine everything a run needs; ``now`` is the machine's clock in unix seconds."""
    looks: tuple[Callable[[], Examined], ...] = (
        _python,
        _packages,
        _pdf,
        _fonts,
        _zones,
        lambda: _clock(now),
        lambda: _disk(folder),
        lambda: _definitions(folder),
    )
    return (*(look() for look in looks), *_workspace(folder, environment))


def install_line() -> str:
    """Return the command that installs the libraries a PDF needs on this system."""
    if sys.platform == "darwin":
        return _INSTALL["macos"]
    if sys.platform == "win32":
        return _INSTALL["windows"]
    for family in _families():
        if family in _INSTALL:
            line = _INSTALL[family]
            return line if os.geteuid() == 0 else f"sudo {line}"
    return "install Pango with your system's package manager (package pango or libpango)"


def _families() -> list[str]:
    """Return this Linux system's name and those of its relatives, nearest first."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return []
    return [release.get("ID", ""), *release.get("ID_LIKE", "").split()]


def _python() -> Examined:
    says = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Examined("Python", "ok", says)


def _packages() -> Examined:
    missing = []
    for name in _PACKAGES:
        try:
            version(name)
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Examined("Packages", "ill", f"missing: pip install {' '.join(missing)}")
    return Examined("Packages", "ok", f"all {len(_PACKAGES)} are there")


def _pdf() -> Examined:
    try:
        # WeasyPrint prints a page of advice of its own where Pango is missing.
        with redirect_stdout(StringIO()):
            weasyprint = import_module("weasyprint")
    except (ImportError, OSError) as problem:
        why = str(problem).split("\n")[0][:80]
        return Examined("PDF", "ill", f"Pango is missing ({why}); run: {install_line()}")
    return Examined("PDF", "ok", f"WeasyPrint {weasyprint.__version__} and Pango are there")


def _fonts() -> Examined:
    folder = definitions.shipped() / "templates" / "fonts"
    fonts = sorted(path.name for path in folder.glob("*.ttf"))
    if not fonts:
        return Examined("Fonts", "ill", f"none in {folder}: install maxo-reports again")
    return Examined("Fonts", "ok", ", ".join(fonts))


def _zones() -> Examined:
    if "Australia/Brisbane" not in available_timezones():
        return Examined("Time zones", "ill", "no zone data: pip install tzdata")
    october = datetime(2026, 10, 15, tzinfo=ZoneInfo("Australia/Sydney"))
    if f"{october:%z}" != "+1100":
        return Examined("Time zones", "ill", "the zone data is wrong: update tzdata")
    source = next((path for path in TZPATH if Path(path).is_dir()), "the package tzdata")
    return Examined("Time zones", "ok", f"from {source}")


def _clock(now: int) -> Examined:
    moment = datetime.fromtimestamp(now, UTC)
    says = f"{moment:%d %b %Y %H:%M:%S} UTC"
    if moment.year < _WRITTEN_IN:
        return Examined("Clock", "ill", f"{says}: set the machine's clock")
    return Examined("Clock", "ok", says)


def _disk(folder: Path) -> Examined:
    try:
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as problem:
        return Examined("Folder", "ill", f"cannot write in {folder.resolve()}: {problem.strerror}")
    says = f"{folder.resolve()}, {free // 1024**2:,} MiB free"
    return Examined("Folder", "ok" if free >= _LEAST_FREE else "note", says)


def _definitions(folder: Path) -> Examined:
    shelf = definitions.Shelf.of(folder)
    try:
        definitions.load_theme(shelf)
        for name in shelf.reports():
            definitions.load(name, shelf, FORMATS)
    except MaxoReportsError as problem:
        return Examined("Reports", "ill", str(problem))
    return Examined("Reports", "ok", ", ".join(shelf.reports()))


def _workspace(folder: Path, environment: Mapping[str, str]) -> tuple[Examined, ...]:
    if not (folder / config.FILE).exists():
        says = f"no {config.FILE} here yet: write one with 'maxo-reports init'"
        return (Examined("Workspace", "note", says),)
    try:
        workspace = config.load(folder, environment)
    except MaxoReportsError as problem:
        return (Examined("Workspace", "ill", str(problem)),)
    found = [Examined("Workspace", "ok", f"accounts: {', '.join(workspace.accounts)}")]
    for account in workspace.accounts.values():
        try:
            config.api_key(account, folder, environment)
        except MaxoReportsError as problem:
            found.append(Examined(f"Key of {account.id}", "ill", str(problem)))
        else:
            found.append(Examined(f"Key of {account.id}", "ok", "is there (not shown, not tried)"))
    listed = map(workspace.directory_of, workspace.accounts.values())
    found += [_numbers(path) for path in dict.fromkeys(listed) if path is not None]
    return (*found, *_mail(workspace, environment))


def _numbers(path: Path) -> Examined:
    try:
        directory, _ = directories.load(path)
    except MaxoReportsError as problem:
        return Examined("Directory", "ill", str(problem))
    return Examined("Directory", "ok", f"{path.name}: {counted(len(directory.entries), 'line')}")


def _mail(workspace: config.Workspace, environment: Mapping[str, str]) -> tuple[Examined, ...]:
    """Tell whether letters could be sent; a workspace that mails nothing has no line."""
    mail = workspace.mail
    if not any(workspace.addressees.values()):
        return ()
    if not mail.can_send:
        says = "drafts only: there is no host under [mail]"
        return (Examined("Mail", "note", says),)
    says = f"{mail.server_name}, port {mail.real_port}, {mail.security}"
    if mail.login != "none":
        try:
            config.mail_secret(mail, workspace.folder, environment)
        except MaxoReportsError as problem:
            return (Examined("Mail", "ill", str(problem)),)
        says = f"{says}; the secret of {mail.user} is there (not shown, not tried)"
    return (Examined("Mail", "ok", says),)
