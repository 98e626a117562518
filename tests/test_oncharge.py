"""On-charging from end to end: statements for clients, a margin for the reseller, three ways.

Over HTTP from a carrier on loopback, through the command line, with other programs as readers.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import leaks
import pytest
from resellers import (
    BOOK_ONLY,
    CATEGORIES,
    NUMBERS,
    TERMS,
    Office,
    as_settled,
    buy_prices,
    costs_of,
    planted,
)
from workspaces import Fickle, Ran, contents, printed, ran, rows_below, sheet

pytestmark = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler is not installed")


@pytest.fixture(autouse=True, scope="module")
def _key() -> Iterator[None]:
    with as_settled():
        yield


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Yield a workspace whose month has been pulled."""
    with Fickle(planted()) as carrier:
        made = Office(tmp_path, carrier)
        (tmp_path / "reports").mkdir()
        made.write("reports/client-statement.toml", BOOK_ONLY)
        yield made


BILL = "412345.67"


@pytest.fixture(scope="module")
def charged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, Ran]]:
    """Yield a workspace whose month was charged, with a bill; tests only read it."""
    with Fickle(planted()) as carrier:
        made = Office(tmp_path_factory.mktemp("charged"), carrier)
        yield made, made.oncharge("--bill-total", BILL)


def rounded(value: Fraction, places: int = 2) -> Decimal:
    """Round half away from zero, by Decimal's own rule."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def test_no_buy_price_is_in_any_part_of_a_clients_pack(charged: tuple[Office, Ran]) -> None:
    """Not in a cell, name, cached value, property, stream, attachment, JSON or file name.

    The same search finds the costs in the reseller's own statement and margin report, in the
    workbook and in the PDF: what it does not find is not there.
    """
    office, done = charged
    assert done.code == 1  # Brown has no terms, and calls of nobody are there
    calls = planted()
    for client, folder in (("Smith Dental", "client-smith"), ("Jones & Co", "client-jones")):
        files = office.files(folder)
        assert {path.suffix for path in files} == {".xlsx", ".pdf", ".json", ""}
        figures = buy_prices(calls, client)
        assert len(figures) > 30
        assert leaks.found(files, figures) == {}
        for other in ("Wholesale", "Brown", "markup", "37.7319", "61.2527", "jones.csv"):
            assert leaks.holds(files, other) == set()
        for number, whose in NUMBERS.items():
            if whose != client:
                spaced = f"{number[:2]} {number[2:6]} {number[6:]}"
                assert leaks.holds(files, number) == leaks.holds(files, spaced) == set()
        for c in calls:
            if NUMBERS[c["origin"]] != client:
                assert leaks.holds(files[-1:], str(c["callid"])) == set()
    # The search itself is proved where the costs do stand.
    run = ran(office.folder, "run", "2026-10", "--offline", "--json")
    own = sorted(Path(run.said["pack"]).iterdir())
    whole = sum((Decimal(c["cost"]) for c in calls), Decimal(0))
    single = {Decimal(c["cost"]) for c in calls}
    books = [path for path in own if path.suffix == ".xlsx"]
    assert set(leaks.found(books, single | {whole})) == single | {whole}
    by_category = {
        sum((Decimal(c["cost"]) for c in calls if c["rate"] == category), Decimal(0))
        for category in CATEGORIES
    }
    pages = [path for path in own if path.suffix == ".pdf"]
    assert set(leaks.found(pages, by_category | {whole})) == by_category | {whole}
    margin = [path for path in office.files("margin") if path.suffix == ".xlsx"]
    sums = {
        sum((Decimal(c["cost"]) for c in costs_of(calls, client)), Decimal(0))
        for client in set(NUMBERS.values())
    }
    assert set(leaks.found(margin, sums)) == sums


def test_no_buy_price_is_in_a_clients_letter(charged: tuple[Office, Ran]) -> None:
    """Not in a header, the text, the HTML or a file, unpacked; and it is the client's letter."""
    office, done = charged
    calls = planted()
    (smith,) = (each for each in done.said["clients"] if each["client"] == "smith")
    sent = ran(office.folder, "send", smith["pack"], "--provisional", "--json")
    assert sent.code == 0, sent.err
    drafts = [Path(each["draft"]) for each in sent.said["letters"]]
    assert [each["recipient"] for each in sent.said["letters"]] == [
        "ann@smith.example",
        "books@smith.example",
    ]
    figures = buy_prices(calls, "Smith Dental")
    assert leaks.found(drafts, figures) == {}
    for other in ("Wholesale", "Brown", "markup", "37.7319", "61.2527", "MaxoTel"):
        assert leaks.holds(drafts, other) == set()
    # The search reads what is attached: the reseller's own letter has the costs in its files.
    run = ran(office.folder, "run", "2026-10", "--offline", "--json")
    to = ("--to", "me@harbour.example", "--provisional", "--json")
    own = ran(office.folder, "send", run.said["pack"], *to)
    (draft,) = (Path(each["draft"]) for each in own.said["letters"])
    whole = sum((Decimal(c["cost"]) for c in calls), Decimal(0))
    assert set(leaks.found([draft], {whole})) == {whole}


