"""The accountant's handoff as its users meet it: init, make, bundle, verify.

A small month with directory, credits, free calls and a category that would be a formula; all of
it through the command line, from a sealed pack, with the carrier gone.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from carriers import KEY, OCTOBER, SYDNEY, call
from handoffs import needs, said_by
from workspaces import QUICK, SETTLED, Fickle, Ran, contents, ran

from maxo_reports.archive import files
from maxo_reports.cli import clock
from maxo_reports.handing import make as making
from maxo_reports.handing import past

KINDS = (
    ("Mobile", "0255500140", "0.2533"),
    ("Mobile", "0255500141", "1.0333"),
    ("=cmd|'x'!A0", "0255500142", "12.5"),
    ("Local", "0255500140", "-0.3"),
    ("Free, calls", "0255500149", "0"),
)
DIRECTORY = """\
number,label,cost_centre,client
0255500140,Front desk,Sales,Smith
0255500141,Back office,Workshop,Jones
0255500142,Boss,Sales,Smith
"""
BILL = ("--invoice-number", "INV-77", "--invoice-total", "150.00", "--invoice-date", "2026-11-03")
MAPPING = """\
version = 1
[lines]
split_by = ["category", "cost_centre"]
description = "{category} {cost_centre} ({calls} {duration})"
[books.xero]
payable = "800"
accrued = "803"
allocated_from = "489"
other = "490"
[books.myob]
payable = "2-1250"
accrued = "2-1260"
other = "6-2220"
[books.qbo]
accrued = "Accrued expenses"
[books.hledger]
payable = "liabilities:payable"
accrued = "liabilities:accrued"
gst_paid = "assets:gst"
other = "expenses:plans"
[books.beancount]
payable = "Liabilities:Payable"
accrued = "Liabilities:Accrued"
gst_paid = "Assets:GST"
other = "Expenses:Plans"
[[rule]]
cost_centre = "Sales"
tracking.xero = { Region = "Brisbane" }
account.xero = "485"
[[rule]]
category = "*"
account.xero = "489"
account.myob = "6-2210"
account.qbo = "Telephone"
account.hledger = "expenses:telephone"
account.beancount = "Expenses:Telephone"
"""


def month() -> list[dict[str, Any]]:
    """Make October: forty outbound calls over four numbers and four categories."""
    calls = []
    for n in range(40):
        category, number, cost = KINDS[n % len(KINDS)]
        calls.append(
            call(
                900 + n,
                OCTOBER + n * 60_000,
                zone=SYDNEY,
                direction="OUT",
                origin=number,
                destination="+61491570006" if n % 2 else "0491570006",
                rate=category,
                inboundrate="",
                cost=cost,
                duration=30 + n,
            )
        )
    return calls


COST = sum((Decimal(each["cost"]) for each in month()), Decimal(0))


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAXO_API_KEY", KEY)
    monkeypatch.setattr(clock, "now", lambda: SETTLED)


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Issue the month once; the carrier is gone afterwards."""
    folder = tmp_path_factory.mktemp("issued")
    with pytest.MonkeyPatch.context() as patch, Fickle(month()) as carrier:
        patch.setenv("MAXO_API_KEY", KEY)
        patch.setattr(clock, "now", lambda: SETTLED)
        settings(folder, carrier.base_url)
        (folder / "directory.csv").write_text(DIRECTORY, encoding="utf-8")
        (folder / "reports").mkdir()
        (folder / "reports" / "quick.toml").write_text(QUICK, encoding="utf-8")
        done = ran(folder, "run", "2026-10", "--report", "quick", "--json")
        assert done.said["calls"] == 40
        assert Decimal(done.said["cost"]) == COST
    return folder


def settings(folder: Path, address: str, gst: str = "unknown") -> None:
    """Write the settings."""
    (folder / "maxo.toml").write_text(
        f'[account.acme]\nname = "Acme"\ntimezone = "{SYDNEY}"\nbase_url = "{address}"\n'
        f'cost_gst = "{gst}"\n[settings]\ndirectory = "directory.csv"\n',
        encoding="utf-8",
    )


@pytest.fixture
def desk(issued: Path, tmp_path: Path) -> Path:
    """Give a copy of the workspace with a mapping."""
    folder = tmp_path / "desk"
    shutil.copytree(issued, folder)
    (folder / "handoff.toml").write_text(MAPPING, encoding="utf-8")
    return folder


