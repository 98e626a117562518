"""Handoff files before other programs: they accept them, and add them up to our totals."""

from __future__ import annotations

import csv
import io
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from handoffs import ACCOUNTS, needs, said_by, written
from postings import worded

from maxo_reports.core.handoff.target import legs

KINDS = ("bill", "accrual", "allocation", "sale")


def balances(whole, *, gst_leg=True) -> dict[str, Decimal]:
    """Add a posting set up by account, accounts of nothing left out."""
    sums: dict[str, Decimal] = {}
    for entry in whole.entries:
        for leg in legs(entry, gst_leg=gst_leg):
            sums[leg.account] = sums.get(leg.account, Decimal(0)) + leg.debit
    return {account: dollars for account, dollars in sums.items() if dollars}


def by_hledger(path: Path, *words: str) -> dict[str, Decimal]:
    """Read a file's balances with hledger."""
    said = said_by("hledger", "-f", path, *words, "bal", "--flat", "-N", "-O", "csv")
    rows = list(csv.DictReader(io.StringIO(said)))
    return {
        row["account"]: Decimal(row["balance"].replace("AUD", "").replace(",", "").strip())
        for row in rows
    }


@needs("hledger")
@pytest.mark.parametrize("kind", KINDS)
def test_hledger_takes_the_journal_in_its_strictest_mode(tmp_path, kind):
    """And its balances are ours."""
    (file,) = written(tmp_path, "hledger", kind)
    checks = ("ordereddates", "payees", "uniqueleafnames")
    said_by("hledger", "-f", file.path, "check", "--strict", *checks)
    assert by_hledger(file.path) == balances(file.whole)


@needs("ledger")
@pytest.mark.parametrize("kind", KINDS)
def test_ledger_takes_the_same_journal_in_its_strictest_mode(tmp_path, kind):
    """The same file, the same balances, from a program that shares no code with hledger."""
    (file,) = written(tmp_path, "hledger", kind)
    said_by("ledger", "-f", file.path, "--strict", "--pedantic", "source")
    form = "%(account)\t%(quantity(amount))\n"
    said = said_by(
        *("ledger", "-f", file.path, "--strict", "--pedantic", "register"),
        *("--register-format", form),
    )
    sums: dict[str, Decimal] = {}
    for line in said.splitlines():
        account, _, dollars = line.partition("\t")
        sums[account] = sums.get(account, Decimal(0)) + Decimal(dollars)
    assert {a: d for a, d in sums.items() if d} == balances(file.whole)


@needs("hledger")
@needs("ledger")
def test_one_cent_is_noticed_by_both(tmp_path):
    """So that their yes means something."""
    (file,) = written(tmp_path, "hledger", "bill")
    text = file.path.read_text(encoding="utf-8")
    assert "-150.00 AUD" in text
    file.path.write_text(text.replace("-150.00 AUD", "-150.01 AUD"), encoding="utf-8")
    for words in (
        ("hledger", "-f", file.path, "check", "--strict"),
        ("ledger", "-f", file.path, "--strict", "--pedantic", "source"),
    ):
        done = subprocess.run([str(w) for w in words], capture_output=True, check=False)
        assert done.returncode != 0, words