def test_the_clients_page_is_to_the_client_from_the_reseller(charged: tuple[Office, Ran]) -> None:
    """The sender is the brand, the recipient stands with its address; what is paid comes first."""
    (smith,) = (each for each in charged[1].said["clients"] if each["client"] == "smith")
    text = printed(Path(smith["pack"]))
    first = text.split("\f")[0]
    for words in (
        "Harbour Voice",
        "Smith Dental",
        "Ann Smith",
        "9 Quay Street",
        "Hobart TAS 7000",
    ):
        assert words in first
    assert "To be paid, GST included" in first
    assert f"${Decimal(smith['payable']):,}" in first
    assert "before it is rounded" not in text
    jones = next(each for each in charged[1].said["clients"] if each["client"] == "jones")
    assert "Jones & Co" in printed(Path(jones["pack"])).split("\f")[0]


def test_what_clients_pay_is_what_the_terms_say(charged: tuple[Office, Ran]) -> None:
    """Worked out again with Fractions from the carrier's own records."""
    said = charged[1].said
    calls = planted()
    clients = {each["client"]: each for each in said["clients"]}

    smith = Fraction(0)
    for c in costs_of(calls, "Smith Dental"):
        percent = Fraction("61.2527") if c["rate"] == "Mobile" else Fraction("37.7319")
        smith += Fraction(c["cost"]) / Fraction(11, 10) * (1 + percent / 100) + Fraction("0.0113")
    net = rounded(smith + Fraction("10.50"))
    gst = (net / 10).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert clients["smith"]["without_gst"] == str(net)
    assert clients["smith"]["gst"] == str(gst)
    assert clients["smith"]["payable"] == str(net + gst)

    jones = Fraction(0)
    for c in costs_of(calls, "Jones & Co"):
        if c["rate"] == "Mobile":
            minutes = -(-c["duration"] // 60)
            jones += Fraction("0.07") + Fraction("0.21") * minutes
        else:
            exact = Fraction("0.09") * c["duration"] / 60 / Fraction(11, 10)
            jones += Fraction(rounded(exact, 4))
    assert clients["jones"]["without_gst"] == str(rounded(jones - Fraction("2.5")))


def test_single_calls_add_up_to_the_charge_in_every_file(charged: tuple[Office, Ran]) -> None:
    """The listed calls, their sum, the charges and the manifest agree; the workbook verifies."""
    office, _ = charged
    for client in ("smith", "jones"):
        pack = office.files(f"client-{client}")[0].parent
        manifest = json.loads((pack / "manifest.json").read_text(encoding="utf-8"))
        listed = rows_below(sheet(pack, "Calls"), "Call ID")
        exact = sum((Decimal(repr(row["Charge"])) for row in listed), Decimal(0))
        assert len(listed) == manifest["control_totals"]["calls"] > 5
        assert exact == Decimal(manifest["control_totals"]["cost"])
        rows = rows_below(sheet(pack, "Charges"), "For")
        charges = {row["For"]: row["Dollars"] for row in rows if row["Dollars"] != ""}
        *lines, without, gst, total = (Decimal(repr(v)) for v in charges.values())
        assert sum(lines, Decimal(0)) == without
        assert without + gst == total
        assert abs(exact - lines[0]) <= Decimal("0.005")
        assert ran(office.folder, "verify", str(pack)).code == 0
    assert ran(office.folder, "verify", str(office.files("margin")[0].parent)).code == 0


def test_three_ways_add_up_and_no_dollar_is_lost(charged: tuple[Office, Ran]) -> None:
    """Bill, calls, clients: every step is a line, and calls of nobody are one of them."""
    calls = planted()
    office, done = charged
    pack = office.files("margin")[0].parent
    rows = rows_below(sheet(pack, "Summary"), "From the carrier to the clients, without GST")
    steps = {row["From the carrier to the clients, without GST"]: row["Dollars"] for row in rows}
    values = [
        Decimal(repr(value)).quantize(Decimal("0.0001")) for value in steps.values() if value != ""
    ]
    billed, no_call, cost, nobody, unknown, bought, margin, fees, clients = values
    assert abs(billed - Decimal(BILL) * 10 / 11) < Decimal("0.0001")
    assert billed + no_call == cost
    assert cost + nobody + unknown == bought
    assert bought + margin + fees == clients
    assert clients == sum(Decimal(each["without_gst"]) for each in done.said["clients"])
    unallocated = sum((Decimal(c["cost"]) for c in costs_of(calls, "Unallocated")), Decimal(0))
    assert abs(-nobody - unallocated * 10 / 11) < Decimal("0.0001")
    found = {f["code"]: f for f in done.said["findings"]}
    assert Decimal(found["not-billed"]["dollars"]) == unallocated
    assert found["not-billed"]["calls"] == len(costs_of(calls, "Unallocated"))
    brown = sum((Decimal(c["cost"]) for c in costs_of(calls, "Brown")), Decimal(0))
    assert Decimal(found["client-without-terms"]["dollars"]) == brown
    by_client = {row["Client"]: row for row in rows_below(sheet(pack, "By client"), "Client")}
    assert by_client["Unallocated"]["Calls"] == len(costs_of(calls, "Unallocated"))
    assert by_client["Total"]["Calls"] == len(calls)


def test_the_same_makes_no_second_revision_and_a_change_does(office: Office) -> None:
    """Nothing issued is changed; a client whose charge is another gets the next revision."""
    first = office.oncharge()
    before = contents(office.folder / "out")
    again = office.oncharge()
    assert all(each["unchanged"] for each in again.said["clients"])
    assert again.said["unchanged"]
    assert contents(office.folder / "out") == before
    office.write("oncharge.toml", TERMS.replace("37.7319", "38"))
    third = office.oncharge()
    revisions = {each["client"]: each["revision"] for each in third.said["clients"]}
    assert revisions == {"smith": 2, "jones": 1}
    assert third.said["revision"] == 2
    kept = contents(office.folder / "out")
    assert all(kept[name] == before[name] for name in before)
    assert first.said["clients"][0]["payable"] != third.said["clients"][0]["payable"]


def test_the_next_revision_lists_what_changed_call_by_call(office: Office) -> None:
    """A late call and a re-priced one, at their charges; no buy price is in the later one."""
    office.oncharge()
    calls = planted()
    smiths = [c for c in calls if NUMBERS[c["origin"]] == "Smith Dental"]
    dearer = smiths[3] | {"cost": "8531.9317"}
    late = smiths[5] | {"callid": 990_001, "cost": "7177.3391"}
    office.carrier.hold([dearer if c is smiths[3] else c for c in calls] + [late])
    assert ran(office.folder, "pull", "2026-10").code == 0
    done = office.oncharge()
    assert {each["client"]: each["revision"] for each in done.said["clients"]} == {
        "smith": 2,
        "jones": 1,
    }
    pack = office.files("client-smith", 2)[0].parent
    changes = {row["Change"]: row for row in rows_below(sheet(pack, "Changes"), "Change")}
    assert (changes["Added"]["Calls"], changes["Re-priced"]["Calls"]) == (1, 1)
    book = sheet(pack, "Changes")
    listed = rows_below(book[[r[:2] for r in book].index(["Change", "Call ID"]) :], "Change")
    assert {row["Call ID"]: row["Change"] for row in listed} == {
        "990001": "Added",
        str(dearer["callid"]): "Re-priced",
    }
    terms = {c["callid"]: Fraction(c["cost"]) / Fraction(11, 10) for c in (smiths[3], dearer)}
    percent = Fraction("61.2527") if dearer["rate"] == "Mobile" else Fraction("37.7319")
    now = next(row for row in listed if row["Change"] == "Re-priced")["Charge now"]
    right = terms[dearer["callid"]] * (1 + percent / 100) + Fraction("0.0113")
    assert abs(Fraction(repr(now)) - right) <= Fraction(1, 10_000)
    figures = buy_prices(calls, "Smith Dental") | {Decimal("8531.9317"), Decimal("7177.3391")}
    figures.add(Decimal(dearer["cost"]) - Decimal(smiths[3]["cost"]))
    assert leaks.found(office.files("client-smith", 2), figures) == {}
    margin = office.files("margin", 2)[0].parent
    rebuilt = ran(office.folder, "verify", str(margin), "--rebuild")
    assert rebuilt.code == 0, rebuilt.err


def test_statements_and_margin_are_made_again_from_the_archive_alone(office: Office) -> None:
    """Byte for byte, also when terms, card and directory are gone; a client's alone is refused."""
    office.oncharge("--bill-total", BILL)
    for name in ("oncharge.toml", "jones.csv", "directory.csv"):
        (office.folder / name).unlink()
    margin = office.files("margin")[0].parent
    done = ran(office.folder, "verify", str(margin), "--rebuild")
    assert (done.code, "every file is identical" in done.out) == (0, True), done.err
    client = office.files("client-smith")[0].parent
    done = ran(office.folder, "verify", str(client), "--rebuild")
    assert done.code == 2
    assert "rebuild the margin pack" in done.err


def test_an_account_can_be_a_clients_own(office: Office) -> None:
    """Then calls that the directory gives to nobody are that client's."""
    office.write(
        "oncharge.toml",
        TERMS + '\n[client.rest]\nname = "Rest"\naccount = "acme"\nmarkup_percent = 10\n',
    )
    done = office.oncharge()
    rest = next(each for each in done.said["clients"] if each["client"] == "rest")
    assert rest["calls"] == len(costs_of(planted(), "Unallocated"))
    assert "not-billed" not in {f["code"] for f in done.said["findings"]}


def test_a_printed_statement_says_what_is_to_be_paid_and_not_the_calls_alone(
    office: Office,
) -> None:
    """With charges of four decimals, the calls' own cents are nowhere on the cover."""
    (office.folder / "reports" / "client-statement.toml").unlink()
    office.write("oncharge.toml", '[client.smith]\nname = "Smith Dental"\nmarkup_percent = 12.3\n')
    done = office.oncharge()
    assert done.code == 1, done.err  # calls of nobody
    paid = next(each["payable"] for each in done.said["clients"])
    (page,) = [path for path in office.files("client-smith") if path.suffix == ".pdf"]
    assert f"${Decimal(paid):,.2f}" in printed(page.parent)


def test_the_clients_report_is_refused_where_it_would_show_costs(office: Office) -> None:
    """``run --report client-statement`` would print what the reseller pays."""
    done = ran(office.folder, "run", "2026-10", "--offline", "--report", "client-statement")
    assert done.code == 2
    assert "'oncharge' makes it" in done.err
    assert not (office.folder / "out" / "acme" / "2026-10" / "r1").exists()


def test_a_cost_whose_gst_is_not_known_is_no_base_for_a_mark_up(office: Office) -> None:
    """Refused, with what to do; nothing is written."""
    office.settings("unknown")
    done = office.oncharge()
    assert done.code == 2
    assert "cost_gst is unknown" in done.err
    assert not (office.folder / "out").exists()


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ("", "there is no client"),
        ("[client.x]\n", "[client.x] name is missing"),
        ('[client.x]\nname = "Smith Dental"\n', "says nothing of what calls cost"),
        ('[client.x]\nname = "Smth Dental"\nmarkup_percent = 1\n', "did you mean 'Smith Dental'?"),
        ('[client.x]\nname = "Brown"\nmarkup_percnt = 1\n', "did you mean 'markup_percent'?"),
        ('[client.x]\nname = "Brown"\nmarkup_percent = "lots"\n', "a percentage such as 25"),
        ('[client.x]\nname = "Brown"\nmarkup_percent = 1.23456\n', "4 decimals at most"),
        ('[client.x]\nname = "Brown"\nmarkup_percent = 1\nminimum = 1.005\n', "2 decimals"),
        ('[client.x]\nname = "Brown"\nmarkup_percent = 1\nplaces = 6\n', "places must be 2 to 4"),
        ('[client.x]\nname = "Brown"\nmarkup_percent = 1\nmarkup_on = "all"\n', "charged or con"),
        ('[client.x]\nname = "Brown"\nrate_card = "none.csv"\n', "cannot read the rate card"),
        ('[client.x]\nname = "Brown"\nrate_card = "bare.csv"\n', "gst must say if it is included"),
        (
            '[client.x]\nname = "X"\naccount = "acm"\nmarkup_percent = 1\n',
            "(did you mean 'acme'?)",
        ),
        ('[client.x]\nname = "unallocated"\nmarkup_percent = 1\n', "is kept for calls of nobody"),
        ('[client.x]\nname = "Brown"\nmarkup_percent = 1\nfee = [{ text = "" }]\n', "what it is"),
        (
            (
                '[client.x]\nname = "Brown"\nmarkup_percent = 1\n'
                '[client.y]\nname = "Brown"\nmarkup_percent = 1\n'
            ),
            "name 'Brown' is that of [client.x], too",
        ),
        ("x = ", "is not readable TOML"),
        (
            '[client.x]\nname = "Brown"\nrate_card = "~nobody-at-all/card.csv"\n',
            "rate_card: '~nobody-at-all/card.csv' is no name of a file",
        ),
    ],
)
def test_mistakes_in_the_terms_are_told(office: Office, terms: str, told: str) -> None:
    """With the nearest real name; nothing is written."""
    office.write("bare.csv", "category,per call\nLocal,1\n")
    office.write("oncharge.toml", terms)
    done = office.oncharge()
    assert done.code == 2
    assert told in done.err
    assert not (office.folder / "out").exists()


def test_all_mistakes_are_told_at_once(office: Office) -> None:
    """In one line, each with its table."""
    office.write(
        "oncharge.toml",
        '[defaults]\nmarkup = 3\n[client.Smith]\nname = "Smith"\nrate_card = 3\nminimum = -1\n',
    )
    err = office.oncharge().err
    for told in (
        "[defaults] 'markup' is not a setting",
        "a client's id may hold a-z",
        "rate_card must be the name of a file",
        "minimum must be dollars without GST",
        "name 'Smith' is no client of the number directory",
    ):
        assert told in err
    assert len(re.findall("oncharge.toml", err)) >= 5
