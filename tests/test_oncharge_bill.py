"""The carrier's bill in an on-charging: three kept bills, each of their lines down to the clients.

Over HTTP from the samples, through the command line, with another program as reader.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from resellers import BOOK_ONLY
from workspaces import Ran, ran, rows_below, sheet

from maxo_reports import definitions
from maxo_reports.core.bills.differences import CLASSES, UNEXPLAINED
from maxo_reports.sandbox import Book, Sandbox

SAMPLES = definitions.shipped() / "samples" / "bills"
SET = {
    "quandong-legal": ("exclusive", "invoice.toml"),
    "banksia-couriers": ("inclusive", "invoice.csv"),
    "saltbush-vets": ("exclusive", "invoice.toml"),
}
TOTALS = {
    "quandong-legal": Decimal("186.25"),
    "banksia-couriers": Decimal("69.06"),
    "saltbush-vets": Decimal("91.87"),
}
TERMS = """\
[defaults]
markup_percent = 20

[client.kim]
name = "Kim"

[client.banksia]
name = "Banksia"
account = "banksia-couriers"

[[client.banksia.fee]]
text = "Support"
each = 9

[client.saltbush]
name = "Saltbush"
account = "saltbush-vets"
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a workspace with September, October and the bills; two accounts are a client's whole.

    Of the third only some numbers have a client: all others are nobody's.
    """
    folder = tmp_path_factory.mktemp("bills")
    books = [Book.load(SAMPLES / account) for account in SET]
    with Sandbox(books) as sandbox, pytest.MonkeyPatch.context() as patch:
        text = '[settings]\ndirectory = "directory.csv"\n'
        for at, book in enumerate(books):
            patch.setenv(f"KEY_{at}", book.key)
            text += (
                f'[account.{book.account}]\nname = "{book.name}"\ntimezone = "{book.timezone}"\n'
                f'base_url = "{sandbox.base_url}"\ncost_gst = "{SET[book.account][0]}"\n'
                f'api_key_env = "KEY_{at}"\n'
            )
        (folder / "maxo.toml").write_text(text, encoding="utf-8")
        (folder / "oncharge.toml").write_text(TERMS, encoding="utf-8")
        (folder / "directory.csv").write_text(
            "number,client\n0255500140,Kim\n0255500141,Kim\n", encoding="utf-8"
        )
        (folder / "reports").mkdir()
        (folder / "reports" / "client-statement.toml").write_text(BOOK_ONLY, encoding="utf-8")
        for account in SET:
            shutil.copytree(SAMPLES / account, folder / account)
        for month in ("2026-09", "2026-10"):
            assert ran(folder, "pull", month, "--all").code == 0
        yield folder


def oncharged(place: Path, account: str, *more: str) -> Ran:
    """Charge October with an account's bill."""
    bill = place / account / SET[account][1]
    words = ("oncharge", "2026-10", "--account", account, "--invoice", str(bill), "--json", *more)
    return ran(place, *words)


def steps(pack: Path) -> dict[str, Decimal]:
    """Read the three ways from the margin workbook, to four decimals."""
    rows = rows_below(sheet(pack, "Summary"), "From the carrier's bill to the clients")
    return {
        row["From the carrier's bill to the clients"]: Decimal(repr(row["Dollars"])).quantize(
            Decimal("0.0001")
        )
        for row in rows
        if row["Dollars"] != ""
    }


SUMS = (
    "What the bill says of calls",
    "Cost of the calls, as recorded",
    "Cost of the calls, without GST",
    "Cost of the calls that clients pay",
    "Clients billed, without GST",
)


