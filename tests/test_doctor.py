"""The doctor: each illness has a name and a remedy, and nothing is changed by the look."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest
from carriers import KEY
from workspaces import contents, ran

from maxo_reports import doctor
from maxo_reports.doctor import Examined, examine, install_line

NOW = 1_793_451_600
GOOD = '[account.acme]\nname = "Acme"\ntimezone = "Australia/Brisbane"\n'


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)


def examined(folder: Path, now: int = NOW, **environment: str) -> dict[str, Examined]:
    """Examine a workspace and return what was found by its name."""
    found = examine(folder, environment, now)
    assert all("\n" not in each.says for each in found)
    return {each.what: each for each in found}


def test_a_machine_that_has_all_is_well(tmp_path: Path) -> None:
    """This one, on which the tests run."""
    (tmp_path / "maxo.toml").write_text(GOOD)
    found = examined(tmp_path, MAXO_API_KEY=KEY)
    assert {name: each.health for name, each in found.items()} == dict.fromkeys(
        (
            *("Python", "Packages", "PDF", "Fonts", "Time zones", "Clock", "Folder", "Reports"),
            *("Workspace", "Key of acme"),
        ),
        "ok",
    )
    assert found["Workspace"].says == "accounts: acme"
    assert platform.python_version() in found["Python"].says
    assert not any(KEY in each.says for each in found.values())


def test_the_look_changes_nothing(tmp_path: Path) -> None:
    """Not a file, not a folder."""
    (tmp_path / "maxo.toml").write_text(GOOD)
    before = contents(tmp_path)
    examined(tmp_path, MAXO_API_KEY=KEY)
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["maxo.toml"]


def test_a_new_folder_is_told_how_to_begin(tmp_path: Path) -> None:
    """No settings yet is no illness."""
    found = examined(tmp_path)
    assert found["Workspace"].health == "note"
    assert "maxo-reports init" in found["Workspace"].says


def test_each_account_has_a_key_or_is_told(tmp_path: Path) -> None:
    """One with, one without: both are named."""
    (tmp_path / "maxo.toml").write_text(
        GOOD + GOOD.replace("acme", "beta") + 'api_key_env = "BETA_KEY"\n'
    )
    found = examined(tmp_path, MAXO_API_KEY=KEY)
    assert found["Key of acme"].health == "ok"
    assert found["Key of beta"].health == "ill"
    assert "BETA_KEY" in found["Key of beta"].says


def test_wrong_settings_are_told(tmp_path: Path) -> None:
    """With the same words as a run would have."""
    (tmp_path / "maxo.toml").write_text(GOOD.replace("timezone", "timezon"))
    found = examined(tmp_path)
    assert found["Workspace"].health == "ill"
    assert "did you mean 'timezone'" in found["Workspace"].says
    assert "Key of acme" not in found


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("reports/mine.toml", "version must be 1"),
        ("templates/theme.toml", "is missing"),
    ],
)
def test_wrong_definitions_are_told(tmp_path: Path, file: str, says: str) -> None:
    """A definition or palette of one's own, before a run finds it."""
    path = tmp_path / file
    path.parent.mkdir()
    path.write_text("")
    found = examined(tmp_path)["Reports"]
    assert found.health == "ill"
    assert str(path) in found.says
    assert says in found.says


@pytest.mark.parametrize(("now", "health"), [(NOW, "ok"), (0, "ill"), (1_767_225_599, "ill")])
def test_a_clock_of_the_past_is_an_illness(tmp_path: Path, now: int, health: str) -> None:
    """Before the program was written, no clock can be right."""
    assert examined(tmp_path, now)["Clock"].health == health


@pytest.mark.parametrize("what", ["no folder", "a file"])
def test_a_folder_that_cannot_be_written_in_is_told(tmp_path: Path, what: str) -> None:
    """By its whole name, with the system's own words."""
    folder = tmp_path / "books"
    if what == "a file":
        folder.write_text("")
    found = examined(folder)["Folder"]
    assert found.health == "ill"
    assert str(folder) in found.says
    assert ("No such file" if what == "no folder" else "Not a directory") in found.says


def test_a_nearly_full_disk_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may still do; the figure is shown."""
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - what shutil returns
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 5 * 1024**2))
    found = examined(tmp_path)["Folder"]
    assert (found.health, found.says) == ("note", f"{tmp_path}, 5 MiB free")


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line that installs them."""
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name in {"duckdb", "rich"}:
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor, "version", version)
    found = examined(tmp_path)["Packages"]
    assert (found.health, found.says) == ("ill", "missing: pip install duckdb rich")


