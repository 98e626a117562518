"""Settings: every mistake at once with the nearest name, three sources in order, private keys."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports import config
from maxo_reports.config import Account, Addressee, Mail, Settings, api_key, load
from maxo_reports.config.accounts import file_named
from maxo_reports.core.behaviour import Behaviour
from maxo_reports.errors import ConfigError, MaxoReportsError, UsageError

GOOD = '[account.acme]\nname = "Acme"\ntimezone = "Australia/Brisbane"\n'
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX alone has these modes")


def written(folder: Path, text: str | bytes) -> Path:
    """Write a workspace's settings."""
    content = text.encode() if isinstance(text, str) else text
    (folder / "maxo.toml").write_bytes(content)
    return folder


def mistakes(folder: Path, text: str | bytes, **environment: str) -> tuple[str, ...]:
    """Return what is wrong with some settings; each problem names the file and is one line."""
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text), environment)
    assert "\n" not in str(caught.value)
    assert str(folder / "maxo.toml") in str(caught.value)
    prefix = f"{folder / 'maxo.toml'}: "
    return tuple(problem.removeprefix(prefix) for problem in caught.value.problems)


# --- what is right -------------------------------------------------------------------------


def test_two_lines_are_an_account_and_all_else_has_a_default(tmp_path: Path) -> None:
    """Name and zone are needed; GST is never guessed."""
    workspace = load(written(tmp_path, GOOD), {})
    account = workspace.accounts["acme"]
    assert account == Account("acme", "Acme", "Australia/Brisbane")
    assert (account.base_url, account.cost_gst) == ("https://myapi.maxo.com.au/", "unknown")
    assert workspace.settings == Settings()
    assert workspace.out == tmp_path / "out"
    assert workspace.archive_of(account) == tmp_path / "archive" / "acme"


def test_every_setting_of_the_template_is_one(tmp_path: Path) -> None:
    """What 'init' writes is read; with its comments taken away, so is every line of it."""
    path = config.write_template(tmp_path / "new" / "books")
    assert load(path.parent, {}).accounts["acme"].name == "Acme Pty Ltd"
    lines = []
    for line in config.TEMPLATE.splitlines():
        text = line.removeprefix("# ")
        is_setting = " = " in text.partition("#")[0] or text.startswith("[")
        lines.append(text if is_setting else "")
    opened = "\n".join(lines)
    workspace = load(written(tmp_path, opened), {})
    given = tomllib.loads(opened)
    assert set(given["settings"]) == set(Settings.__dataclass_fields__)
    settings = set(given["account"]["acme"]) - {"mail"}
    assert settings == set(Account.__dataclass_fields__) - {"id"}
    (recipient,) = given["account"]["acme"]["mail"]
    assert set(recipient) == set(Addressee.__dataclass_fields__)
    assert set(given["mail"]) <= set(Mail.__dataclass_fields__)
    # The template shows each setting's default.
    assert workspace.settings == Settings()
    assert workspace.behaviour_of(workspace.accounts["acme"]) == Behaviour()
    assert set(given["behaviour"]) == set(Behaviour.__dataclass_fields__)


def test_flags_aside_the_environment_overrules_the_file(tmp_path: Path) -> None:
    """MAXO_REPORTS_ and the setting's name; what it does not say is the file's."""
    text = GOOD + '[settings]\ntries = 3\nout = "packs"\ncrosscheck = "none"\n'
    environment = {
        "MAXO_REPORTS_TRIES": "9",
        "MAXO_REPORTS_CROSSCHECK": "full",
        "MAXO_REPORTS_TRUST_ENVIRONMENT": "1",
        "MAXO_REPORTS_NONSENSE": "ignored",
        "TRIES": "1",
    }
    found = load(written(tmp_path, text), environment).settings
    assert found == Settings(tries=9, out="packs", crosscheck="full", trust_environment=True)
    assert load(tmp_path, {}).settings.tries == 3


def test_folders_can_stand_elsewhere(tmp_path: Path) -> None:
    """An absolute folder is taken as it is, a relative one below the workspace."""
    other = tmp_path / "elsewhere"
    text = f'{GOOD}[settings]\nout = "{other.as_posix()}"\narchive = "a/b"\n'
    workspace = load(written(tmp_path, text), {})
    assert workspace.out == other
    assert workspace.archive_of(workspace.accounts["acme"]) == tmp_path / "a" / "b" / "acme"


