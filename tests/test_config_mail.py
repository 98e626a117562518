"""Settings of mail: every mistake is told, and nothing can be sent where it must not."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from mailpacks import account, books, mail

from maxo_reports import config
from maxo_reports.config import Addressee, Mail, Workspace, mail_secret
from maxo_reports.errors import ConfigError

SERVER = 'host = "smtp.example.com"\nuser = "me"\n'


def loaded(folder: Path, *parts: str) -> Workspace:
    """Write and read settings."""
    return config.load(books(folder, *parts), {})


def problems(folder: Path, *parts: str) -> tuple[str, ...]:
    """Return what is said of wrong settings."""
    with pytest.raises(ConfigError) as why:
        loaded(folder, *parts)
    return why.value.problems


def test_what_is_read(tmp_path: Path) -> None:
    """Recipients of an account, in order; without [mail] there are drafts only."""
    more = '[[account.acme.mail]]\naddress = "Bob@Acme.Example"\nname = "Bob B."\n'
    more += 'reports = ["itemised"]\nattach = ["xlsx", "changes.csv"]\n'
    workspace = loaded(tmp_path, account("acme", "jane@acme.example"), more)
    assert workspace.mail == Mail()
    assert not workspace.mail.can_send
    jane, bob = workspace.addressees["acme"]
    assert jane == Addressee("jane@acme.example", attach=("csv",))
    assert bob.mailbox.spec == "Bob@acme.example"
    assert [bob.wants("itemised"), bob.wants("statement"), jane.wants("x")] == [True, False, True]
    pack = ["changes.csv", "a.pdf", "b.xlsx", "a.xlsx"]
    assert bob.chosen(pack, {"a.pdf", "a.xlsx"}) == ["a.xlsx", "changes.csv"]
    assert bob.chosen(pack, {"a.pdf"}) == ["changes.csv"]
    assert workspace.outbox == tmp_path / "outbox"
    assert workspace.accounts["acme"].send == "approved"


def test_the_usual_ports(tmp_path: Path) -> None:
    """587 for STARTTLS, 465 for TLS, or what is said."""
    for lines, port in (("", 587), ('security = "tls"\n', 465), ("port = 2525\n", 2525)):
        text = mail(more=SERVER + lines)
        workspace = loaded(tmp_path, account("acme"), text)
        assert workspace.mail.real_port == port


@pytest.mark.parametrize(
    ("acme", "text", "says"),
    [
        ("", 'sender = "nobody"', "[mail] sender 'nobody' is not an address"),
        ("", 'reply_to = "a@b"', "[mail] reply_to 'a@b' has no domain"),
        ("", 'domains = ["acme"]', "[mail] domains: 'acme' is not a domain"),
        ("", 'securty = "tls"', "'securty' is not a setting (did you mean 'security'?)"),
        ("", 'security = "none"', "security must be one of starttls, tls, not 'none'"),
        ("", "largest_mb = 0", "largest_mb must be from 1 to 100"),
        ("", 'host = "smtp.example.com"', "[mail] sender is missing"),
        ("", 'host = "smtp.example.com"', "[mail] domains is missing"),
        ("", 'host = "smtp.example.com"', "[mail] user is missing"),
        ("", 'host = "http://x"', "[mail] host 'http://x' is not the name of a server"),
        ('send = "automatic"', "", 'send = "automatic" needs a host'),
        ('send = "yes"', "", "send must be one of approved, automatic"),
        ('mail = "jane"', "", "must be tables, each written [[account.acme.mail]]"),
        ("mail = [{}]", "", "[[account.acme.mail]] address is missing"),
        ('mail = [{address = "x"}]', "", "address 'x' is not an address"),
        (
            'mail = [{address = "a@evil.example"}]',
            'domains = ["acme.example"]',
            "evil.example is not among the domains",
        ),
        (
            'mail = [{address = "a@acme.example", attach = []}]',
            "",
            "attach must name a kind of file",
        ),
        (
            'mail = [{address = "a@acme.example"}, {address = "A@acme.example"}]',
            "",
            "'A@acme.example' is there twice for the same report",
        ),
        (
            'mail = [{address = "a@acme.example", name = "a\\r\\nBcc: x"}]',
            "",
            "must hold no control characters",
        ),
        ('mail = [{adress = "a@acme.example"}]', "", "did you mean 'address'?"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, acme: str, text: str, says: str) -> None:
    """Each with its place and what would do."""
    found = problems(tmp_path, account("acme", more=acme), f"[mail]\n{text}\n")
    assert any(says in each for each in found), found


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Those of mail among the others."""
    found = problems(
        tmp_path, account("acme", "nobody", more="billing_day = 99"), '[mail]\nsender = "x"\n'
    )
    assert len(found) == 3


def test_one_person_can_get_two_reports_differently(tmp_path: Path) -> None:
    """Written down twice, for different reports."""
    text = "".join(
        f'[[account.acme.mail]]\naddress = "a@acme.example"\nreports = ["{each}"]\n'
        for each in ("statement", "itemised")
    )
    assert len(loaded(tmp_path, account("acme"), text).addressees["acme"]) == 2


class Keyring(ModuleType):
    """A keyring that has what it is given."""

    def __init__(self, held: dict[tuple[str, str], str]) -> None:
        super().__init__("keyring")
        self.errors = SimpleNamespace(KeyringError=RuntimeError)
        self.get_password = lambda service, name: held.get((service, name))


def test_where_the_secret_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A private file, else the environment, else the keyring; never readable to others."""
    keyring = Keyring({("maxo-reports", "mail"): "from the ring"})
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", keyring.errors)
    plain = Mail(host="smtp.example.com", user="me")
    assert mail_secret(plain, tmp_path, {}) == "from the ring"
    assert mail_secret(plain, tmp_path, {"MAXO_MAIL_SECRET": "hush"}) == "hush"
    monkeypatch.setitem(sys.modules, "keyring", None)
    path = tmp_path / "secret"
    path.write_text(" hush \n")
    path.chmod(0o600)
    named = Mail(host="smtp.example.com", user="me", secret_file="secret")
    assert mail_secret(named, tmp_path, {}) == "hush"
    path.chmod(0o644)
    with pytest.raises(ConfigError, match=r"holds the secret of 'me'.*others may read it"):
        mail_secret(named, tmp_path, {})
    with pytest.raises(ConfigError, match=r"no secret for 'me' at smtp\.example\.com"):
        mail_secret(plain, tmp_path, {})
