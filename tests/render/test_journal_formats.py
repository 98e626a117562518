"""Handoff files against what each program's page says: headings verbatim, and rules by field.

Headings and rules stand here as the pages give them, apart from the column maps under test;
Frictionless reads the files and holds them to it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from frictionless import Detector, Dialect, Resource, Schema, formats
from handoffs import HOSTILE, lines_for, written
from postings import with_tracking, worded

DAY = r"(0[1-9]|[12][0-9]|3[01])/(0[1-9]|1[0-2])/20[0-9]{2}"
ISO = r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
SIGNED = r"-?[0-9]{1,12}\.[0-9]{2}"
POSITIVE = r"[0-9]{1,12}\.[0-9]{2}"
FILLED = r"[\s\S]+"

XERO_TAX = "|".join(
    (
        *("GST on Expenses", "GST Free Expenses", "GST on Income", "GST Free Income"),
        *("GST on Capital", "GST Free Capital", "GST on Imports", "Input Taxed", "BAS Excluded"),
    )
)
PO = ",".join(
    (
        *("EmailAddress", "POAddressLine1", "POAddressLine2", "POAddressLine3"),
        *("POAddressLine4", "POCity", "PORegion", "POPostalCode", "POCountry"),
    )
)
TRACKING = "TrackingName1,TrackingOption1,TrackingName2,TrackingOption2"
MYOB_JOURNAL = (
    "Journal Number|Date|Memo|GST [BAS] Reporting|Inclusive|Account Number|Debit Ex-Tax Amount|"
    "Debit Inc-Tax Amount|Credit Ex-Tax Amount|Credit Inc-Tax Amount|Job|Tax Code|"
    "Non-GST/LCT Amount|Tax Amount|LCT Amount|Import Duty Amount|Currency Code|Exchange Rate|"
    "Allocation Memo|Category"
)
HEADINGS: dict[str, str] = {
    "xero-bill": (
        f"*ContactName,{PO},*InvoiceNumber,*InvoiceDate,*DueDate,Total,InventoryItemCode,"
        f"Description,*Quantity,*UnitAmount,*AccountCode,*TaxType,TaxAmount,{TRACKING},Currency"
    ),
    "xero-sales": (
        f"*ContactName,{PO},*InvoiceNumber,Reference,*InvoiceDate,*DueDate,InventoryItemCode,"
        f"*Description,*Quantity,*UnitAmount,Discount,*AccountCode,*TaxType,{TRACKING},"
        "Currency,BrandingTheme"
    ),
    "xero-journal": (f"*Narration,*Date,Description,*AccountCode,*TaxRate,*Amount,{TRACKING}"),
    "myob-journal": MYOB_JOURNAL.replace("|", "\t"),
    "myob-purchase": (
        "Co./Last Name|Inclusive|Purchase No.|Date|Supplier Invoice No.|Description|Account No.|"
        "Amount|Inc-Tax Amount|Job|Tax Code|Tax Amount|Journal Memo|Purchase Status"
    ).replace("|", "\t"),
    "qbo-journal": (
        "*JournalNo,*JournalDate,*AccountName,*Debits,*Credits,Description,Name,Currency,"
        "Location,Class"
    ),
    "qbo-bill": (
        "*BillNo,*Supplier,*BillDate,*DueDate,Terms,Location,Memo,*Account,LineDescription,"
        "*LineAmount,Currency"
    ),
    "gnucash": (
        "Date,Transaction ID,Number,Description,Notes,Commodity/Currency,Void Reason,Action,"
        "Memo,Full Account Name,Account Name,Amount With Sym,Amount Num.,Value With Sym,"
        "Value Num.,Reconcile,Reconcile Date,Rate/Price"
    ),
    "posting": (
        "Entry,Kind,Date,Contact,Account,Description,Debit,Credit,GST in it,Tax,Tax name,"
        "Tracking 1,Option 1,Tracking 2,Option 2,Calls,Seconds,Cost,Currency"
    ),
}
RULES: dict[str, dict[str, str]] = {
    "xero-bill": {
        "*ContactName": FILLED,
        "*InvoiceNumber": FILLED,
        "*InvoiceDate": DAY,
        "*DueDate": DAY,
        "*Quantity": "1",
        "*UnitAmount": SIGNED,
        "*AccountCode": r"[^,\s]{1,10}",
        "*TaxType": XERO_TAX,
    },
    "xero-sales": {
        "*ContactName": FILLED,
        "*InvoiceNumber": FILLED,
        "*InvoiceDate": DAY,
        "*DueDate": DAY,
        "*Description": FILLED,
        "*Quantity": "1",
        "*UnitAmount": SIGNED,
        "*AccountCode": r"[^,\s]{1,10}",
        "*TaxType": XERO_TAX,
    },
    "xero-journal": {
        "*Narration": FILLED,
        "*Date": DAY,
        "*AccountCode": r"[^,\s]{1,10}",
        "*TaxRate": "BAS Excluded",
        "*Amount": SIGNED,
    },
    "myob-journal": {
        "Journal Number": r".{1,8}",
        "Date": DAY,
        "Memo": r".{0,255}",
        "GST [BAS] Reporting": "[PS]",
        "Account Number": r"[0-9][^0-9]?[0-9]{4}",
        "Tax Code": "GST|FRE|CAP|INP|N-T|GNR|ITS|EXP",
        "Allocation Memo": r".{0,255}",
    },
    "myob-purchase": {
        "Co./Last Name": r".{1,50}",
        "Inclusive": "X",
        "Purchase No.": r".{1,8}",
        "Date": DAY,
        "Supplier Invoice No.": r".{1,20}",
        "Description": r".{0,255}",
        "Account No.": r"[0-9][^0-9]?[0-9]{4}",
        "Amount": POSITIVE,
        "Inc-Tax Amount": POSITIVE,
        "Tax Code": "GST|FRE|CAP|INP|N-T|GNR|ITS|EXP",
        "Tax Amount": POSITIVE,
        "Purchase Status": "B",
    },
    "qbo-journal": {
        "*JournalNo": r"[^,]{1,21}",
        "*JournalDate": DAY,
        "*AccountName": r"[^,]+",
    },
    "qbo-bill": {
        "*BillNo": r"[^,]{1,21}",
        "*Supplier": r"[^,]+",
        "*BillDate": DAY,
        "*DueDate": DAY,
        "*Account": r"[^,]+",
        "*LineAmount": SIGNED,
    },
    "gnucash": {
        "Date": ISO,
        "Transaction ID": FILLED,
        "Commodity/Currency": "CURRENCY::AUD",
        "Full Account Name": FILLED,
        "Amount Num.": SIGNED,
        "Value Num.": SIGNED,
        "Reconcile": "n",
        "Rate/Price": "1",
    },
    "posting": {
        "Entry": FILLED,
        "Kind": "bill|accrual|allocation|sale",
        "Date": ISO,
        "Account": FILLED,
        "GST in it": POSITIVE,
        "Tax": "gst|free|none",
        "Currency": "AUD",
    },
}
OPTIONAL: dict[str, dict[str, str]] = {
    "myob-journal": dict.fromkeys(
        (
            *("Debit Ex-Tax Amount", "Debit Inc-Tax Amount", "Credit Ex-Tax Amount"),
            *("Credit Inc-Tax Amount", "Tax Amount"),
        ),
        POSITIVE,
    ),
    # The unused side is empty, never 0; no comma anywhere, for a reader that cuts at each.
    "qbo-journal": {
        "*Debits": r"(?!0+\.00)[0-9]+\.[0-9]{2}",
        "*Credits": r"(?!0+\.00)[0-9]+\.[0-9]{2}",
        "Description": r"[^,]*",
    },
    "qbo-bill": {"LineDescription": r"[^,]*", "Memo": r"[^,]*"},
    "posting": {
        "Debit": POSITIVE,
        "Credit": POSITIVE,
        "Calls": r"[0-9]+",
        "Seconds": r"[0-9]+",
        "Cost": r"-?[0-9]+\.[0-9]{2,6}",
    },
}
KINDS = {
    "xero-bill": ("bill",),
    "xero-sales": ("sale",),
    "xero-journal": ("accrual", "allocation"),
    "myob-journal": ("bill", "accrual", "allocation"),
    "myob-purchase": ("bill",),
    "qbo-journal": ("accrual", "allocation"),
    "qbo-bill": ("bill",),
    "gnucash": ("bill", "accrual", "allocation", "sale"),
    "posting": ("bill", "accrual", "allocation", "sale"),
}
TABS = ("myob-journal", "myob-purchase")


def schema(name: str) -> Schema:
    """Describe a format to Frictionless: each heading, and what its fields may hold."""
    fields: list[dict[str, Any]] = []
    for heading in re.split("[,\t]", HEADINGS[name]):
        field: dict[str, Any] = {"name": heading, "type": "string"}
        if heading in RULES[name]:
            field["constraints"] = {"required": True, "pattern": RULES[name][heading]}
        elif heading in OPTIONAL.get(name, {}):
            field["constraints"] = {"pattern": OPTIONAL[name][heading]}
        fields.append(field)
    return Schema.from_descriptor({"fields": fields, "missingValues": [""]})


def faults(path: Path, name: str) -> list[str]:
    """Say everything in which a file is not what its format's page describes."""
    control = formats.CsvControl(delimiter="\t" if name in TABS else ",")
    content = path.read_bytes().decode("utf-8")
    if name in TABS:
        # A blank line ends a transaction, and is no row.
        content = content.replace("\r\n\r\n", "\r\n")
    resource = Resource(
        data=content.encode(),
        format="csv",
        encoding="utf-8",
        dialect=Dialect(controls=[control]),
        schema=schema(name),
        detector=Detector(schema_sync=False),
    )
    report = resource.validate()
    return [error.message for task in report.tasks for error in task.errors]