# --- what is wrong -------------------------------------------------------------------------


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """Ten mistakes, one message, each with its table and the nearest real name."""
    text = """
        colour = "red"
        [setings]
        [settings]
        tris = 5
        tries = 0
        read_timeout = "60"
        trust_environment = 1
        crosscheck = "ful"
        [account.acme]
        nmae = "Acme"
        timezone = "Australia/Brisbne"
        base_url = "http://example.com/"
        cost_gst = "inclusiv"
        billing_day = 31
        calls_per_month = true
        [account."Über"]
        name = "B"
        timezone = "UTC"
    """
    found = mistakes(tmp_path, text)
    assert found == (
        "'colour' is not a setting",
        "'setings' is not a setting (did you mean 'settings'?)",
        "[settings] 'tris' is not a setting (did you mean 'tries'?)",
        "[settings] tries must be from 1 to 20, not 0",
        "[settings] read_timeout must be a whole number, not '60'",
        "[settings] trust_environment must be true or false, not 1",
        "[settings] crosscheck must be one of none, light, full, not 'ful' (did you mean 'full'?)",
        "[account.acme] name is missing",
        "[account.acme] 'nmae' is not a setting (did you mean 'name'?)",
        (
            "[account.acme] cost_gst must be one of inclusive, exclusive, unknown, not 'inclusiv' "
            "(did you mean 'inclusive'?)"
        ),
        "[account.acme] billing_day must be from 1 to 28, not 31",
        "[account.acme] calls_per_month must be a whole number, not True",
        (
            "[account.acme] timezone 'Australia/Brisbne' is not an IANA zone "
            "(did you mean 'Australia/Brisbane'?)"
        ),
        (
            "[account.acme] base_url must be https:// (the API key would cross the network "
            "readable): 'example.com'"
        ),
        "[account.Über] the account's id may hold a-z, 0-9, - and _ only, 63 at most",
    )


@pytest.mark.parametrize(
    "text",
    [
        b"[account.acme",
        b"name = ",
        b"\xff\xfe",
        b"a = 1\na = 2",
        b"x = " + b"[" * 5_000,
        b"x = " + b"9" * 5_000,
        b"\x00",
    ],
)
def test_what_is_no_toml_is_one_line(tmp_path: Path, text: bytes) -> None:
    """Cut, doubled, of another encoding, without end: never a traceback."""
    (problem,) = mistakes(tmp_path, text)
    assert "is not readable TOML" in problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is no account"),
        ("[settings]\n", "there is no account"),
        ("account = 3", "'account' must be a table, written [account]"),
        ("settings = []\n" + GOOD, "'settings' must be a table, written [settings]"),
        ("[account]\nacme = 1", "'account.acme' must be a table, written [account.acme]"),
        (GOOD.replace('"Acme"', '"A\\u0000"'), "name must hold no control characters"),
        (GOOD + '[settings]\nout = "a\\u0000b"', "out must hold no control characters"),
        (GOOD + 'api_key_file = "\\u001b"', "api_key_file must hold no control characters"),
        ('[account.""]\nname="A"\ntimezone="UTC"', "the account's id"),
        ('[account.".."]\nname="A"\ntimezone="UTC"', "the account's id"),
        ('[account."a/b"]\nname="A"\ntimezone="UTC"', "the account's id"),
        (f'[account.{"a" * 64}]\nname="A"\ntimezone="UTC"', "the account's id"),
    ],
)
def test_each_mistake_is_named(tmp_path: Path, text: str, says: str) -> None:
    """One mistake, one problem that names it."""
    assert any(says in problem for problem in mistakes(tmp_path, text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TRIES", "many"),
        ("TRIES", ""),
        ("TRIES", "-1"),
        ("TRIES", "99"),
        ("TRIES", "9" * 5_000),
        ("TRIES", "٣"),
        ("TRUST_ENVIRONMENT", "yes"),
        ("CROSSCHECK", "deep"),
    ],
)
def test_a_wrong_word_in_the_environment_is_told(tmp_path: Path, name: str, text: str) -> None:
    """It is a mistake like one in the file, not a silent default."""
    variable = f"MAXO_REPORTS_{name}"
    (problem,) = mistakes(tmp_path, GOOD, **{variable: text})
    assert variable in problem or name.lower() in problem


