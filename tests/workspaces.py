"""Workspaces for tests: settings on disk, a carrier that can change its mind, a clock to set.

Everything goes through the command line and over real HTTP on loopback, as users have it.
"""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

from carriers import KEY, SYDNEY, Raw
from python_calamine import CalamineWorkbook

from maxo_reports import cli, definitions
from maxo_reports.sandbox import Book, Sandbox
from maxo_reports.sandbox.answers import Answer

DAY = 86_400
OCTOBER_ENDS = 1_793_451_600
"""2026-11-01 00:00:00 in Sydney: an hour less than 31 days after ``carriers.OCTOBER``."""
SETTLED = OCTOBER_ENDS + 3 * DAY
STATEMENT = (definitions.shipped() / "reports" / "statement.toml").read_text(encoding="utf-8")
_SLOW = ("By day", "By direction", "By number", "Windows asked")
BOOKED = "[[section]]".join(
    part
    for part in STATEMENT.replace('["xlsx", "pdf"]', '["xlsx"]', 1).split("[[section]]")
    if '["pdf"]' not in part
)
"""The statement's workbook alone."""
QUICK = "[[section]]".join(
    part for part in BOOKED.split("[[section]]") if not any(title in part for title in _SLOW)
)
"""The statement without its PDF and its longest tables, which take most of a run's time."""


def workspace(folder: Path, address: str, zone: str, extra: str = "") -> Path:
    """Write a workspace for one account at an address."""
    folder.mkdir(exist_ok=True)
    text = f'[account.acme]\nname = "Acme"\ntimezone = "{zone}"\nbase_url = "{address}"\n{extra}'
    (folder / "maxo.toml").write_text(text, encoding="utf-8")
    return folder


def run(folder: Path, *words: str) -> int:
    """Run one command on a workspace, in this process."""
    return cli.main(["-C", str(folder), *words])


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, byte for byte."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def sheet(pack: Path, name: str) -> list[list[Any]]:
    """Read one sheet of a pack's workbook with another reader."""
    book = CalamineWorkbook.from_path(str(next(pack.glob("*.xlsx"))))
    return book.get_sheet_by_name(name).to_python()


def rows_below(rows: Sequence[Sequence[Any]], heading: str) -> list[dict[str, Any]]:
    """Return the rows of the table whose heading begins with a word, up to an empty row."""
    at = next(n for n, row in enumerate(rows) if row and row[0] == heading)
    found = []
    for row in rows[at + 1 :]:
        if not any(cell != "" for cell in row):
            break
        found.append({str(key): cell for key, cell in zip(rows[at], row, strict=True) if key})
    return found


def printed(pack: Path) -> str:
    """Read the statement's text with another reader."""
    pdf = next(pack.glob("*.pdf"))
    done = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, text=True
    )
    return done.stdout


def changes_in(pack: Path) -> list[dict[str, str]]:
    """Read a pack's changes.csv."""
    with (pack / "changes.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Fickle(Sandbox):
    """A carrier whose calls can change between two requests, and whose answers can be bent."""

    def __init__(self, calls: Iterable[Raw], zone: str = SYDNEY, key: str = KEY) -> None:
        self._zone, self._key = zone, key
        self.bend: Callable[[Answer], Answer] = lambda answer: answer
        super().__init__([Book.from_calls(calls, timezone=zone, key=key)])

    def hold(self, calls: Iterable[Raw]) -> None:
        """Have other calls from now on."""
        self._books = {self._key: Book.from_calls(calls, timezone=self._zone, key=self._key)}

    def answer(self, *request: Any) -> Answer:
        """Answer, bent."""
        return self.bend(super().answer(*request))


def is_asked_for(answer: Answer, what: str) -> bool:
    """Tell whether an answer is to a plain request, or to one for charges, connected or csv."""
    question = answer.question
    if question is None:
        return False
    if what == "plain":
        return not question.as_csv and not question.on
    return question.as_csv if what == "csv" else what in question.on


def with_body(answer: Answer, change: Callable[[bytes], bytes]) -> Answer:
    """Return an answer with another body."""
    return replace(answer, body=change(answer.body))


@dataclass
class Ran:
    """What came of one command: exit code, what it said, and its JSON where it printed some."""

    code: int
    out: str
    err: str
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def pack(self) -> Path:
        """The pack's folder."""
        return Path(self.said["pack"])


def ran(folder: Path, *words: str) -> Ran:
    """Run one command and keep everything that it says."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(folder, *words)
    text = out.getvalue()
    return Ran(code, text, err.getvalue(), json.loads(text) if text.startswith("{") else {})


class Desk:
    """One account's workspace at a fickle carrier."""

    def __init__(self, folder: Path, carrier: Fickle, zone: str = SYDNEY) -> None:
        self.folder, self.carrier, self.zone = folder, carrier, zone
        self.set()
        (folder / "reports").mkdir()
        self.define(QUICK)

    def set(self, settings: str = "", *, account: str = "") -> None:
        """Write the settings: lines of [settings], and further ones of the account."""
        extra = f"{account}\n[settings]\n{settings}\n"
        workspace(self.folder, self.carrier.base_url, self.zone, extra)

    def define(self, text: str) -> None:
        """Write the definition that runs use."""
        (self.folder / "reports" / "quick.toml").write_text(text, encoding="utf-8")

    def run(self, *words: str, report: str = "quick", period: str = "2026-10") -> Ran:
        """Run the period with ``--json``."""
        return ran(self.folder, "run", period, "--report", report, "--json", *words)

    def verify(self, pack: Path, *words: str) -> Ran:
        """Verify a pack."""
        return ran(self.folder, "verify", str(pack), *words)

    @property
    def packs(self) -> list[str]:
        """The revisions that there are of the period, and anything else beside them."""
        place = self.folder / "out" / "acme" / "2026-10"
        return sorted(path.name for path in place.iterdir()) if place.exists() else []