def bean_check(path: Path) -> subprocess.CompletedProcess[str]:
    """Run bean-check of this Python."""
    program = Path(sys.executable).with_name("bean-check")
    return subprocess.run([program, path], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", KINDS)
def test_bean_check_takes_the_ledger_with_no_tolerance(tmp_path, kind):
    """Balances are asserted in the file; beancount's own loader adds them up, too."""
    from beancount import loader
    from beancount.core import realization
    from beancount.core.data import Transaction

    (file,) = written(tmp_path, "beancount", kind)
    done = bean_check(file.path)
    assert (done.returncode, done.stderr) == (0, "")
    entries, errors, options = loader.load_file(str(file.path))
    assert not errors
    assert options["tolerance_multiplier"] == 0
    root = realization.realize([e for e in entries if isinstance(e, Transaction)])
    seen = {
        node.account: node.balance.get_currency_units("AUD").number
        for node in realization.iter_children(root)
        if not node.balance.is_empty()
    }
    assert seen == balances(file.whole)


@pytest.mark.parametrize("wrong", ["0.004", "0.01"])
def test_bean_check_notices_less_than_half_a_cent(tmp_path, wrong):
    """With its own tolerance it would let 0.004 pass."""
    (file,) = written(tmp_path, "beancount", "bill")
    text = file.path.read_text(encoding="utf-8")
    assert text.count("-150.00 AUD") == 2
    changed = f"{Decimal('-150.00') - Decimal(wrong)} AUD"
    file.path.write_text(text.replace("-150.00 AUD", changed, 1), encoding="utf-8")
    assert "does not balance" in bean_check(file.path).stderr


RULES = {
    "xero-journal": """\
skip 1
separator ,
fields narration, date, desc, account, tax, amount
date-format %d/%m/%Y
currency AUD
account1 xero:%account
account2 equity:clearing
""",
    "qbo-journal": """\
skip 1
separator ,
fields jno, date, account, amount-in, amount-out, desc, name, cur
date-format %d/%m/%Y
currency AUD
account1 qbo:%account
account2 equity:clearing
""",
    "myob-journal": """\
skip 1
separator TAB
fields jno, date, memo, bas, incl, account, dx, amount-in, cx, amount-out, job, tax
date-format %d/%m/%Y
currency AUD
account1 myob:%account
account2 equity:clearing
""",
}
"""Target -> how hledger reads it as a bank's CSV, with everything against one account."""


@needs("hledger")
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("kind", ["accrual", "allocation", "bill"])
def test_hledger_reads_the_import_files_and_clearing_is_nothing(tmp_path, name, kind):
    """A program that knows nothing of ours finds the same dollars on every account."""
    if kind == "bill" and name != "myob-journal":
        pytest.skip("this program takes a bill as a bill")
    (file,) = written(tmp_path, name, kind)
    rules = tmp_path / "journal.rules"
    rules.write_text(RULES[name], encoding="utf-8")
    path = file.path
    if name == "myob-journal":
        # hledger knows tabs by the name of the file, and stops at the blank line of MYOB.
        path = tmp_path / "journal.tsv"
        rows = [row for row in file.path.read_text(encoding="utf-8").splitlines() if row]
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    seen = by_hledger(path, "--rules-file", str(rules))
    assert seen.pop("equity:clearing", Decimal(0)) == Decimal("0.00")
    prefix = name.partition("-")[0]
    wanted = balances(file.whole, gst_leg=False)
    assert seen == {f"{prefix}:{account}": dollars for account, dollars in wanted.items()}


@needs("hledger")
@pytest.mark.parametrize(
    ("name", "kind", "fields"),
    [
        ("xero-bill", "bill", {"date": 12, "desc": 16, "amount": 18, "account": 19}),
        ("xero-sales", "sale", {"date": 13, "desc": 16, "amount": 18, "account": 20}),
        ("qbo-bill", "bill", {"date": 3, "desc": 9, "amount": 10, "account": 8}),
    ],
)
def test_hledger_reads_bills_and_invoices_and_finds_the_payable_total(
    tmp_path, name, kind, fields
):
    """Everything against one account is what the document asks for."""
    (file,) = written(tmp_path, name, kind)
    columns = [""] * 27
    for field, at in fields.items():
        columns[at - 1] = field
    (tmp_path / "r.rules").write_text(
        f"skip 1\nseparator ,\nfields {', '.join(columns)}\ndate-format %d/%m/%Y\ncurrency AUD\n"
        "account1 lines:%account\naccount2 payable\n",
        encoding="utf-8",
    )
    seen = by_hledger(file.path, "--rules-file", str(tmp_path / "r.rules"))
    assert -seen.pop("payable") == file.whole.booked
    assert sum(seen.values()) == file.whole.booked


def gnucash() -> bool:
    """Tell whether the system's Python can load GnuCash."""
    done = subprocess.run(
        ["/usr/bin/python3", "-c", "import gnucash"], capture_output=True, check=False
    )
    return done.returncode == 0


TRIAL = """
import csv, sys
from decimal import Decimal
from gnucash import Account, GncNumeric, Session, SessionOpenMode, Split, Transaction

path, book_path = sys.argv[1:]
session = Session("xml://" + book_path, SessionOpenMode.SESSION_NEW_STORE)
book = session.book
aud = book.get_table().lookup("CURRENCY", "AUD")
root, known = book.get_root_account(), {}

def account(name):
    if name not in known:
        parent, _, leaf = name.rpartition(":")
        made = Account(book)
        made.SetName(leaf)
        made.SetCommodity(aud)
        made.SetType(2)
        (account(parent) if parent else root).append_child(made)
        known[name] = made
    return known[name]

current, last = None, None
for row in csv.DictReader(open(path, encoding="utf-8", newline="")):
    if row["Transaction ID"] != last:
        if current is not None:
            assert current.IsBalanced(), last
            current.CommitEdit()
        current, last = Transaction(book), row["Transaction ID"]
        current.BeginEdit()
        current.SetCurrency(aud)
        year, month, day = row["Date"].split("-")
        current.SetDate(int(day), int(month), int(year))
        current.SetDescription(row["Description"])
    split = Split(book)
    split.SetParent(current)
    split.SetAccount(account(row["Full Account Name"]))
    cents = int(Decimal(row["Amount Num."]) * 100)
    split.SetValue(GncNumeric(cents, 100))
    split.SetAmount(GncNumeric(cents, 100))
    split.SetMemo(row["Memo"])
assert current.IsBalanced(), last
current.CommitEdit()
session.save()
session.end()
session = Session("xml://" + book_path, SessionOpenMode.SESSION_READ_ONLY)

def show(node, path):
    for child in node.get_children():
        name = path + child.GetName()
        value = child.GetBalance()
        if value.num():
            print(name, Decimal(value.num()) / Decimal(value.denom()), sep="\\t")
        show(child, name + ":")

show(session.book.get_root_account(), "")
session.end()
"""


@pytest.mark.skipif(not gnucash(), reason="GnuCash is not installed")
@pytest.mark.parametrize("kind", ["bill", "accrual"])
def test_gnucash_keeps_a_book_of_it_whose_trial_balance_is_ours(tmp_path, kind):
    """Every transaction is balanced by its own rule, and the saved book has our balances."""
    (file,) = written(tmp_path, "gnucash", kind)
    script = tmp_path / "trial.py"
    script.write_text(TRIAL, encoding="utf-8")
    said = said_by("/usr/bin/python3", script, file.path, tmp_path / "book.gnucash")
    seen = dict(line.split("\t") for line in said.splitlines() if line.count("\t") == 1)
    assert {name: Decimal(text) for name, text in seen.items()} == balances(file.whole)


@needs("hledger")
def test_a_long_xero_journal_becomes_files_of_300_lines_that_each_balance(tmp_path):
    """700 lines: three files, none longer, each at nothing, together everything."""
    lines = [worded(f"{n}.07", ACCOUNTS["xero"][0], text=f"Number {n}") for n in range(1, 701)]
    files = written(tmp_path, "xero-journal", "allocation", lines=lines)
    assert len(files) == 3
    rules = tmp_path / "journal.rules"
    rules.write_text(RULES["xero-journal"], encoding="utf-8")
    booked = Decimal(0)
    for file in files:
        rows = file.path.read_text(encoding="utf-8").splitlines()
        assert len(rows) <= 301
        seen = by_hledger(file.path, "--rules-file", str(rules))
        assert seen.pop("equity:clearing", Decimal(0)) == 0
        booked += seen["xero:489"]
    assert booked == sum(n + Decimal("0.07") for n in range(1, 701))


def any_texts(count: int, seed: int) -> list[str]:
    """Make texts up of letters that have a meaning somewhere, and of some that have none."""
    dice = random.Random(seed)
    letters = "aZ09 :;|()[]{}<>*!#%^&=+-@\\\"'/,.~$\u00e9\u2013\u4f60\U0001f4de"
    texts = [
        "".join(dice.choice(letters) for _ in range(dice.randint(1, 40))) for _ in range(count)
    ]
    return [text.strip() or "x" for text in texts]


@needs("hledger")
@needs("ledger")
def test_no_text_breaks_a_journal(tmp_path):
    """300 texts of all sorts of marks: three programs find every cent of them."""
    for books, name in (("hledger", "hledger"), ("beancount", "beancount")):
        texts = any_texts(300, 7)
        lines = [
            worded(f"{n}.{n % 100:02}", ACCOUNTS[books][0], text=text)
            for n, text in enumerate(texts, 1)
        ]
        (file,) = written(tmp_path, name, "allocation", lines=lines)
        if name == "beancount":
            assert (bean_check(file.path).returncode, bean_check(file.path).stderr) == (0, "")
            continue
        said_by("hledger", "-f", file.path, "check", "--strict", "payees")
        said_by("ledger", "-f", file.path, "--strict", "--pedantic", "source")
        assert by_hledger(file.path) == balances(file.whole)