@pytest.mark.parametrize("what", ["nothing", "no folder", "a file", "a folder"])
def test_settings_that_are_not_there_are_one_line(tmp_path: Path, what: str) -> None:
    """No file, no folder, a file in the folder's place, a folder in the file's."""
    folder = tmp_path / "books"
    if what == "a file":
        folder.write_text("")
    elif what != "no folder":
        folder.mkdir()
    if what == "a folder":
        (folder / "maxo.toml").mkdir()
    with pytest.raises(ConfigError) as caught:
        load(folder, {})
    said = str(caught.value)
    assert "maxo.toml" in said
    assert str(folder) in said
    if what.startswith("no"):
        assert "maxo-reports init" in said


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_any_text_is_settings_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """Law: whatever stands in the file, there is a workspace or one line of our own."""
    folder = tmp_path_factory.getbasetemp() / "law"
    folder.mkdir(exist_ok=True)
    for each in (text, f"{GOOD}{text}", f"{GOOD}[settings]\n{text}"):
        try:
            load(written(folder, each), {})
        except MaxoReportsError as problem:
            assert "\n" not in str(problem)


# --- where the key goes --------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://localhost.example.com/",
        "http://127.0.0.1.example.com/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "http://[::2]/",
        "http://2130706433/",
        "HTTP://EXAMPLE.COM/",
    ],
)
def test_plain_http_is_for_this_machine_only(tmp_path: Path, url: str) -> None:
    """The key would be readable on the way: refused, with the host."""
    (problem,) = mistakes(tmp_path, f'{GOOD}base_url = "{url}"')
    assert "must be https://" in problem


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "ftp://user:secret@example.com/",
        "user:secret@example.com",
        "example.com",
        "//example.com/",
        "https://",
        "https:///calls",
        "",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "https://example.com/?key=secret",
        "https://example.com/#secret",
        "https://example.com:port/",
        "https://[example.com/",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    """Also one that holds a user or a key; what it holds is not repeated."""
    (problem,) = mistakes(tmp_path, f'{GOOD}base_url = "{url}"')
    assert "base_url" in problem
    assert "secret" not in problem


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://myapi.maxo.com.au/", "myapi.maxo.com.au"),
        ("https://api.reseller.example:8443/v1/", "api.reseller.example"),
        ("http://127.0.0.1:8765/", "127.0.0.1"),
        ("http://127.9.9.9/", "127.9.9.9"),
        ("http://localhost:8765", "localhost"),
        ("http://[::1]:8765/", "::1"),
    ],
)
def test_addresses_that_the_key_may_go_to(tmp_path: Path, url: str, host: str) -> None:
    """Https anywhere, plain http to loopback."""
    workspace = load(written(tmp_path, f'{GOOD}base_url = "{url}"'), {})
    assert workspace.accounts["acme"].host == host


# --- which accounts ------------------------------------------------------------------------


def test_accounts_are_chosen_by_name_or_all(tmp_path: Path) -> None:
    """The only one by itself, several by name in the order asked, each once."""
    one = load(written(tmp_path, GOOD), {})
    assert [each.id for each in one.chosen([], every=False)] == ["acme"]
    two = load(written(tmp_path, GOOD + GOOD.replace("acme", "beta")), {})
    assert [each.id for each in two.chosen([], every=True)] == ["acme", "beta"]
    chosen = two.chosen(["beta", "acme", "beta"], every=False)
    assert [each.id for each in chosen] == ["beta", "acme"]
    with pytest.raises(UsageError, match=r"which account\?.*acme, beta"):
        two.chosen([], every=False)
    with pytest.raises(UsageError, match=r"did you mean 'acme'\?\); it has: acme, beta"):
        two.chosen(["beta", "acne"], every=False)


# --- the key -------------------------------------------------------------------------------

ACCOUNT = Account("acme", "Acme", "UTC")
FROM_FILE = Account("acme", "Acme", "UTC", api_key_file="acme.key")


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no keyring, whatever this machine has."""
    monkeypatch.setitem(sys.modules, "keyring", None)


def test_a_key_comes_from_the_named_variable(tmp_path: Path) -> None:
    """MAXO_API_KEY by default; space and line ends around it are no part of it."""
    assert api_key(ACCOUNT, tmp_path, {"MAXO_API_KEY": " k1\n"}) == "k1"
    other = Account("acme", "Acme", "UTC", api_key_env="ACME_KEY")
    assert api_key(other, tmp_path, {"MAXO_API_KEY": "k1", "ACME_KEY": "k2"}) == "k2"


def test_a_missing_key_is_told_with_every_place_that_was_looked_at(tmp_path: Path) -> None:
    """One line: the variable, the setting and the keyring's command."""
    for environment in ({}, {"MAXO_API_KEY": ""}, {"MAXO_API_KEY": " \n"}):
        with pytest.raises(ConfigError) as caught:
            api_key(ACCOUNT, tmp_path, environment)
        for words in ("MAXO_API_KEY", "api_key_file", "keyring set maxo-reports acme"):
            assert words in str(caught.value)


