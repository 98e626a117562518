"""Clients' statements by mail: a reseller's terms, sealed packs, drafts, a real server."""

from __future__ import annotations

import email
import email.policy
import shutil
from collections.abc import Iterator
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path

import pytest
from mailpacks import sealed
from postoffices import SECRET, USER, PostOffice
from resellers import BOOK_ONLY, SENDER, TERMS, Office, as_settled, planted
from workspaces import QUICK, Fickle, Ran, contents, ran

JONES = '\n[[client.jones.mail]]\naddress = "bob@jones.example"\nattach = ["xlsx"]\n'
SMITHS = TERMS.replace('name = "Ann Smith"\n', 'name = "Ann Smith"\nattach = ["xlsx"]\n')


@pytest.fixture(autouse=True, scope="module")
def _key() -> Iterator[None]:
    with as_settled():
        yield


@pytest.fixture(scope="module")
def charged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, Ran]]:
    """Yield a workspace whose month was charged; each test takes a copy of its folder."""
    with Fickle(planted()) as carrier:
        office = Office(tmp_path_factory.mktemp("charged"), carrier)
        (office.folder / "reports").mkdir()
        office.write("reports/client-statement.toml", BOOK_ONLY)
        office.write("reports/statement.toml", QUICK)
        office.write("oncharge.toml", SMITHS + JONES)
        assert ran(office.folder, "run", "2026-10").code in {0, 1}
        yield office, office.oncharge()


@pytest.fixture
def folder(charged: tuple[Office, Ran], tmp_path: Path) -> Path:
    """Return a workspace of the test's own."""
    return Path(shutil.copytree(charged[0].folder, tmp_path / "books"))


def pack_of(folder: Path, client: str, revision: int = 1) -> Path:
    """Return where a client's pack stands."""
    return folder / "out" / "acme" / f"client-{client}" / "2026-10" / f"r{revision}"


def send(folder: Path, client: str, *words: str) -> Ran:
    """Send a client's pack."""
    return ran(folder, "send", str(pack_of(folder, client)), "--json", *words)


def read(path: str | Path) -> EmailMessage:
    """Read a draft."""
    made = email.message_from_bytes(Path(path).read_bytes(), policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    return made


def bodies(letter: EmailMessage) -> str:
    """Return text and HTML."""
    parts = [letter.get_body((kind,)) for kind in ("plain", "html")]
    return "\n".join(part.get_content() for part in parts if part is not None)


def test_a_letter_says_what_is_to_be_paid_and_nothing_of_costs(
    charged: tuple[Office, Ran], folder: Path
) -> None:
    """In whole cents, GST and fees included, under the reseller's name."""
    (smith,) = (each for each in charged[1].said["clients"] if each["client"] == "smith")
    done = send(folder, "smith")
    assert done.code == 0, done.err
    first, second = (read(each["draft"]) for each in done.said["letters"])
    said = bodies(first)
    assert f"To be paid, GST included: ${Decimal(smith['payable']):,}" in said
    assert said.count(f"${Decimal(smith['payable']):,}") == 2
    assert "In the files calls are charged without GST; the total includes it." in said
    for word in ("Total cost", "Costs as reported", "Exactly", "Wholesale", "acme"):
        assert word not in said
    assert "Harbour Voice" in said
    assert str(first["From"]) == "Harbour Voice <accounts@harbour.example>"
    assert (str(first["To"]), str(second["To"])) == (
        "Ann Smith <ann@smith.example>",
        "books@smith.example",
    )
    (attached,) = first.iter_attachments()
    kept = pack_of(folder, "smith") / "smith-2026-10-statement.xlsx"
    assert attached.get_content() == kept.read_bytes()


def test_every_client_gets_its_own_and_the_outbox_tells_them_apart(folder: Path) -> None:
    """Account, client and another account's client of that name have keys of their own."""
    keys = []
    for client, to in (("smith", 2), ("jones", 1)):
        done = send(folder, client)
        assert len(done.said["letters"]) == to
        for each in done.said["letters"]:
            assert client in Path(each["draft"]).parent.parent.name
            (attached,) = read(each["draft"]).iter_attachments()
            assert str(attached.get_filename()).startswith(f"{client}-")
            assert each["recipient"].endswith(f"@{client}.example")
        keys += [(each["account"], each["recipient"]) for each in done.said["letters"]]
    assert {account for account, _ in keys} == {"acme/client-smith", "acme/client-jones"}
    listed = ran(folder, "outbox", "list", "--json").said["letters"]
    assert [(each["account"], each["recipient"]) for each in listed] == keys


def test_a_client_called_like_an_account_is_no_account(folder: Path) -> None:
    """Neither gets what is the other's, whoever has the settings."""
    text = (folder / "maxo.toml").read_text(encoding="utf-8")
    own = '[account.smith]\nname = "Smith"\ntimezone = "Australia/Sydney"\n'
    own += '[[account.smith.mail]]\naddress = "boss@harbour.example"\n'
    (folder / "maxo.toml").write_text(own + 'attach = ["csv"]\n' + text, encoding="utf-8")
    # Fees are charged once, so with two accounts the terms say with which.
    terms = SMITHS.replace('name = "Smith Dental"', 'name = "Smith Dental"\naccount = "acme"')
    terms = terms.replace('name = "Jones & Co"', 'name = "Jones & Co"\naccount = "smith"')
    (folder / "oncharge.toml").write_text(terms, encoding="utf-8")
    done = send(folder, "smith")
    assert {each["recipient"] for each in done.said["letters"]} == {
        "ann@smith.example",
        "books@smith.example",
    }
    accounts = sealed(folder / "out", "smith")
    other = ran(folder, "send", str(accounts.folder), "--json")
    assert [each["recipient"] for each in other.said["letters"]] == ["boss@harbour.example"]
    keys = {(each["account"]) for each in (*done.said["letters"], *other.said["letters"])}
    assert keys == {"acme/client-smith", "smith"}


def test_a_pack_that_was_carried_away_is_not_sent(folder: Path) -> None:
    """Whose client it is of cannot be told; a margin pack is nobody's to get."""
    away = Path(shutil.copytree(pack_of(folder, "smith"), folder / "elsewhere" / "r1"))
    done = ran(folder, "send", str(away))
    assert (done.code, "not where 'oncharge' put it" in done.err) == (6, True)
    margin = folder / "out" / "acme" / "margin" / "2026-10" / "r1"
    done = ran(folder, "send", str(margin), "--to", "ann@smith.example")
    assert (done.code, "is not mailed" in done.err) == (6, True)
    assert not list((folder / "outbox").rglob("*.eml"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("ann@smith.example", "ann@other.example"), "is not among the domains under [mail]"),
        (("ann@smith.example", "ann"), "[[client.smith.mail]] address 'ann'"),
        (('"client-statement"', '"statment"'), "there is no report 'statment'"),
        (("[[client.smith.mail]]", "[client.smith.mail]"), "must hold"),
        (("client.jones", "client.jnes"), "no [client.jones] in oncharge.toml (did you mean"),
        (("9 Quay Street", "9 Quay Street" * 9), "[client.smith.recipient] address has room for"),
    ],
)
def test_mistakes_in_addresses_are_told(folder: Path, change: tuple[str, str], told: str) -> None:
    """By table, with the nearest real name; nothing is drafted."""
    text = (SMITHS + JONES).replace(*change)
    if told == "must hold":
        text, told = SMITHS.replace("[[client.smith.mail]]", "[client.smith.mail]", 1), "TOML"
    (folder / "oncharge.toml").write_text(text, encoding="utf-8")
    done = send(folder, "jones" if "jnes" in text else "smith")
    assert done.code == 2
    assert told in done.err
    assert not list((folder / "outbox").rglob("*.eml"))