def make(folder: Path, *words: str) -> Ran:
    """Make a handoff."""
    return ran(folder, "handoff", "make", "2026-10", "--json", *words)


def made(folder: Path, *words: str) -> Path:
    """Make a handoff that must succeed; return its folder."""
    done = make(folder, *words)
    assert done.code == 0, done.err
    return Path(done.said["folder"])


def rows(path: Path) -> list[dict[str, str]]:
    """Read a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def myob_lines(folder: Path) -> list[str]:
    """Return the lines of a MYOB journal below its headings."""
    text = (folder / "acme-2026-10-myob-journal.txt").read_text(encoding="utf-8-sig")
    return [line for line in text.splitlines()[1:] if line]


def handoffs(folder: Path) -> Path:
    """Return the folder of the period's handoffs."""
    return folder / "out" / "acme" / "handoffs" / "2026-10"


# --- init ------------------------------------------------------------------------------------


def test_init_writes_what_the_month_holds_and_make_refuses_what_stays_empty(desk):
    """A newcomer's way: every category is there with its dollars, none has an account yet."""
    (desk / "handoff.toml").unlink()
    done = ran(desk, "handoff", "init", "2026-10", "--books", "xero", "--books", "hledger")
    assert done.code == 0, done.err
    text = (desk / "handoff.toml").read_text(encoding="utf-8")
    for category, _, _ in KINDS:
        assert f"category = {json.dumps(category)}" in text
    refused = make(desk, "--target", "xero-bill", *BILL)
    assert refused.code == 2
    for category in {category for category, _, _ in KINDS}:
        assert f"category {category!r} is not mapped to an account of xero" in refused.err
    assert "so xero-bill cannot be made" in refused.err
    assert "$-2.40" in refused.err
    assert not handoffs(desk).exists()
    filled = text.replace('account.xero = ""', 'account.xero = "489"')
    filled = filled.replace('other          = ""', 'other = "490"', 1)
    (desk / "handoff.toml").write_text(filled, encoding="utf-8")
    assert make(desk, "--target", "xero-bill", *BILL).code == 0
    assert make(desk, "--target", "hledger", *BILL).code == 2


def test_init_never_writes_over_a_mapping_and_says_what_it_lacks(desk):
    """The next month has a category more."""
    path = desk / "handoff.toml"
    text = MAPPING.replace('category = "*"', 'category = ["Mobile", "Local"]')
    path.write_text(text, encoding="utf-8")
    said = ran(desk, "handoff", "init", "2026-10").out
    assert 'category = "Free, calls"' in said
    assert 'category = "Mobile"' not in said
    assert path.read_text(encoding="utf-8") == text
    path.write_text(MAPPING, encoding="utf-8")
    assert "has an account for everything" in ran(desk, "handoff", "init", "2026-10").out


# --- make ------------------------------------------------------------------------------------


def test_a_bill_is_the_calls_and_what_the_invoice_asks_beside_them(desk):
    """Lines by category and cost centre; the sum is the invoice's, to the cent."""
    folder = made(desk, "--target", "xero-bill", *BILL)
    bill = rows(folder / "acme-2026-10-xero-bill.csv")
    assert sum(Decimal(row["*UnitAmount"]) for row in bill) == Decimal("150.00")
    by_text = {row["Description"]: row for row in bill}
    sales = by_text["Mobile Sales (8 calls 0:06:20)"]
    assert (sales["*UnitAmount"], sales["*AccountCode"]) == ("2.03", "485")
    assert (sales["TrackingName1"], sales["TrackingOption1"]) == ("Region", "Brisbane")
    workshop = by_text["Mobile Workshop (8 calls 0:06:28)"]
    assert (workshop["*UnitAmount"], workshop["*AccountCode"]) == ("8.26", "489")
    assert {row["*TaxType"] for row in bill} == {"BAS Excluded"}
    assert {row["*InvoiceNumber"] for row in bill} == {"INV-77"}
    assert {row["*DueDate"] for row in bill} == {"17/11/2026"}
    # Calls that cost nothing are no line; a credit is a negative one.
    assert not [text for text in by_text if text.startswith("Free")]
    assert by_text["Local Sales (8 calls 0:06:44)"]["*UnitAmount"] == "-2.40"
    calls = sum(Decimal(row["*UnitAmount"]) for row in bill if row["*AccountCode"] != "490")
    assert calls == Decimal("107.89") == round(COST, 2)


