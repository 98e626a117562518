"""Sending as its users meet it: the command line, sealed packs, a real mail server on loopback."""

from __future__ import annotations

import email
import email.policy
import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from email.message import EmailMessage
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mailpacks import TOTALS, account, books, mail, recipients, sealed
from postoffices import HANG, SECRET, Fault, PostOffice

from maxo_reports import cli

ALL = os.environ.get("MAXO_FAULTS") == "all"
JANE, BOB = "jane@acme.example", "bob@acme.example"


class Said(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def letters(self) -> list[dict[str, Any]]:
        """What it said of letters, in JSON."""
        found: list[dict[str, Any]] = json.loads(self.out)["letters"]
        return found


def told(folder: Path, *words: str | Path) -> Said:
    """Run one command."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.main(["-C", str(folder), *map(str, words)])
    assert "Traceback" not in err.getvalue()
    assert SECRET not in out.getvalue() + err.getvalue()
    return Said(code, out.getvalue(), err.getvalue())


def drafts(folder: Path) -> dict[str, EmailMessage]:
    """Read every draft of a workspace."""
    found = {}
    for path in sorted((folder / "outbox" / "drafts").rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            assert b"\n" not in content.replace(b"\r\n", b"")
            parsed = email.message_from_bytes(content, policy=email.policy.default)
            assert isinstance(parsed, EmailMessage)
            assert not parsed.defects
            found[path.name] = parsed
    return found


def text_of(message: EmailMessage) -> str:
    """Return the plain text."""
    part = message.get_body(("plain",))
    assert part is not None
    content: str = part.get_content()
    return content


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAXO_MAIL_SECRET", SECRET)
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.fixture(scope="module")
def office() -> Iterator[PostOffice]:
    """Open one office for all."""
    with PostOffice().open() as serving:
        yield serving


@pytest.fixture
def post(office: PostOffice) -> PostOffice:
    """Have it as new."""
    office.saw.__init__()  # type: ignore[misc]
    office.plan, office.refused = [], {}
    return office


def test_a_draft_opens_ready_to_send_and_nothing_leaves(tmp_path: Path, post: PostOffice) -> None:
    """The default: one file for each recipient; the same bytes when made again."""
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme", JANE, BOB))
    pack = sealed(tmp_path / "out").folder
    said = told(folder, "send", pack, "--json")
    assert said.code == 0
    assert [each["did"] for each in said.letters] == ["drafted", "drafted"]
    found = drafts(folder)
    assert [each["To"] for each in found.values()] == [BOB, JANE]
    for message in found.values():
        assert message["X-Unsent"] == "1"
        assert message["From"] == "Example Telecom <reports@example.com>"
        assert message["Subject"] == "Call statement, Acme Pty Ltd, October 2026"
        assert message["Cc"] is message["Bcc"] is message["Date"] is None
        (attached,) = message.iter_attachments()
        assert attached.get_filename() == "acme-statement.csv"
        assert attached.get_payload(decode=True) == b"calls of acme\r\n"
        for figure in ("$41.21", "Exactly $41.2075", "12", "1:02:05", "1 Oct 2026 to 31 Oct 2026"):
            assert figure in text_of(message)
    path = Path(said.letters[0]["draft"])
    before = path.read_bytes()
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.unlink()
    assert told(folder, "send", pack).code == 0
    assert path.read_bytes() == before
    assert post.saw.attempts == 0


def test_a_draft_needs_no_secret_and_sending_does(
    tmp_path: Path, post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes drafts may be another person than who holds the server's password."""
    monkeypatch.delenv("MAXO_MAIL_SECRET")
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme", JANE))
    pack = sealed(tmp_path / "out").folder
    drafted = told(folder, "send", pack)
    assert (drafted.code, len(drafts(folder))) == (0, 1), drafted.err
    refused = told(folder, "send", pack, "--approve")
    assert refused.code == 2
    assert "no secret for" in refused.err
    assert not post.saw.taken


def test_a_yes_sends_each_letter_once(tmp_path: Path, post: PostOffice) -> None:
    """Said again, nothing goes; the server's own words are kept."""
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme", JANE, BOB))
    pack = sealed(tmp_path / "out").folder
    draft = told(folder, "send", pack, "--json").letters[0]["draft"]
    first = told(folder, "send", pack, "--approve", "--json")
    assert first.code == 0
    assert [each["said"] for each in first.letters] == ["250 queued as 1", "250 queued as 2"]
    again = told(folder, "send", pack, "--approve", "--json")
    assert again.code == 0
    assert [each["did"] for each in again.letters] == ["sent before", "sent before"]
    assert told(folder, "send", pack, "--json").letters[0]["did"] == "sent before"
    assert [each.recipients for each in post.saw.taken] == [[JANE], [BOB]]
    sent = post.saw.taken[0]
    assert sent.sender == "reports@example.com"
    # What was looked at is what was sent, to the byte.
    assert sent.content.endswith(Path(draft).read_bytes().removeprefix(b"X-Unsent: 1\r\n"))
    assert sent.parsed["Auto-Submitted"] == "auto-generated"
    assert sent.parsed["Date"].datetime.utcoffset().total_seconds() == 36_000
    ids = {each.parsed["Message-ID"] for each in post.saw.taken}
    assert len(ids) == 2
    listed = told(folder, "outbox", "list", "--json")
    assert listed.code == 0
    assert {each["message_id"] for each in listed.letters} == ids
    assert all(each["state"] == "sent" for each in listed.letters)


def test_a_yes_without_sending_waits_for_the_month(tmp_path: Path, post: PostOffice) -> None:
    """``--approve --draft`` notes it; nothing leaves."""
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme", JANE))
    pack = sealed(tmp_path / "out").folder
    assert (
        told(folder, "send", pack, "--approve", "--draft", "--json").letters[0]["did"]
        == "approved"
    )
    assert post.saw.attempts == 0
    assert told(folder, "outbox", "list", "--json").letters[0]["state"] == "waiting"


def test_another_content_under_a_key_that_was_sent_is_refused(
    tmp_path: Path, post: PostOffice
) -> None:
    """Whether a template changed or the sender's name: what was issued stays."""
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme", JANE))
    pack = sealed(tmp_path / "out").folder
    assert told(folder, "send", pack, "--approve").code == 0
    (folder / "templates").mkdir()
    (folder / "templates" / "email.subject").write_text("Your bill")
    said = told(folder, "send", pack, "--approve", "--json")
    assert said.code == 6
    assert "is sent with another content: nothing is sent" in said.letters[0]["said"]
    assert len(post.saw.taken) == 1


def test_a_new_revision_says_what_it_replaces(tmp_path: Path, post: PostOffice) -> None:
    """To whom had the one before, and to nobody else."""
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme", JANE, BOB))
    first = sealed(tmp_path / "out").folder
    assert told(folder, "send", first, "--approve", "--to", JANE).code == 0
    second = sealed(tmp_path / "out", totals={**TOTALS, "cost": "50.00"}).folder
    assert second.name == "r2"
    assert told(folder, "send", second, "--approve").code == 0
    _, jane, bob = (each.parsed for each in post.saw.taken)
    assert jane["Subject"] == "Call statement, Acme Pty Ltd, October 2026 (revision 2)"
    assert "replaces revision 1" in text_of(jane)
    assert bob["Subject"] == "Call statement, Acme Pty Ltd, October 2026"
    assert "replaces" not in text_of(bob)


def test_refused_recipients_are_told_one_by_one(tmp_path: Path, post: PostOffice) -> None:
    """The others get theirs; what is not taken now waits, what never will is held."""
    names = [f"{name}@acme.example" for name in ("ann", "bob", "cyd", "dan")]
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme", *names))
    pack = sealed(tmp_path / "out").folder
    post.refused = {names[1]: "550 5.1.1 no such user", names[2]: "450 4.2.1 try again later"}
    said = told(folder, "send", pack, "--approve", "--json")
    assert said.code == 6
    assert [each["did"] for each in said.letters] == ["sent", "refused", "waiting", "sent"]
    assert said.letters[1]["said"] == "550 5.1.1 no such user"
    assert post.saw.attempts == 2 + 1 + 3
    post.refused = {}
    again = told(folder, "send", pack, "--approve", "--json")
    assert [each["did"] for each in again.letters] == [
        "sent before",
        "refused",
        "sent",
        "sent before",
    ]
    assert again.code == 6
    listed = told(folder, "outbox", "list", "--held")
    assert listed.code == 1
    assert "550 5.1.1 no such user" in listed.out
    assert names[0] not in listed.out
    number = again.letters[1]["number"]
    assert told(folder, "outbox", "resolve", str(number), "--again").code == 0
    assert told(folder, "send", pack, "--approve").code == 0
    assert sorted(each.recipients[0] for each in post.saw.taken) == names
    assert post.saw.twice() == []


@pytest.mark.parametrize("fault", [Fault("dot"), Fault("dot", HANG)])
def test_a_letter_of_which_nobody_knows_is_held(
    tmp_path: Path, post: PostOffice, fault: Fault
) -> None:
    """Never tried again by itself; a person says what became of it."""
    text = mail(post, tmp_path).replace("timeout = 5", "timeout = 5\ntries = 5")
    folder = books(tmp_path / "b", text, account("acme", JANE, BOB))
    pack = sealed(tmp_path / "out").folder
    post.plan = [fault]
    said = told(folder, "send", pack, "--approve", "--json")
    assert said.code == 6
    assert [each["did"] for each in said.letters] == ["uncertain", "sent"]
    for _ in range(3):
        again = told(folder, "send", pack, "--approve", "--json")
        assert again.code == 6
        assert [each["did"] for each in again.letters] == ["uncertain", "sent before"]
    assert "outbox resolve 1" in again.letters[0]["said"]
    assert len(post.saw.taken) == 2
    listed = told(folder, "outbox", "list")
    assert listed.code == 1
    assert "1 of 2 need a person" in listed.out
    said = told(folder, "outbox", "resolve", "1", "--sent", "--because", "Jane says so")
    assert said.code == 0
    assert "by a person: Jane says so" in said.out
    assert told(folder, "send", pack, "--approve").code == 0
    assert told(folder, "outbox", "list").code == 0
    assert len(post.saw.taken) == 2


def test_no_server_leaves_all_waiting_and_asks_it_once(tmp_path: Path, post: PostOffice) -> None:
    """A refused login is not tried for every recipient; then all go, each once."""
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme", JANE, BOB))
    pack = sealed(tmp_path / "out").folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAXO_MAIL_SECRET", "wrong")
        said = told(folder, "send", pack, "--approve", "--json")
    assert said.code == 6
    assert [each["did"] for each in said.letters] == ["waiting", "waiting"]
    assert "refused the login" in said.letters[1]["said"]
    assert post.saw.logins == ["PLAIN: False"]
    assert told(folder, "send", pack, "--approve").code == 0
    assert len(post.saw.taken) == 2


def test_trouble_that_passes_is_tried_again_with_the_same_bytes(
    tmp_path: Path, post: PostOffice
) -> None:
    """Same date, same id."""
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme", JANE))
    pack = sealed(tmp_path / "out").folder
    post.plan = [Fault("dot", "451 full"), Fault("rcpt")]
    assert told(folder, "send", pack, "--approve").code == 0
    assert post.saw.attempts == 3
    (entry,) = told(folder, "outbox", "list", "--json").letters
    assert entry["tries"] == 3
    assert len(post.saw.taken) == 1


def test_a_provisional_pack_is_sent_only_when_that_is_said(
    tmp_path: Path, post: PostOffice
) -> None:
    """In words; then the letter says it, too. A draft is a letter as well."""
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme", JANE))
    pack = sealed(tmp_path / "out", state="provisional", reasons=["too early"]).folder
    for words in ((), ("--approve",), ("--approve", "--draft")):
        said = told(folder, "send", pack, *words)
        assert said.code == 6
        assert "is provisional (too early)" in said.err
    assert not (folder / "outbox").exists()
    assert told(folder, "send", pack, "--approve", "--provisional").code == 0
    (taken,) = post.saw.taken
    assert taken.parsed["Subject"].startswith("Provisional: ")
    assert "too early" in text_of(taken.parsed)


@pytest.mark.parametrize("words", [(), ("--approve",), ("--approve", "--provisional")])
def test_a_pack_that_was_changed_is_not_sent(
    tmp_path: Path, post: PostOffice, words: tuple[str, ...]
) -> None:
    """Whatever is said: figures that do not verify do not leave."""
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme", JANE))
    pack = sealed(tmp_path / "out").folder
    (pack / "acme-statement.csv").write_bytes(b"calls of acmf\r\n")
    said = told(folder, "send", pack, *words)
    assert said.code == 5
    assert "acme-statement.csv" in said.err
    assert post.saw.attempts == 0
    assert not (folder / "outbox").exists()


def test_what_cannot_be_sent_is_said_before_anything(tmp_path: Path, post: PostOffice) -> None:
    """No server, no recipient, a stranger's domain, an account that is not here."""
    pack = sealed(tmp_path / "out").folder
    bare = books(tmp_path / "bare", account("acme", JANE))
    assert "no server to send over" in told(bare, "send", pack, "--approve").err
    nobody = books(tmp_path / "nobody", mail(post, tmp_path), account("acme"))
    assert "has no recipient" in told(nobody, "send", pack).err
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme", JANE))
    said = told(folder, "send", pack, "--approve", "--to", "jane@acme.example.evil.example")
    assert (said.code, "not among the domains" in said.err) == (2, True)
    said = told(folder, "send", pack, "--to", "jane")
    assert (said.code, "is not an address" in said.err) == (2, True)
    beta = books(tmp_path / "beta", mail(post, tmp_path), account("beta", JANE))
    assert told(beta, "send", pack, "--approve").code == 2
    assert post.saw.attempts == 0


def test_an_address_of_its_own_gets_what_the_settings_say_or_the_pdf(
    tmp_path: Path, post: PostOffice
) -> None:
    """``--to`` picks among the recipients, and adds one where its domain is allowed."""
    text = account("acme") + recipients("acme", [JANE, BOB], ["csv"])
    folder = books(tmp_path / "b", mail(post, tmp_path), text)
    files = {"a-statement.csv": b"1\r\n", "a-statement.txt": b"t"}
    pack = sealed(tmp_path / "out", files=files).folder
    said = told(folder, "send", pack, "--approve", "--to", "JANE@acme.example", "--json")
    assert [each["recipient"] for each in said.letters] == [JANE]
    said = told(folder, "send", pack, "--approve", "--to", "eve@beta.example", "--json")
    assert said.code == 6
    assert "is to have pdf of the report 'statement', which pack" in said.letters[0]["said"]


def test_everybody_gets_the_files_that_are_meant_for_him(tmp_path: Path, post: PostOffice) -> None:
    """By kind, of his reports only, and other files of the pack by name."""
    files = {
        "a-statement.csv": b"s",
        "a-statement.txt": b"st",
        "a-itemised.csv": b"i",
        "changes.csv": b"c",
    }
    reports = [
        {"name": "statement", "title": "Call statement", "files": list(files)[:2]},
        {"name": "itemised", "title": "Itemised calls", "files": ["a-itemised.csv"]},
    ]
    pack = sealed(tmp_path / "out", files=files, reports=reports).folder
    text = account("acme") + (
        f'[[account.acme.mail]]\naddress = "{JANE}"\nattach = ["csv"]\n'
        f'[[account.acme.mail]]\naddress = "{BOB}"\nreports = ["statement"]\n'
        'attach = ["TXT", "changes.*"]\n'
    )
    folder = books(tmp_path / "b", mail(post, tmp_path), text)
    said = told(folder, "send", pack, "--approve", "--json")
    assert said.code == 0
    got = [
        (
            each.recipients[0],
            each.parsed["Subject"].split(",")[0],
            [part.get_filename() for part in each.parsed.iter_attachments()],
        )
        for each in post.saw.taken
    ]
    assert got == [
        (JANE, "Call statement", ["a-statement.csv"]),
        (JANE, "Itemised calls", ["a-itemised.csv"]),
        (BOB, "Call statement", ["a-statement.txt", "changes.csv"]),
    ]


def test_a_message_that_is_too_large_is_not_made(tmp_path: Path, post: PostOffice) -> None:
    """The limit is of the message as it travels; the error says what weighs."""
    text = mail(post, tmp_path, "largest_mb = 1\n")
    folder = books(tmp_path / "b", text, account("acme", JANE))
    pack = sealed(tmp_path / "out", files={"a.csv": b"x" * 800_000}).folder
    for words in ((), ("--approve",)):
        said = told(folder, "send", pack, *words, "--json")
        assert said.code == 6
        assert "would have 1.1 MB, more than the 1 MB of largest_mb" in said.letters[0]["said"]
        assert "a.csv 800 kB" in said.letters[0]["said"]
    assert post.saw.attempts == 0


def test_nobody_gets_anothers_files(tmp_path: Path, post: PostOffice) -> None:
    """One recipient a message, and only his account's file: 500 recipients, or a tenth of them."""
    names = [f"a{n:02}" for n in range(20 if ALL else 10)]
    texts, wanted = [mail(post, tmp_path)], {}
    for at, name in enumerate(names):
        to = [f"r{at:02}x{n:02}@acme.example" for n in range(25 if ALL else 5)]
        wanted |= dict.fromkeys(to, name)
        texts.append(account(name, *to))
    folder = books(tmp_path / "b", *texts)
    for name in names:
        pack = sealed(tmp_path / "out", name, name=f"Client {name}").folder
        assert told(folder, "send", pack, "--approve").code == 0
    assert len(post.saw.taken) == len(wanted) == (500 if ALL else 50)
    for each in post.saw.taken:
        (recipient,) = each.recipients
        parsed = each.parsed
        assert [address.addr_spec for address in parsed["To"].addresses] == [recipient]
        name = wanted.pop(recipient)
        (attached,) = parsed.iter_attachments()
        assert attached.get_payload(decode=True) == f"calls of {name}\r\n".encode()
        assert f"Client {name}" in parsed["Subject"]
    assert post.saw.twice() == []


def test_a_number_in_a_name_stops_the_letter(tmp_path: Path, post: PostOffice) -> None:
    """Numbers belong in the files; subjects and bodies pass strangers."""
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme", JANE))
    pack = sealed(tmp_path / "out", name="Acme 02 5550 0140").folder
    said = told(folder, "send", pack, "--approve", "--json")
    assert said.code == 6
    assert "would show a telephone number" in said.letters[0]["said"]
    assert "5550" not in said.out
    assert post.saw.attempts == 0


def test_a_pack_of_no_report_is_not_mailed(tmp_path: Path, post: PostOffice) -> None:
    """Whose files they are must be written down: what is for the owner alone goes to nobody."""
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme", JANE))
    pack = sealed(tmp_path / "out", reports=[{"name": "margin"}]).folder
    for words in ((), ("--approve",)):
        said = told(folder, "send", pack, *words)
        assert said.code == 6
        assert "does not say which file is of which report" in said.err
    assert post.saw.attempts == 0


def test_a_report_that_is_none_or_that_nobody_gets_is_told(
    tmp_path: Path, post: PostOffice
) -> None:
    """A name that is misspelt would else mean that nothing is ever sent."""
    pack = sealed(tmp_path / "out").folder
    to = f'[[account.acme.mail]]\naddress = "{JANE}"\nattach = ["csv"]\nreports = ["{{}}"]\n'
    folder = books(tmp_path / "a", mail(post, tmp_path), account("acme"), to.format("statment"))
    said = told(folder, "send", pack, "--approve")
    assert said.code == 2
    assert "there is no report 'statment' (did you mean 'statement'?)" in said.err
    folder = books(tmp_path / "b", mail(post, tmp_path), account("acme"), to.format("itemised"))
    said = told(folder, "send", pack, "--approve")
    assert said.code == 2
    assert "nobody in maxo.toml gets what pack" in said.err
    assert post.saw.attempts == 0