EVERY = [(name, kind) for name, kinds in KINDS.items() for kind in kinds]


@pytest.mark.parametrize(("name", "kind"), EVERY)
def test_every_file_keeps_to_its_formats_page(tmp_path, name, kind):
    """Headings to the letter, UTF-8 without a mark, CR LF, and each field's own rules."""
    (file,) = written(tmp_path, name, kind)
    raw = file.path.read_bytes()
    assert raw.decode("utf-8").split("\r\n")[0] == HEADINGS[name]
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\n") == raw.count(b"\r\n") > 1
    assert raw.endswith(b"\r\n")
    assert faults(file.path, name) == []


@pytest.mark.parametrize(
    ("name", "kind", "right", "wrong"),
    [
        ("xero-bill", "bill", "GST on Expenses", "GST on expenses"),
        ("xero-bill", "bill", "03/11/2026", "2026-11-03"),
        ("xero-bill", "bill", "*UnitAmount", "UnitAmount"),
        ("xero-journal", "accrual", "-1.33", "$1.33"),
        ("myob-journal", "bill", "6-2210", "62-210"),
        ("myob-journal", "bill", "B261031", "B26103100"),
        ("qbo-journal", "accrual", "CDR-20261031-ACC,", "CDR-20261031-ACC-AND-MORE,"),
        ("gnucash", "bill", "CURRENCY::AUD", "AUD"),
    ],
)
def test_the_rules_notice_what_is_wrong(tmp_path, name, kind, right, wrong):
    """So that their silence means something."""
    (file,) = written(tmp_path, name, kind)
    text = file.path.read_bytes().decode("utf-8")
    assert right in text
    file.path.write_bytes(text.replace(right, wrong, 1).encode())
    assert faults(file.path, name)