def test_a_credit_is_refused_where_the_program_takes_none_and_nothing_is_written(desk):
    """MYOB's purchases; its journal has the other column for it."""
    done = make(desk, "--target", "hledger", "--target", "myob-purchase", *BILL)
    assert done.code == 2
    assert "line 2, Inc-Tax Amount: -2.40 is negative" in done.err
    assert not handoffs(desk).exists()
    assert not (desk / "archive" / "acme" / "handoffs").exists()
    assert make(desk, "--target", "myob-journal", *BILL).code == 0


@needs("hledger")
def test_gst_is_claimed_only_where_basis_and_invoice_are_declared(desk):
    """On the total, once; with its own leg in a journal."""
    words = ("--target", "xero-bill", "--target", "hledger", *BILL, "--claim-gst")
    refused = make(desk, *words)
    assert refused.code == 2
    assert "nobody has said whether the carrier's cost includes it" in refused.err
    settings(desk, "https://myapi.maxo.com.au/", "exclusive")
    # The pack says what its cost means; so it is issued anew from the archive first.
    assert "was issued with cost_gst 'unknown'" in make(desk, *words).err
    again = ("run", "2026-10", "--report", "quick", "--offline", "--json")
    assert ran(desk, *again).said["revision"] == 2
    folder = made(desk, *words)
    proof = json.loads((folder / "tieout.json").read_bytes())["posted"]["xero"]
    calls = round(COST * 11 / 10, 2)
    other = Decimal("150.00") - calls
    assert Decimal(proof["other"]) == other
    assert Decimal(proof["gst"]) == round((COST / 10 + other / 11), 2)
    path = folder / "acme-2026-10-hledger.journal"
    said = said_by("hledger", "-f", path, "bal", "-N", "assets:gst")
    assert proof["gst"] in said
    taxes = {row["*TaxType"] for row in rows(folder / "acme-2026-10-xero-bill.csv")}
    assert taxes == {"GST on Expenses"}


def test_an_accrual_and_its_reversal_and_an_allocation(desk):
    """No GST, and nothing left over; the allocation nets to nothing on its one account."""
    targets = ("xero-journal", "qbo-journal", "myob-journal", "beancount", "hledger")
    flags = [word for name in targets for word in ("--target", name)]
    folder = made(desk, "--kind", "accrual", "--reverse", *flags)
    journal = rows(folder / "acme-2026-10-xero-journal.csv")
    assert sum(Decimal(row["*Amount"]) for row in journal) == 0
    accrued = [row for row in journal if row["*AccountCode"] == "803"]
    assert [(row["*Date"], row["*Amount"]) for row in accrued] == [
        ("31/10/2026", "-107.89"),
        ("01/11/2026", "107.89"),
    ]
    assert {row["*TaxRate"] for row in journal} == {"BAS Excluded"}
    numbers = {line.split("\t")[0] for line in myob_lines(folder)}
    mapping = (desk / "handoff.toml").read_text(encoding="utf-8")
    mapping = mapping.replace('other = "6-2220"', 'other = "6-2220"\nallocated_from = "6-2210"')
    (desk / "handoff.toml").write_text(mapping, encoding="utf-8")
    two = ("--target", "xero-journal", "--target", "myob-journal")
    folder = made(desk, "--kind", "allocation", *two)
    journal = rows(folder / "acme-2026-10-xero-journal.csv")
    assert sum(Decimal(row["*Amount"]) for row in journal) == 0
    assert not numbers & {line.split("\t")[0] for line in myob_lines(folder)}


def test_the_words_of_a_tax_document_are_in_no_file(desk):
    """A pull of call records is none, and is never called one."""
    made(desk, "--target", "xero-bill", "--target", "posting-excel", *BILL)
    made(desk, "--kind", "accrual", "--target", "hledger", "--target", "beancount")
    assert ran(desk, "handoff", "bundle", "2026-10").code == 0
    for name, content in contents(handoffs(desk)).items():
        if "/statement/" not in name and not name.endswith(".zip"):
            assert b"tax invoice" not in content.lower(), name


