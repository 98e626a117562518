"""The tables of sender and recipient: ``[brand]``, and in an account ``brand`` and ``recipient``.

An account's brand takes the place of the workspace's whole: two senders are never mixed on one
statement. Only the window of the envelope is taken over, since that is whoever folds the sheet's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maxo_reports.config import logo
from maxo_reports.config.accounts import Account
from maxo_reports.config.colours import LEAST_CONTRAST, contrast
from maxo_reports.config.problems import Limits, Problems, filled
from maxo_reports.core import brand
from maxo_reports.core.brand import NO_BRAND, Brand, EnvelopeWindow, Recipient

TABLES = frozenset({"brand", "recipient"})
"""Tables inside an account's."""
MOST_ADDRESS, LONGEST_LINE = 6, 60
"""Lines of a sender's address, and letters of any line."""
PAPER = "#ffffff"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)
_WINDOW = Limits(
    ranges={"left": (0, 60), "bottom": (0, 60), "width": (50, 120), "height": (20, 60)}
)
_FURTHEST, _HIGHEST = 112, 64
"""How far a window may reach from the envelope's left and lower edge, in millimetres: to the
right of it are the facts, above it is the logo, wherever the sheet has slid to."""
_LINE = 43
"""The height of a line of the recipient's address, in tenths of a millimetre."""


@dataclass(frozen=True, slots=True)
class _Sender:
    """A table of a brand as it is written, without its window."""

    name: str = ""
    address: tuple[str, ...] = ()
    abn: str = ""
    phone: str = ""
    email: str = ""
    web: str = ""
    colour: str = ""
    logo: str = ""


@dataclass(frozen=True, slots=True)
class _To:
    """A table of a recipient as it is written."""

    name: str = ""
    address: tuple[str, ...] = ()


def read(
    table: str,
    given: Any,
    folder: Path,
    problems: Problems,
    window: EnvelopeWindow = NO_BRAND.window,
) -> Brand:
    """Read a table of a brand; what is wrong is noted. ``window`` is that of the table above."""
    if given is None:
        return replace(NO_BRAND, window=window)
    given = problems.table(table, given)
    written = {key: value for key, value in given.items() if key != "window"}
    if "window" in given:
        window = _window(f"{table}.window", given["window"], problems)
    if not written:
        return replace(NO_BRAND, window=window)
    if not written.get("name"):
        problems.add(f"[{table}] name is missing")
    sender: _Sender = filled(_Sender(), written, table, problems, Limits())
    _check_lines(table, sender, problems)
    if len(sender.address) > MOST_ADDRESS:
        problems.add(f"[{table}] address has room for {MOST_ADDRESS} lines")
    if sender.abn and not brand.is_abn(sender.abn):
        problems.add(f"[{table}] abn {sender.abn!r} is no ABN: its check digits are wrong")
    if sender.colour:
        _check_colour(table, sender.colour, problems)
    picture = None
    if sender.logo:
        try:
            picture = logo.read(folder, sender.logo)
        except ValueError as why:
            problems.add(f"[{table}] logo {sender.logo!r} {why}")
    return Brand(
        sender.name,
        sender.address,
        sender.abn.replace(" ", ""),
        sender.phone,
        sender.email,
        sender.web,
        sender.colour.lower(),
        picture,
        window,
    )


def of_account(
    account: Account, given: Mapping[str, Any], above: Brand, folder: Path, problems: Problems
) -> Account:
    """Return an account with its sender and recipient; ``above`` is the workspace's brand."""
    table = f"account.{account.id}"
    own = above
    if "brand" in given:
        own = read(f"{table}.brand", given["brand"], folder, problems, above.window)
    to = None
    if "recipient" in given:
        place = f"{table}.recipient"
        to = recipient(place, given["recipient"], account.name, own.window, problems)
    return replace(account, brand=own, recipient=to)


def recipient(
    table: str, given: Any, name: str, window: EnvelopeWindow, problems: Problems
) -> Recipient:
    """Read a table of a recipient, who has another name than ``name`` only where one is given."""
    written: _To = filled(_To(), problems.table(table, given), table, problems, Limits())
    _check_lines(table, written, problems)
    room = window.sheet_height * 10 // _LINE - 1
    if len(written.address) > room:
        problems.add(f"[{table}] address: the window shows {room} lines below the name")
    return Recipient(written.name or name, written.address)


def _window(table: str, given: Any, problems: Problems) -> EnvelopeWindow:
    window: EnvelopeWindow = filled(
        EnvelopeWindow(), problems.table(table, given), table, problems, _WINDOW
    )
    if window.left + window.width > _FURTHEST:
        problems.add(
            f"[{table}] would show the right-hand column: left + width is {_FURTHEST} at most"
        )
    if window.bottom + window.height > _HIGHEST:
        problems.add(f"[{table}] would show the logo: bottom + height is {_HIGHEST} at most")
    return window


def _check_lines(table: str, written: _Sender | _To, problems: Problems) -> None:
    """Refuse lines that no letterhead has room for."""
    for name in type(written).__dataclass_fields__:
        value = getattr(written, name)
        for line in value if isinstance(value, tuple) else (value,):
            if len(line) > LONGEST_LINE:
                problems.add(f"[{table}] {name} has room for {LONGEST_LINE} letters: {line!r}")
            elif isinstance(value, tuple) and not line.strip():
                problems.add(f"[{table}] {name} has an empty line")


def _check_colour(table: str, colour: str, problems: Problems) -> None:
    if not _COLOUR.fullmatch(colour):
        problems.add(f"[{table}] colour must be written such as #0f5f8c, not {colour!r}")
        return
    found = contrast(colour, PAPER)
    if found < LEAST_CONTRAST:
        problems.add(
            f"[{table}] colour {colour} has a contrast of {found:.1f}:1 on white; text that can "
            f"be read needs {LEAST_CONTRAST}:1 (WCAG AA): choose a darker one"
        )