def test_a_key_file_is_read_and_goes_before_the_environment(tmp_path: Path) -> None:
    """Beside maxo.toml by its name, or anywhere by its path."""
    path = tmp_path / "acme.key"
    path.write_text("k3\n")
    path.chmod(0o600)
    assert api_key(FROM_FILE, tmp_path, {"MAXO_API_KEY": "k1"}) == "k3"
    elsewhere = Account("acme", "Acme", "UTC", api_key_file=str(path))
    assert api_key(elsewhere, tmp_path / "other", {}) == "k3"


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644, 0o610, 0o601, 0o777])
def test_a_key_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """One line with the command that mends it; the key is not in it."""
    path = tmp_path / "acme.key"
    path.write_text("k3-secret")
    path.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600") as caught:
        api_key(FROM_FILE, tmp_path, {})
    assert "k3-secret" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe", "folder"])
def test_a_key_file_that_holds_none_is_one_line(
    tmp_path: Path, content: bytes | str | None
) -> None:
    """Missing, empty, no text, a folder: the environment does not step in silently."""
    path = tmp_path / "acme.key"
    if content == "folder":
        path.mkdir(mode=0o700)
    elif isinstance(content, bytes):
        path.write_bytes(content)
        path.chmod(0o600)
    with pytest.raises(ConfigError, match=r"acme\.key"):
        api_key(FROM_FILE, tmp_path, {"MAXO_API_KEY": "k1"})


def test_the_keyring_is_asked_where_the_environment_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under our name and the account's; a keyring that is locked is no key, and no crash."""

    class Locked(Exception):
        """What keyrings raise."""

    asked = []

    def get_password(service: str, account: str) -> str | None:
        asked.append((service, account))
        if account == "locked":
            raise Locked
        return "k4" if account == "acme" else None

    ring = ModuleType("keyring")
    ring.get_password = get_password  # type: ignore[attr-defined]
    ring.errors = SimpleNamespace(KeyringError=Locked)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", ring)
    errors = ModuleType("keyring.errors")
    errors.KeyringError = Locked  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    assert api_key(ACCOUNT, tmp_path, {"MAXO_API_KEY": "k1"}) == "k1"
    assert asked == []
    assert api_key(ACCOUNT, tmp_path, {}) == "k4"
    assert asked == [("maxo-reports", "acme")]
    for name in ("locked", "beta"):
        with pytest.raises(ConfigError, match="no API key"):
            api_key(Account(name, "B", "UTC"), tmp_path, {})


# --- init ----------------------------------------------------------------------------------


def test_settings_that_are_there_are_never_overwritten(tmp_path: Path) -> None:
    """Not even empty ones; the line says that they are left."""
    written(tmp_path, "mine")
    with pytest.raises(UsageError, match="left as it is"):
        config.write_template(tmp_path)
    assert (tmp_path / "maxo.toml").read_text() == "mine"


def test_a_file_in_the_folders_place_is_told(tmp_path: Path) -> None:
    """It is not taken for settings that are there already."""
    (tmp_path / "books").write_text("mine")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        config.write_template(tmp_path / "books")
    with pytest.raises(ConfigError, match="cannot write"):
        config.write_template(tmp_path / "books" / "deeper")
    assert (tmp_path / "books").read_text() == "mine"


@posix
def test_new_settings_are_private(tmp_path: Path) -> None:
    """They may come to name places of keys."""
    assert config.write_template(tmp_path).stat().st_mode & 0o777 == 0o600


def test_a_home_that_is_not_here_is_told_in_one_line(tmp_path: Path) -> None:
    """For keys and for number directories alike."""
    with pytest.raises(ConfigError, match="'~nobody-at-all/key' begins with a home"):
        file_named(tmp_path, "~nobody-at-all/key")
    assert file_named(tmp_path, "d.csv") == tmp_path / "d.csv"
    assert file_named(tmp_path, "~/d.csv") == Path.home() / "d.csv"