@pytest.mark.parametrize("account", list(SET))
def test_every_class_of_the_bill_is_a_step_and_all_add_up(place: Path, account: str) -> None:
    """From what is payable over the calls as recorded to what clients are billed."""
    done = oncharged(place, account)
    assert done.code in {0, 1}, done.err
    found = steps(Path(done.said["pack"]))
    planted = json.loads((SAMPLES / account / "planted.json").read_text(encoding="ascii"))
    by_class: Counter[str] = Counter()
    for label, dollars in found.items():
        side, _, rest = label.partition(": ")
        if side in {"Bill", "Calls"}:
            by_class[rest.partition(",")[0]] -= dollars  # type: ignore[assignment]
    expected = {kind: Decimal(value) for kind, value in planted["classes"].items()}
    # Two steps of a class at most, each brought to four decimals so that all add up.
    for kind in {*by_class, *expected}:
        assert abs(by_class[kind] - expected.get(kind, 0)) <= Decimal("0.0002"), kind
    assert set(by_class) >= {"non-call line", "GST basis", "rounding", UNEXPLAINED}
    assert set(by_class) <= {*CLASSES, UNEXPLAINED}
    (first, bill), *rest = found.items()
    assert first.startswith("Carrier's bill ")
    assert bill == TOTALS[account]
    so_far, sums = bill, []
    for label, dollars in rest:
        if label in SUMS:
            sums.append(label)
            assert dollars == so_far, label
        else:
            so_far += dollars
    assert tuple(sums) == SUMS
    assert found["Cost of the calls, as recorded"] == Decimal(done.said["cost"])
    clients = sum(Decimal(each["without_gst"]) for each in done.said["clients"])
    assert found["Clients billed, without GST"] == clients
    # bill = ... = clients billed - margin + what is nobody's
    margin = found["Margin on calls"] + found["Fixed fees"]
    nobody = -found["Unallocated: calls of no client"]
    assert clients - margin + nobody == found["Cost of the calls, without GST"]
    assert (nobody > 0) == (account == "quandong-legal")
    codes = {finding["code"]: finding for finding in done.said["findings"]}
    assert ("bill-unexplained" in codes) == ("unexplained" in expected)
    if "unexplained" in expected:
        dollars = Decimal(codes["bill-unexplained"]["dollars"])
        assert (dollars, done.code) == (expected["unexplained"], 1)


def test_the_workbook_has_the_checks_and_is_read_back(place: Path) -> None:
    """Each sum of the way, and both ends of the bill's part, are among the checks; all passed."""
    pack = Path(oncharged(place, "saltbush-vets").said["pack"])
    titles = {row["Check"] for row in rows_below(sheet(pack, "Checks"), "Check")}
    wanted = [f"Three ways: {label}" for label in SUMS]
    wanted += ["Bill's lines for calls = rows of calls"]
    wanted += ["Calls held against the bill = calls charged"]
    assert set(wanted) <= titles
    tied = json.loads((pack / "tieout.json").read_text(encoding="utf-8"))
    (book,) = tied["files"]
    assert (book["differences"], "Three ways" in str(sheet(pack, "Summary"))) == (0, True)
    assert ran(place, "verify", str(pack)).code == 0


def test_it_is_made_again_without_the_bill_and_after_later_months(
    place: Path, tmp_path: Path
) -> None:
    """Byte for byte from the archive alone: months that were pulled later change nothing.

    Nor do they keep a reconciliation from being made again.
    """
    account = "saltbush-vets"
    done = oncharged(place, account)
    reconciled = ran(
        *(place, "reconcile", "2026-10", "--account", account, "--json", "--invoice"),
        str(place / account / SET[account][1]),
    )
    folder = Path(shutil.copytree(place, tmp_path / "books"))
    shutil.rmtree(folder / account)
    (folder / "oncharge.toml").unlink()
    assert ran(folder, "pull", "2026-11", "--account", account).code == 0
    for said in (done.said, reconciled.said):
        pack = folder / Path(said["pack"]).relative_to(place)
        again = ran(folder, "verify", str(pack), "--rebuild")
        assert (again.code, "every file is identical" in again.out) == (0, True), again.err


def test_the_same_bill_makes_nothing_new_and_another_does(place: Path, tmp_path: Path) -> None:
    """What is sealed stands; a bill with another line makes the margin's next revision."""
    first = oncharged(place, "quandong-legal")
    again = oncharged(place, "quandong-legal")
    assert again.said["unchanged"]
    text = (place / "quandong-legal" / "invoice.toml").read_text(encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text(
        text.replace('"2.30"', '"3.30"').replace('"16.93"', '"17.03"').replace("186.25", "187.35"),
        encoding="utf-8",
    )
    words = ("--account", "quandong-legal", "--invoice", str(other), "--json")
    later = ran(place, "oncharge", "2026-10", *words)
    assert later.said["revision"] == first.said["revision"] + 1
    assert all(each["unchanged"] for each in later.said["clients"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--calls", "calls.csv"), "--calls belongs to a bill"),
        (("--invoice", "calls.csv"), "is a list of calls alone"),
        (("--invoice", "invoice.toml", "--bill-total", "1"), "not both"),
        (("--invoice", "none.toml"), "none.toml"),
    ],
)
def test_what_cannot_be_compared_is_told(place: Path, words: tuple[str, ...], told: str) -> None:
    """Before anything is made."""
    own = place / "saltbush-vets"
    given = [str(own / word) if "." in word else word for word in words]
    before = sorted((place / "out").rglob("*"))
    done = ran(place, "oncharge", "2026-10", "--account", "saltbush-vets", *given)
    assert (done.code, told in done.err) == (2, True), done.err
    assert sorted((place / "out").rglob("*")) == before
    done = ran(place, "oncharge", "2026-10", "--all", "--invoice", str(own / "invoice.toml"))
    assert (done.code, "a bill is of one account" in done.err) == (2, True)