WRONG: list[tuple[tuple[str, ...], str]] = [
    (("--target", "xero-bill"), "a bill needs --invoice-number, --invoice-total, --invoice-date"),
    (("--target", "zero-bill", *BILL), "did you mean 'xero-bill'?"),
    (("--target", "xero-journal", *BILL), "target xero-journal is for accrual, allocation, not"),
    (("--target", "gnucash", *BILL), "needs a table [books.gnucash]"),
    (("--target", "posting", *BILL), "ask for it with a target of that program alone"),
    (("--target", "xero-journal", "--kind", "accrual", *BILL), "has no meaning in an accrual"),
    (("--target", "hledger", "--kind", "allocation"), "[books.hledger] allocated_from is missing"),
    (
        ("--target", "xero-bill", *BILL[:3], "150.001", *BILL[4:]),
        "total '150.001' is not understood",
    ),
    (("--target", "xero-bill", *BILL[:5], "3.11.2026"), "day '3.11.2026' is not understood"),
    (("--target", "xero-bill", *BILL, "--due", "2026-11-01"), "before its day"),
    (("--target", "xero-bill", *BILL, "--reverse"), "it takes an accrual back"),
    (("--target", "xero-bill", *BILL, "--replaces", "2026-10/r9"), "there is: none"),
    (("--target", "xero-sales", "--kind", "sale"), "run 'maxo-reports oncharge 2026-10' first"),
]


@pytest.mark.parametrize(("words", "says"), WRONG)
def test_what_does_not_fit_is_refused_in_one_line(desk, words, says):
    """And nothing is written."""
    done = make(desk, *words)
    assert done.code == 2
    assert says in done.err
    assert done.err.count("\n") == 1
    assert not handoffs(desk).exists()


def test_a_difference_that_nobody_explains_is_refused(desk):
    """The bill asks for more than its calls, and the mapping has no account for that."""
    text = MAPPING.replace('other = "490"\n', "")
    (desk / "handoff.toml").write_text(text, encoding="utf-8")
    done = make(desk, "--target", "xero-bill", *BILL)
    assert done.code == 2
    assert "150.00, is +42.11 from what its calls come to, 107.89" in done.err


def test_pre_flight_refuses_before_anything_is_written(desk):
    """The chart that the user exported has no 485."""
    (desk / "chart.csv").write_text("*Code,*Name\n489,Telephone\n490,Plans\n")
    text = MAPPING.replace('other = "490"', 'other = "490"\nchart = "chart.csv"', 1)
    (desk / "handoff.toml").write_text(text, encoding="utf-8")
    done = make(desk, "--target", "xero-bill", *BILL)
    assert done.code == 2
    assert "account '485' is not in chart.csv (did you mean '489'?)" in done.err
    assert not handoffs(desk).exists()


def test_without_a_sealed_pack_there_is_nothing_to_hand_over(desk):
    """And a pack that was changed is none."""
    done = ran(desk, "handoff", "make", "2026-09", "--target", "xero-bill", *BILL)
    assert (done.code, "run 'maxo-reports run 2026-09' first" in done.err) == (2, True)
    path = next((desk / "out" / "acme" / "2026-10" / "r1").glob("*.xlsx"))
    path.write_bytes(path.read_bytes() + b" ")
    assert make(desk, "--target", "xero-bill", *BILL).code == 5


# --- numbers that were given out ---------------------------------------------------------------


def test_an_invoice_number_is_given_out_once_and_for_all(desk):
    """Across months, in whatever capitals, and after the folder of packs is gone."""
    made(desk, "--target", "xero-bill", *BILL)
    lower = tuple(word.lower() for word in BILL)
    done = make(desk, "--target", "hledger", *lower)
    assert done.code == 2
    assert "'inv-77' is in handoff 2026-10/r1 already" in done.err
    assert "add --replaces 2026-10/r1" in done.err
    shutil.rmtree(handoffs(desk))
    assert make(desk, "--target", "hledger", *BILL).code == 2
    again = make(desk, "--target", "xero-bill", *BILL, "--replaces", "2026-10/r1")
    assert (again.code, again.said["reference"]) == (0, "2026-10/r2")
    assert make(desk, "--target", "xero-bill", *BILL, "--replaces", "r1").code == 2
    assert make(desk, "--target", "xero-bill", "--invoice-number", "INV-78", *BILL[2:]).code == 0
    # The notes are at home in the archive.
    looked = ran(desk, "archive", "verify")
    assert (looked.code, "handoffs" in looked.out) == (0, False)


