"""Letters from packs: the same bytes every day, known by their key, of one account's files."""

from __future__ import annotations

from pathlib import Path

import pytest
from mailpacks import account, books, mail, sealed

from maxo_reports import config
from maxo_reports.config import Workspace
from maxo_reports.definitions import Shelf
from maxo_reports.errors import MailError, TieOutError
from maxo_reports.letters import Desk, Letter, issued
from maxo_reports.owners import of_account
from maxo_reports.pack import Pack

JANE, BOB = "jane@acme.example", "bob@acme.example"


def workspace(folder: Path, *more: str) -> Workspace:
    """Load a workspace of two accounts."""
    parts = (account("acme", JANE, BOB), account("beta", BOB))
    return config.load(books(folder, mail(), *parts, *more), {})


def letter(of: Workspace, pack: Pack, at: int = 0, replaced: int = 0) -> Letter:
    """Write the letter to one of acme's recipients."""
    desk = Desk(of, of_account(of, of.accounts["acme"]), pack)
    return desk.letter(issued(pack)[0], of.addressees["acme"][at], replaced)


def test_the_same_pack_is_the_same_letter_wherever_it_is(tmp_path: Path) -> None:
    """In another folder, at another time: every byte of draft and letter."""
    one = letter(workspace(tmp_path / "a"), sealed(tmp_path / "one"))
    two = letter(workspace(tmp_path / "b"), sealed(tmp_path / "two"))
    assert one.draft() == two.draft()
    assert one.dated(1_793_700_000) == two.dated(1_793_700_000)
    assert (one.content, one.message_id) == (two.content, two.message_id)
    assert one.dated(1) != one.dated(2)
    assert str(tmp_path).encode() not in one.draft()


def test_every_part_of_a_key_makes_another_id(tmp_path: Path) -> None:
    """Recipient, revision, account: nobody's letter is taken for another's."""
    of = workspace(tmp_path / "a")
    first, second = sealed(tmp_path / "out"), sealed(tmp_path / "out")
    others = sealed(tmp_path / "out", "beta")
    beta = Desk(of, of_account(of, of.accounts["beta"]), others)
    found = [
        *(letter(of, pack, at) for pack in (first, second) for at in (0, 1)),
        beta.letter(issued(others)[0], of.addressees["beta"][0], 0),
    ]
    assert len({each.message_id for each in found}) == 5
    assert len({each.key for each in found}) == 5
    assert all(each.message_id.endswith("@example.com>") for each in found)
    assert str(found[0].key) == "acme 2026-10-01..2026-11-01 r1 statement to jane@acme.example"


def test_no_letter_is_made_of_another_accounts_pack(tmp_path: Path) -> None:
    """A desk is of one account, and so are its files."""
    of = workspace(tmp_path / "a")
    with pytest.raises(MailError, match="is of account 'beta', not of 'acme'"):
        Desk(of, of_account(of, of.accounts["acme"]), sealed(tmp_path / "out", "beta"))


def test_a_file_that_changes_under_our_hands_goes_nowhere(tmp_path: Path) -> None:
    """Each is held to its hash once more, when it is read to be enclosed."""
    pack = sealed(tmp_path / "out")
    pack.files[0].write_bytes(b"others")
    with pytest.raises(TieOutError, match="was changed after it was issued"):
        letter(workspace(tmp_path / "a"), pack)


def test_other_words_make_no_other_revision(tmp_path: Path) -> None:
    """The message's templates are no part of a pack's basis; the statement's are."""
    folder = tmp_path / "a"
    of, pack = workspace(folder), sealed(tmp_path / "out")
    (folder / "templates").mkdir()
    before, plain = Shelf.of(folder).fingerprint(), letter(of, pack)
    (folder / "templates" / "email.subject").write_text("Your calls")
    (folder / "templates" / "email.html").write_text("<p>Hello</p>")
    assert Shelf.of(folder).fingerprint() == before
    assert letter(of, pack).content != plain.content
    (folder / "templates" / "statement.html").write_text("x")
    assert Shelf.of(folder).fingerprint() != before


def test_findings_and_filters_are_told(tmp_path: Path) -> None:
    """A filtered report's own totals; findings that need nobody are not counted."""
    found = [
        {"severity": severity, "code": "x", "where": "", "message": "0255500140"}
        for severity in ("info", "warning", "error")
    ]
    pack = sealed(
        tmp_path / "out",
        findings=found,
        totals_of_files={
            "acme-statement.csv": {
                "filter": "Charged calls: 7 of 12 calls.",
                "calls": 7,
                "connected_calls": 7,
                "charged_calls": 7,
                "seconds": 60,
                "cost": "41.00",
            }
        },
    )
    text = letter(workspace(tmp_path / "a"), pack).body.decode()
    assert "Exceptions in the files: 2" in text
    assert "Charged calls: 7 of 12 calls." in text
    assert "$41.00" in text
    assert "5550" not in text


def test_the_brand_heads_the_letter(tmp_path: Path) -> None:
    """The reseller's name and no other; [mail] says under which name it is sent."""
    brand = '[brand]\nname = "Harbour Voice"\ncolour = "#123456"\n'
    text = letter(workspace(tmp_path / "a", brand), sealed(tmp_path / "out")).body.decode()
    assert "From: Example Telecom <reports@example.com>" in text
    assert "Harbour Voice" in text
    assert "#123456" in text