def test_nobody_is_told_and_a_name_is_wanted(folder: Path) -> None:
    """A client without addresses, and a reseller without a name, are told in words."""
    (folder / "oncharge.toml").write_text(SMITHS, encoding="utf-8")
    done = send(folder, "jones")
    assert done.code == 2
    assert "client 'jones' has no recipient: write [[client.jones.mail]] in oncharge.toml" in (
        done.err
    )
    text = (folder / "maxo.toml").read_text(encoding="utf-8")
    mail = SENDER.partition("[mail]")[2]
    (folder / "maxo.toml").write_text(text.replace(SENDER, "[mail]" + mail), encoding="utf-8")
    done = send(folder, "smith")
    assert done.code == 6
    assert all("a client reads who sends" in each["said"] for each in done.said["letters"])


def test_an_address_is_no_figure(charged: tuple[Office, Ran], folder: Path) -> None:
    """Another address makes no other statement; a postal one, which is printed, does."""
    before = contents(folder / "out" / "acme" / "client-smith")
    text = (SMITHS + JONES).replace("ann@smith.example", "eve@smith.example")
    (folder / "oncharge.toml").write_text(text, encoding="utf-8")
    done = ran(folder, "oncharge", "2026-10", "--json")
    assert contents(folder / "out" / "acme" / "client-smith") == before
    assert all(each["unchanged"] for each in done.said["clients"])
    (folder / "oncharge.toml").write_text(text.replace("9 Quay", "7 Quay"), encoding="utf-8")
    done = ran(folder, "oncharge", "2026-10", "--json")
    revisions = {each["client"]: each["revision"] for each in done.said["clients"]}
    assert revisions == {"smith": 2, "jones": 1}
    margin = Path(done.said["pack"])
    again = ran(folder, "verify", str(margin), "--rebuild")
    assert again.code == 0, again.err


def test_clients_letters_are_sent_once_and_month_tells_of_those_that_wait(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a real server on loopback; ``month`` sends none of them, and forgets none."""
    monkeypatch.setenv("MAXO_MAIL_SECRET", SECRET)
    text = (folder / "maxo.toml").read_text(encoding="utf-8")
    with PostOffice().open() as office:
        server = f'host = "localhost"\nport = {office.port}\nuser = "{USER}"\ntimeout = 5\n'
        server += f'ca_file = "{office.authorities(folder)}"\ntries = 1\n'
        (folder / "maxo.toml").write_text(text + server, encoding="utf-8")
        later = send(folder, "smith", "--approve", "--draft")
        assert (later.code, "'month' sends no clients' statements" in later.err) == (2, True)
        first = send(folder, "smith", "--approve")
        assert [each["did"] for each in first.said["letters"]] == ["sent", "sent"], first.out
        again = send(folder, "smith", "--approve")
        assert [each["did"] for each in again.said["letters"]] == ["sent before"] * 2
        taken = sorted(to for letter in office.saw.accepted for to in letter.recipients)
        assert taken == ["ann@smith.example", "books@smith.example"]
    waits = send(folder, "jones", "--approve")
    assert [each["did"] for each in waits.said["letters"]] == ["waiting"]
    month = ran(folder, "month", "--offline", "--json")
    (account,) = month.said["accounts"]
    (told,) = account["letters"]
    assert (told["account"], told["did"]) == ("acme/client-jones", "waiting of before")