def test_a_kill_between_sealing_and_noting_loses_no_number(desk, monkeypatch):
    """The sealed handoff itself is looked at, too."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(past, "record", killed)
        assert make(desk, "--target", "xero-bill", *BILL).code == 130
    assert (handoffs(desk) / "r1" / "manifest.json").exists()
    done = make(desk, "--target", "xero-bill", *BILL)
    assert (done.code, "is in handoff 2026-10/r1 already" in done.err) == (2, True)


@pytest.mark.parametrize("when", ["journal.put", "readme.of_handoff", "pack.write_json"])
def test_what_fails_on_the_way_leaves_nothing(desk, monkeypatch, when):
    """Not half a handoff, and no number that was given out."""
    module, _, name = when.partition(".")

    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(getattr(making, module), name, fails)
        assert make(desk, "--target", "xero-bill", *BILL).code == 4
    assert not [path for path in handoffs(desk).rglob("*") if path.is_file()]
    assert made(desk, "--target", "xero-bill", *BILL).name == "r1"


def test_the_same_handoff_is_the_same_bytes(desk, tmp_path):
    """On another day, in another folder."""
    other = tmp_path / "other"
    shutil.copytree(desk, other)
    for folder in (desk, other):
        made(folder, "--target", "xero-bill", "--target", "beancount", *BILL)
        assert ran(folder, "handoff", "bundle", "2026-10").code == 0
    assert contents(handoffs(desk)) == contents(handoffs(other))


# --- bundle ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def packed(issued: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a bill, an accrual and the bundle once; return the workspace."""
    folder = tmp_path_factory.mktemp("packed") / "desk"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: SETTLED)
        shutil.copytree(issued, folder)
        (folder / "handoff.toml").write_text(MAPPING, encoding="utf-8")
        made(folder, "--target", "xero-bill", "--target", "hledger", *BILL)
        made(folder, "--kind", "accrual", "--target", "hledger")
        done = ran(folder, "handoff", "bundle", "2026-10", "--json")
        assert done.code == 0, done.err
        assert not done.said["unchanged"]
    return folder


@pytest.fixture
def bundled(packed: Path, tmp_path: Path) -> Path:
    """Give a copy of the workspace with its bundle; return the bag."""
    folder = tmp_path / "desk"
    shutil.copytree(packed, folder)
    return handoffs(folder) / "bundle-1" / "acme-2026-10-bundle"


@pytest.fixture
def office(bundled: Path) -> Path:
    """Give the workspace of the bundle."""
    return bundled.parents[5]


def test_a_bundle_is_whole_for_us_for_bagit_and_for_sha256sum(bundled, office):
    """All the evidence is in it, each part the very bytes that were issued."""
    assert ran(office, "verify", str(bundled)).code == 0
    program = Path(sys.executable).with_name("bagit.py")
    said_by(sys.executable, program, "--quiet", "--validate", bundled)
    for name in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        checked = subprocess.run(
            ["sha256sum", "--strict", "-c", name], cwd=bundled, capture_output=True, check=False
        )
        assert checked.returncode == 0, checked.stderr
    data = bundled / "data"
    sealed = office / "out" / "acme" / "2026-10" / "r1"
    assert contents(data / "statement") == contents(sealed)
    assert contents(data / "handoff-r1") == contents(handoffs(office) / "r1")
    replies = {path.stem for path in (data / "replies").iterdir()}
    behind = json.loads((sealed / "manifest.json").read_bytes())["replies"]
    assert replies == {reply["sha256"] for reply in behind}
    assert {path.name for path in data.iterdir()} == {
        *("statement", "handoff-r1", "handoff-r2", "calls", "replies"),
        *("tieout.json", "sign-off.txt"),
    }