@pytest.mark.parametrize(
    ("name", "kind"), [("myob-journal", "accrual"), ("myob-purchase", "bill")]
)
def test_myob_has_a_blank_line_after_each_entry_and_no_negatives(tmp_path, name, kind):
    """Two entries, two blank lines; a credit stands in the other column."""
    (file,) = written(tmp_path, name, kind)
    lines = file.path.read_bytes().decode().split("\r\n")
    assert lines[-1] == ""
    blanks = [at for at, line in enumerate(lines[:-1]) if line == ""]
    assert len(blanks) == len(file.whole.entries)
    assert blanks[-1] == len(lines) - 2
    for line in lines[1:]:
        assert not re.search(r"\t-[0-9]", line)


def test_xero_takes_two_tracking_categories_and_qbo_its_own(tmp_path):
    """Options stand beside their names in Xero, under their headings in QuickBooks."""
    line = with_tracking(worded("10.00"), Region="Brisbane", Team="Sales")
    (file,) = written(tmp_path, "xero-bill", "bill", lines=[line])
    assert b",Region,Brisbane,Team,Sales,AUD\r\n" in file.path.read_bytes()
    line = with_tracking(worded("10.00", "Telephone"), Class="Sales", Location="Brisbane")
    (file,) = written(tmp_path, "qbo-journal", "accrual", lines=[line])
    assert b",MaxoTel,AUD,Brisbane,Sales\r\n" in file.path.read_bytes()


def test_the_exact_posting_list_keeps_every_text_and_the_one_for_excel_guards_it(tmp_path):
    """One for programs, byte for byte; one to look at, in which no cell is a formula."""
    import csv

    lists = {}
    for name, encoding in (("posting", "utf-8"), ("posting-excel", "utf-8-sig")):
        (file,) = written(tmp_path, name, "bill", lines=lines_for("xero"))
        raw = file.path.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")
        rows = list(csv.DictReader(raw.decode(encoding).splitlines()))
        lists[name] = [row["Description"] for row in rows]
    assert lists["posting"][: len(HOSTILE)] == list(HOSTILE)
    assert not [text for text in lists["posting-excel"] if text[0] in "=+-@"]
    assert [text.removeprefix("'") for text in lists["posting-excel"]] == lists["posting"]