@pytest.mark.parametrize(
    "problem", [OSError("cannot load library 'libpango-1.0-0': no such file\nmore"), ImportError()]
)
def test_missing_pango_is_told_with_the_line_for_this_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception, capfd
) -> None:
    """WeasyPrint's own page of advice is not printed."""
    real = doctor.import_module

    def import_module(name: str) -> object:
        if name == "weasyprint":
            raise problem
        return real(name)

    monkeypatch.setattr(doctor, "import_module", import_module)
    monkeypatch.setattr(doctor, "install_line", lambda: "apt-get install pango")
    found = examined(tmp_path)["PDF"]
    assert found.health == "ill"
    assert found.says.endswith("; run: apt-get install pango")
    assert capfd.readouterr().out == ""


def test_missing_fonts_and_zones_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes with the program, and what the system or a package brings."""
    monkeypatch.setattr(doctor.definitions, "shipped", lambda: tmp_path)
    assert doctor._fonts().health == "ill"
    monkeypatch.setattr(doctor, "available_timezones", set)
    found = doctor._zones()
    assert (found.health, found.says) == ("ill", "no zone data: pip install tzdata")


SYSTEMS = [
    ("linux", {"ID": "debian"}, 0, "apt-get install libpango"),
    ("linux", {"ID": "ubuntu", "ID_LIKE": "debian"}, 1000, "sudo apt-get install libpango"),
    ("linux", {"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, 1000, "sudo apt-get install"),
    ("linux", {"ID": "fedora"}, 1000, "sudo dnf install pango"),
    ("linux", {"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, 0, "dnf install pango"),
    ("linux", {"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"}, 0, "zypper install libpango"),
    ("linux", {"ID": "alpine"}, 0, "apk add pango"),
    ("linux", {"ID": "arch"}, 0, "pacman -S pango"),
    ("linux", {"ID": "nixos"}, 0, "your system's package manager"),
    ("linux", None, 0, "your system's package manager"),
    ("darwin", None, 1000, "brew install pango"),
    ("win32", None, 1000, "MSYS2"),
]


@pytest.mark.parametrize(("system", "release", "user", "line"), SYSTEMS)
def test_each_system_has_its_line(
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    release: dict[str, str] | None,
    user: int,
    line: str,
) -> None:
    """Root needs no sudo; relatives of a known system have its line."""

    def freedesktop_os_release() -> dict[str, str]:
        if release is None:
            raise OSError
        return release

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "freedesktop_os_release", freedesktop_os_release)
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    said = install_line()
    assert line in said
    assert said.startswith("sudo ") == line.startswith("sudo ")


def test_the_command_says_it_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 0 where nothing is ill, 2 where something is; the table goes to the output."""
    monkeypatch.delenv("MAXO_API_KEY", raising=False)
    well = ran(tmp_path, "doctor")
    assert (well.code, well.err) == (0, "")
    lines = well.out.splitlines()
    assert [line[:4] for line in lines] == ["ok  "] * 8 + ["note"]
    column = lines[0].index(platform.python_version())
    assert all(line[column - 2 : column] == "  " and line[column] != " " for line in lines)
    (tmp_path / "maxo.toml").write_text(GOOD)
    ill = ran(tmp_path, "doctor")
    assert ill.code == 2
    assert "ILL   Key of acme" in ill.out


def test_number_directories_are_read(tmp_path: Path) -> None:
    """Each once, however many accounts have it; one with mistakes is ill."""
    text = '[settings]\ndirectory = "d.csv"\n' + GOOD + GOOD.replace("acme", "beta")
    (tmp_path / "maxo.toml").write_text(text)
    for content, health in (("number,label\n131450,x\n", "ok"), ("number,label\nPBX,x\n", "ill")):
        (tmp_path / "d.csv").write_text(content)
        (found,) = [each for each in examine(tmp_path, {}, NOW) if each.what == "Directory"]
        assert found.health == health
        assert "d.csv" in found.says


def test_mail_is_looked_at_where_there_is_somebody_to_write_to(tmp_path: Path) -> None:
    """Drafts only, a secret that is missing, a secret that is there."""
    to = '[[account.acme.mail]]\naddress = "jane@acme.example"\n'
    mail = '[mail]\nsender = "a@example.com"\ndomains = ["acme.example"]\n'
    server = 'host = "smtp.example.com"\nuser = "a@example.com"\n'
    path = tmp_path / "maxo.toml"
    path.write_text(GOOD + mail + server)
    assert "Mail" not in examined(tmp_path, MAXO_API_KEY=KEY)
    path.write_text(GOOD + to)
    assert examined(tmp_path)["Mail"] == Examined(
        "Mail", "note", "drafts only: there is no host under [mail]"
    )
    path.write_text(GOOD + to + mail + server)
    found = examined(tmp_path)["Mail"]
    assert found.health == "ill"
    assert "MAXO_MAIL_SECRET" in found.says
    found = examined(tmp_path, MAXO_MAIL_SECRET="hush")["Mail"]
    assert found.health == "ok"
    assert found.says.startswith("smtp.example.com, port 587, starttls; the secret of a@example")
    assert "hush" not in found.says
