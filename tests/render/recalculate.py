"""Recalculates workbooks in LibreOffice and says, as JSON, what came of each.

Run by the system's own Python, which has LibreOffice's ``uno``:

    /usr/bin/python3 recalculate.py PROFILE < jobs.json

A job is a file and the edits to make first (sheet, cell, number or text). One office, with a
profile of its own, does all jobs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.sheet.FormulaResult import ERROR

_FORMULAS = 16
"""com.sun.star.sheet.CellFlags.FORMULA"""


def main() -> None:
    """Do every job of standard input."""
    profile = Path(sys.argv[1])
    pipe = f"pipe,name=maxo{profile.stat().st_ino}"
    command = ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless"]
    office = subprocess.Popen(
        [*command, "--norestore", f"--accept={pipe};urp;"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        desktop = _desktop(pipe)
        json.dump([_done(desktop, job) for job in json.load(sys.stdin)], sys.stdout)
        desktop.terminate()
        office.wait(30)
    finally:
        office.kill()


def _desktop(pipe: str) -> Any:
    here = uno.getComponentContext()
    resolver = here.ServiceManager.createInstanceWithContext(
        "com.sun.star.bridge.UnoUrlResolver", here
    )
    for _ in range(240):
        try:
            there = resolver.resolve(f"uno:{pipe};urp;StarOffice.ComponentContext")
        except NoConnectException:
            time.sleep(0.25)
        else:
            return there.ServiceManager.createInstanceWithContext(
                "com.sun.star.frame.Desktop", there
            )
    raise SystemExit("LibreOffice did not start")


def _done(desktop: Any, job: dict[str, Any]) -> dict[str, Any]:
    hidden = PropertyValue()
    hidden.Name, hidden.Value = "Hidden", True
    document = desktop.loadComponentFromURL(Path(job["file"]).as_uri(), "_blank", 0, (hidden,))
    try:
        sheets = document.Sheets
        before = _values(sheets)
        for sheet, cell, value in job["edits"]:
            edited = sheets.getByName(sheet).getCellRangeByName(cell)
            (edited.setString if isinstance(value, str) else edited.setValue)(value)
        document.calculateAll()
        return {"before": before, "after": _values(sheets), "errors": _errors(sheets)}
    finally:
        document.close(True)


def _values(sheets: Any) -> dict[str, float | str]:
    """Return the value of every formula cell, by sheet and address."""
    found: dict[str, float | str] = {}
    for name in sheets.ElementNames:
        sheet = sheets.getByName(name)
        for place in sheet.queryContentCells(_FORMULAS).RangeAddresses:
            box = (place.StartColumn, place.StartRow, place.EndColumn, place.EndRow)
            for row, values in enumerate(sheet.getCellRangeByPosition(*box).DataArray):
                for column, value in enumerate(values):
                    letter = chr(ord("A") + place.StartColumn + column)
                    found[f"{name}!{letter}{place.StartRow + row + 1}"] = value
    return found


def _errors(sheets: Any) -> list[str]:
    """Name the formula cells that come to an error."""
    ranges = (sheets.getByName(name).queryFormulaCells(ERROR) for name in sheets.ElementNames)
    return [found.RangeAddressesAsString for found in ranges if found.Count]


if __name__ == "__main__":
    main()
