"""Sales invoices for on-charging: what each client's sealed statement says, to the cent."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from carriers import KEY
from handoffs import needs, said_by
from test_oncharge import Office, planted
from workspaces import QUICK, SETTLED, Fickle, ran

from maxo_reports.cli import clock

pytestmark = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler is not installed")
MAPPING = """\
version = 1
[books.xero]
sales = "200"
[books.hledger]
sales = "income:calls"
receivable = "assets:receivable"
gst_collected = "liabilities:gst"
[[rule]]
client = "Smith Dental"
contact = "Smith Dental Pty Ltd"
tracking.xero = { Region = "Sydney" }
"""


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAXO_API_KEY", KEY)
    monkeypatch.setattr(clock, "now", lambda: SETTLED)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Yield a reseller's workspace whose month is issued."""
    with Fickle(planted(20)) as carrier:
        made = Office(tmp_path, carrier)
        (tmp_path / "reports").mkdir()
        made.write("reports/quick.toml", QUICK)
        made.write("handoff.toml", MAPPING)
        again = ran(tmp_path, "run", "2026-10", "--report", "quick", "--json")
        assert again.said["calls"] == 20
        yield made


@needs("hledger")
def test_an_invoice_for_each_client_is_what_its_statement_says(office):
    """Contact, tracking, lines, GST and total; in Xero's form, and as a journal."""
    words = ("handoff", "make", "2026-10", "--kind", "sale", "--json")
    early = ran(office.folder, *words, "--target", "xero-sales")
    assert (early.code, "run 'maxo-reports oncharge 2026-10' first" in early.err) == (2, True)
    charged = office.oncharge().said["clients"]
    done = ran(
        *(office.folder, *words, "--invoice-date", "2026-11-02"),
        *("--target", "xero-sales", "--target", "hledger"),
    )
    assert done.code == 0, done.err
    folder = Path(done.said["folder"])
    with (folder / "acme-2026-10-xero-sales.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    contacts = {"smith": "Smith Dental Pty Ltd", "jones": "Jones & Co"}
    for client in charged:
        own = [row for row in rows if row["*InvoiceNumber"] == f"{client['client']}-2026-10"]
        assert {row["*ContactName"] for row in own} == {contacts[client["client"]]}
        total = sum(Decimal(row["*UnitAmount"]) for row in own)
        assert total == Decimal(client["payable"])
        assert {row["*TaxType"] for row in own} == {"GST on Income"}
        assert {row["Reference"] for row in own} == {"Calls 2026-10"}
        assert {row["*InvoiceDate"] for row in own} == {"02/11/2026"}
        assert {row["*DueDate"] for row in own} == {"16/11/2026"}
        assert {row["*AccountCode"] for row in own} == {"200"}
        region = {row["TrackingOption1"] for row in own}
        assert region == ({"Sydney"} if client["client"] == "smith" else {""})
    journal = folder / "acme-2026-10-hledger.journal"
    said_by("hledger", "-f", journal, "check", "--strict")
    gst = sum(Decimal(client["gst"]) for client in charged)
    assert f"AUD -{gst:,.2f}" in said_by("hledger", "-f", journal, "bal", "liabilities:gst")
    proof = json.loads((folder / "tieout.json").read_bytes())["posted"]["xero"]
    assert Decimal(proof["payable"]) == sum(Decimal(client["payable"]) for client in charged)
    assert Decimal(proof["gst"]) == gst
    assert ran(office.folder, "verify", str(folder)).code == 0
    # A second time the same invoices would be charged twice.
    twice = ran(office.folder, *words, "--target", "xero-sales")
    assert "'smith-2026-10' is in handoff 2026-10/r1 already" in twice.err

    # The margin report and the clients' packs are held against each other.
    (pack,) = (office.folder / "out" / "acme" / "client-smith" / "2026-10").iterdir()
    path = pack / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"Number hire", b"Number higher"))
    changed = ran(office.folder, *words, "--target", "xero-sales", "--replaces", "r1")
    assert (changed.code, "manifest" in changed.err) == (5, True)