def test_calls_are_there_exactly_and_for_excel(bundled):
    """Every call once in each; one says every text as it is, the other can be opened."""
    exact = rows(bundled / "data" / "calls" / "calls-exact-unguarded.csv")
    guarded = rows(bundled / "data" / "calls" / "calls-for-excel-guarded.csv")
    raw = {str(each["callid"]): each for each in month()}
    assert [row["call_id"] for row in exact] == [row["Call ID"] for row in guarded] == list(raw)
    for row, shown in zip(exact, guarded, strict=True):
        said = raw[row["call_id"]]
        assert (row["category"], row["b_party"]) == (said["rate"], said["destination"])
        assert Decimal(row["cost"]) == Decimal(shown["Cost"]) == Decimal(said["cost"])
        number = shown["To"]
        assert number in {"0491 570 006", "'+61491570006"}
        assert shown["From"].replace(" ", "") == row["a_party"]
        for name in ("Rate category", "From", "To", "Service number", "Status"):
            assert not shown[name].startswith(("=", "+", "-", "@"))
    path = bundled / "data" / "calls" / "calls-for-excel-guarded.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


@needs("soffice")
def test_a_spreadsheet_program_keeps_the_numbers(bundled, tmp_path):
    """The zero in front is still there after a program has opened the file and written it."""
    path = bundled / "data" / "calls" / "calls-for-excel-guarded.csv"
    profile = (tmp_path / "profile").as_uri()
    said_by(
        *("soffice", f"-env:UserInstallation={profile}", "--headless", "--convert-to", "csv"),
        *("--outdir", tmp_path, path),
    )
    kept = rows(tmp_path / path.name)
    assert {row["From"] for row in kept} == {row["From"] for row in rows(path)}
    assert {row["To"] for row in kept} == {row["To"] for row in rows(path)}


def test_the_zip_is_the_folder(bundled, office):
    """Byte for byte, and ``verify`` takes it as it is."""
    package = bundled.with_name(f"{bundled.name}.zip")
    assert ran(office, "verify", str(package)).code == 0
    with zipfile.ZipFile(package) as opened:
        there = {name: opened.read(name) for name in opened.namelist()}
    assert there == {f"{bundled.name}/{name}": c for name, c in contents(bundled).items()}


def test_the_tie_out_of_the_bundle_names_everything_and_agrees(bundled):
    """Calls, statement, handoffs: one set of control totals."""
    said = json.loads((bundled / "data" / "tieout.json").read_bytes())
    assert Decimal(said["control_totals"]["cost"]) == COST
    assert said["statement"]["control_totals"] == said["control_totals"]
    assert [each["calls"] for each in said["calls"]] == [40, 40]
    for each in said["handoffs"]:
        assert each["control_totals"] == said["control_totals"]
        for proof in each["proofs"].values():
            steps = [Decimal(proof[n]) for n in ("cost", "gst_step", "rounding", "other")]
            assert sum(steps) == Decimal(proof["payable"])
            assert steps[0] == COST


def test_the_same_again_makes_no_second_bundle(bundled, office):
    """Nor does a look at it change it; something new makes the next."""
    before = contents(handoffs(office))
    done = ran(office, "handoff", "bundle", "2026-10", "--json")
    assert (done.said["unchanged"], Path(done.said["folder"])) == (True, bundled)
    assert contents(handoffs(office)) == before
    made(office, "--kind", "allocation", "--target", "xero-journal")
    done = ran(office, "handoff", "bundle", "2026-10", "--json")
    assert not done.said["unchanged"]
    assert Path(done.said["folder"]).parent.name == "bundle-2"
    assert contents(bundled) == {
        name.partition(f"{bundled.name}/")[2]: content
        for name, content in before.items()
        if name.startswith(f"bundle-1/{bundled.name}/")
    }


def test_a_replaced_handoff_is_left_out_and_others_can_be_chosen(bundled, office):
    """By default those that none replaces."""
    made(office, "--target", "xero-bill", *BILL, "--replaces", "2026-10/r1")
    folder = Path(ran(office, "handoff", "bundle", "2026-10", "--json").said["folder"])
    assert {path.name for path in (folder / "data").glob("handoff-*")} == {
        "handoff-r2",
        "handoff-r3",
    }
    words = ("handoff", "bundle", "2026-10", "--json", "--handoff")
    folder = Path(ran(office, *words, "r1").said["folder"])
    assert {path.name for path in (folder / "data").glob("handoff-*")} == {"handoff-r1"}
    refused = ran(office, *words, "r9")
    assert (refused.code, "there is: r1, r2, r3" in refused.err) == (2, True)


