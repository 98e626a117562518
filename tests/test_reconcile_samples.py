"""The three kept accounts with a bill each: every planted class is found, call by call."""

from __future__ import annotations

import csv
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from workspaces import run

from maxo_reports import definitions
from maxo_reports.core.differences import CLASSES
from maxo_reports.sandbox import Book, Sandbox

SAMPLES = definitions.shipped() / "samples" / "bills"
SET = {
    "quandong-legal": "exclusive",
    "banksia-couriers": "inclusive",
    "saltbush-vets": "exclusive",
}
BILLS = {"quandong-legal": "invoice.toml", "banksia-couriers": "invoice.csv"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pull three months of each account into one workspace, over HTTP."""
    folder = tmp_path_factory.mktemp("bills")
    books = [Book.load(SAMPLES / account) for account in SET]
    with Sandbox(books) as sandbox, pytest.MonkeyPatch.context() as patch:
        text = ""
        for book in books:
            patch.setenv(f"KEY_{len(text)}", book.key)
            text += (
                f'[account.{book.account}]\nname = "{book.name}"\ntimezone = "{book.timezone}"\n'
                f'base_url = "{sandbox.base_url}"\ncost_gst = "{SET[book.account]}"\n'
                f'api_key_env = "KEY_{len(text)}"\n'
            )
        (folder / "maxo.toml").write_text(text, encoding="utf-8")
        for month in ("2026-09", "2026-10"):
            assert run(folder, "pull", month, "--all") == 0
    return folder


def reconciled(place: Path, account: str, capsys: Any, *more: str) -> tuple[int, dict[str, Any]]:
    """Reconcile one account's bill and return the exit code and what --json prints."""
    bill = SAMPLES / account / BILLS.get(account, "invoice.toml")
    capsys.readouterr()
    words = ("reconcile", "2026-10", "--account", account, "--invoice", str(bill), "--json", *more)
    code = run(place, *words)
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("account", list(SET))
def test_every_class_has_its_dollars(place, account, capsys):
    """Each class comes to what was planted, and nothing else is found."""
    planted = json.loads((SAMPLES / account / "planted.json").read_text(encoding="ascii"))
    code, said = reconciled(place, account, capsys)
    found = {kind: Decimal(value) for kind, value in said["classes"].items()}
    expected = {kind: Decimal(value) for kind, value in planted["classes"].items()}
    assert {kind: value for kind, value in found.items() if value} == expected
    assert Decimal(said["unexplained_of_all_rows"]) == expected.get("unexplained", 0)
    assert code == (1 if "unexplained" in expected else 0)
    assert Decimal(said["cost"]) + sum(found.values()) == Decimal(said["billed"])


def test_every_planted_call_is_in_the_dispute_pack(place, capsys):
    """The files of the dispute pack hold exactly the calls that were planted."""
    account = "saltbush-vets"
    planted = json.loads((SAMPLES / account / "planted.json").read_text(encoding="ascii"))["calls"]
    _, said = reconciled(place, account, capsys)
    folder = Path(said["pack"]) / "dispute"
    found: Counter[tuple[str, str, Decimal]] = Counter()
    for kind in {each["class"] for each in planted}:
        with (folder / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found[row["class"], row["call_id"], Decimal(row["difference"])] += 1
                replied = len(row["reply_sha256"]) == 64
                assert replied == bool(row["call_id"]), row
    expected = Counter((p["class"], p["call_id"], Decimal(p["dollars"])) for p in planted)
    assert found == expected
    assert {p["class"] for p in planted} | {"non-call line", "GST basis", "rounding"} == set(
        CLASSES
    )
