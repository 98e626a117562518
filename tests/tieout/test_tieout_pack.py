"""Tie-out in a run: nothing that disagrees is issued, and a sealed pack can be asked again."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from listed import part_of, patched

from maxo_reports import cli, engine
from maxo_reports.errors import TieOutError
from maxo_reports.render import csvfile, pdf, xlsx
from maxo_reports.sandbox import Book, Sandbox

STEM = "acme-2026-10-statement"


def _calls(cost: str = "0.25") -> list[dict[str, object]]:
    from carriers import OCTOBER, call

    made = [call(n, OCTOBER + n * 3_600, cost=f"0.{n:02}") for n in range(40)]
    return [*made, call(99, OCTOBER + 5, cost=cost)]


def _workspace(folder: Path, address: str) -> Path:
    text = (
        f'[account.acme]\nname = "Acme"\ntimezone = "Australia/Brisbane"\nbase_url = "{address}"\n'
    )
    folder.mkdir(exist_ok=True)
    (folder / "maxo.toml").write_text(text)
    return folder


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAXO_API_KEY", "sandbox-key")


def _run(folder: Path, *calls: dict[str, object]) -> int:
    with Sandbox([Book.from_calls(calls, timezone="Australia/Brisbane")]) as carrier:
        return cli.main(["-C", str(_workspace(folder, carrier.base_url)), "run", "2026-10"])


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Issue one pack."""
    folder = tmp_path_factory.mktemp("books")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAXO_API_KEY", "sandbox-key")
        assert _run(folder, *_calls()) == 0
    return folder / "out" / "acme" / "2026-10" / "r1"


def test_a_pack_says_what_was_compared(pack: Path) -> None:
    """``tieout.json`` names each file, with what was compared in it and how many differ."""
    said = json.loads((pack / "tieout.json").read_bytes())
    assert said["control_totals"]["calls"] == 41
    by_name = {entry["name"]: entry for entry in said["files"]}
    assert set(by_name) == {f"{STEM}.xlsx", f"{STEM}.pdf", "completeness.json"}
    assert by_name[f"{STEM}.xlsx"]["calls_compared"] == 41
    assert all(entry["differences"] == 0 for entry in said["files"])
    assert all(entry["figures_compared"] > 10 for entry in said["files"])
    manifest = json.loads((pack / "manifest.json").read_bytes())
    assert manifest["read_back_by"][f"{STEM}.xlsx"] == "calamine"
    assert "tieout.json" in [entry["name"] for entry in manifest["files"]]


def _spoil_workbook(path: Path) -> None:
    sound = path.with_suffix(".sound")
    path.rename(sound)
    patched(
        sound, path, part_of(sound, "Calls"), lambda xml: xml.replace("<v>0.07</v>", "<v>0.7</v>")
    )
    sound.unlink()


def _spoil_lines(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))


@pytest.mark.parametrize(
    ("renderer", "spoil", "says"),
    [
        (xlsx, _spoil_workbook, "sheet 'Calls' cell J"),
        (xlsx, lambda path: path.write_bytes(b""), "cannot be read by another program"),
        (pdf, lambda path: path.write_bytes(b"%PDF"), "pdf"),
    ],
)
def test_a_file_that_disagrees_is_not_issued(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    renderer: object,
    spoil: Callable[[Path], None],
    says: str,
) -> None:
    """Exit code 5, one line with file and place, no new pack, and the old one as it was."""
    assert _run(tmp_path, *_calls()) == 0
    place = tmp_path / "out" / "acme" / "2026-10"
    before = {path.name: path.read_bytes() for path in (place / "r1").iterdir()}
    capsys.readouterr()
    render = renderer.render  # type: ignore[attr-defined]

    def spoilt(report: object, style: object, target: Path) -> object:
        told = render(report, style, target)
        spoil(target)
        return told

    monkeypatch.setattr(renderer, "render", spoilt)
    assert _run(tmp_path, *_calls("0.5")) == 5
    said = capsys.readouterr()
    assert says in said.err
    assert said.err.count("\n") == 1
    assert [path.name for path in place.iterdir()] == ["r1"]
    assert {path.name: path.read_bytes() for path in (place / "r1").iterdir()} == before


def test_changes_that_lack_a_line_are_not_issued(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of changed calls is read back, too."""
    assert _run(tmp_path, *_calls()) == 0
    write = csvfile.write_table

    def spoilt(table: object, target: Path) -> None:
        write(table, target)  # type: ignore[arg-type]
        _spoil_lines(target)

    monkeypatch.setattr(csvfile, "write_table", spoilt)
    assert _run(tmp_path, *_calls("0.5")) == 5
    assert "changes.csv does not tie out" in capsys.readouterr().err


def _resealed(pack: Path, folder: Path, name: str, spoil: Callable[[Path], None]) -> Path:
    """Copy a pack, spoil a file, and write hashes as if it had been issued so."""
    target = folder / "r1"
    shutil.copytree(pack, target)
    spoil(target / name)
    manifest = json.loads((target / "manifest.json").read_bytes())
    for entry in manifest["files"]:
        content = (target / entry["name"]).read_bytes()
        entry["bytes"], entry["sha256"] = len(content), hashlib.sha256(content).hexdigest()
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    (target / "manifest.json").write_text(text)
    sums = [f"{entry['sha256']}  {entry['name']}" for entry in manifest["files"]]
    sums.append(f"{hashlib.sha256(text.encode()).hexdigest()}  manifest.json")
    (target / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    return target


def _spoil_totals(path: Path) -> None:
    path.write_text(path.read_text().replace('"seconds": ', '"seconds": 1'))


@pytest.mark.parametrize(
    ("name", "spoil", "says"),
    [
        (f"{STEM}.xlsx", _spoil_workbook, f"{STEM}.xlsx does not tie out"),
        ("completeness.json", _spoil_totals, "completeness.json does not tie out"),
        ("tieout.json", _spoil_totals, "tieout.json does not tie out"),
        (f"{STEM}.pdf", lambda path: path.write_bytes(b"%PDF"), f"{STEM}.pdf"),
    ],
)
def test_verify_asks_the_files_and_not_only_their_hashes(
    pack: Path, tmp_path: Path, name: str, spoil: Callable[[Path], None], says: str
) -> None:
    """A file that was changed and hashed anew still does not agree with the others."""
    assert engine.verify(pack).folder == pack
    with pytest.raises(TieOutError, match=says):
        engine.verify(_resealed(pack, tmp_path, name, spoil))