def unlink(path: Path) -> None:
    """Take a file away."""
    path.unlink()


def spoil(path: Path) -> None:
    """Change a byte."""
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def add(path: Path) -> None:
    """Put a file beside another."""
    path.with_name("more.txt").write_text("more")


DAMAGE: list[tuple[str, Callable[[Path], None], str]] = [
    ("data/calls/calls-exact-unguarded.csv", spoil, "was changed after it was issued"),
    ("data/statement/completeness.json", unlink, "is missing"),
    ("data/sign-off.txt", add, "data/more.txt does not belong to it"),
    ("README.txt", spoil, "README.txt was changed"),
    ("bag-info.txt", add, "more.txt does not belong to it"),
    ("manifest-sha256.txt", spoil, "manifest-sha256.txt"),
    ("tagmanifest-sha256.txt", unlink, "the bundle is damaged"),
]


@pytest.mark.parametrize(("name", "damage", "says"), DAMAGE)
def test_any_change_to_a_bundle_is_noticed(bundled, office, name, damage, says):
    """What is changed, missing or added."""
    damage(bundled / name)
    done = ran(office, "verify", str(bundled))
    assert done.code in {4, 5}
    assert says in done.err


def test_a_bundle_whose_hashes_were_made_anew_is_still_held_to_its_figures(bundled, office):
    """A cent in the journal, a cost in the list: the parts no longer agree."""
    from maxo_reports import bag, pack

    path = bundled / "data" / "handoff-r1" / "acme-2026-10-xero-bill.csv"
    path.write_bytes(path.read_bytes().replace(b",2.03,", b",2.04,", 1))
    handoff = path.parent
    manifest = json.loads((handoff / "manifest.json").read_bytes())
    for entry in manifest["files"]:
        entry["sha256"] = pack.sums.of(handoff / entry["name"])
    (handoff / "manifest.json").write_text(json.dumps(manifest))
    (handoff / "SHA256SUMS").write_bytes(pack._sums(handoff, manifest))
    for name in (bag.DECLARATION, bag.MANIFEST, bag.TAGS):
        (bundled / name).unlink()
    bag.close(bundled, {})
    done = ran(office, "verify", str(bundled))
    assert done.code == 5
    assert "account 485" in done.err
    assert ran(office, "verify", str(handoff)).code == 5


def test_a_handoff_of_an_earlier_pack_is_not_bundled(office):
    """Its figures are not those of the statement beside it: it is made again first."""
    settings(office, "https://myapi.maxo.com.au/", "inclusive")
    assert "was issued with cost_gst" in ran(office, "handoff", "bundle", "2026-10").err
    again = ran(office, "run", "2026-10", "--report", "quick", "--offline", "--json")
    assert again.said["revision"] == 2
    refused = ran(office, "handoff", "bundle", "2026-10")
    assert (refused.code, "handoff r1 is of pack r1" in refused.err) == (2, True)
    made(office, "--target", "xero-bill", *BILL, "--replaces", "2026-10/r1")
    made(office, "--kind", "accrual", "--target", "hledger", "--replaces", "2026-10/r2")
    done = ran(office, "handoff", "bundle", "2026-10", "--json")
    assert Path(done.said["folder"]).parent.name == "bundle-2"


def test_nothing_of_a_bundle_stays_where_it_fails(desk, monkeypatch):
    """A full disk on the way: no folder, no draft."""
    made(desk, "--target", "xero-bill", *BILL)
    before = contents(handoffs(desk))

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files, "sync_file", fails)
        assert ran(desk, "handoff", "bundle", "2026-10").code == 4
    assert contents(handoffs(desk)) == before


def test_a_damaged_note_of_numbers_stops_the_next_handoff(desk):
    """A number that could not be read could be given out again; and ``archive verify`` says so."""
    made(desk, "--target", "xero-bill", *BILL)
    (note,) = (desk / "archive" / "acme" / "handoffs").iterdir()
    spoil(note)
    done = make(desk, "--target", "xero-bill", "--invoice-number", "INV-78", *BILL[2:])
    assert (done.code, note.name in done.err) == (4, True)
    looked = ran(desk, "archive", "verify")
    assert (looked.code, "could be given out again" in looked.out) == (4, True)
