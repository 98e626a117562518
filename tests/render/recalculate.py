"""Recalculates workbooks in LibreOffice and says, as JSON, what came of each.

Run by the system's own Python, which has LibreOffice's ``uno``:

    /usr/bin/python3 recalculate.py PROFILE < jobs.json

A job is a file, edits to make first (sheet, cell, number) and cells to look at. One office, with
a profile of its own, does all jobs.
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
from com.sun.star.sheet.FormulaResult import STRING, VALUE

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
        print(json.dumps([_done(desktop, job) for job in json.load(sys.stdin)]))
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
        before = _formulas(sheets)
        for sheet, cell, number in job.get("edits", ()):
            sheets.getByName(sheet).getCellRangeByName(cell).setValue(number)
        began = time.perf_counter()
        document.calculateAll()
        seconds = time.perf_counter() - began
        after = _formulas(sheets)
        return {
            "formulas": len(after),
            "errors": sorted(place for place, (_, error) in after.items() if error),
            "before": {place: value for place, (value, _) in before.items()},
            "after": {place: value for place, (value, _) in after.items()},
            "seen": [
                sheets.getByName(sheet).getCellRangeByName(cell).String
                for sheet, cell in job.get("look", ())
            ],
            "seconds": seconds,
        }
    finally:
        document.close(True)


def _formulas(sheets: Any) -> dict[str, tuple[object, int]]:
    """Return the value and the error of every formula cell, by sheet and address."""
    found: dict[str, tuple[object, int]] = {}
    for name in sheets.ElementNames:
        ranges = sheets.getByName(name).queryContentCells(_FORMULAS)
        cells = ranges.Cells.createEnumeration()
        while cells.hasMoreElements():
            cell = cells.nextElement()
            place = f"{name}!{cell.AbsoluteName.rpartition('.')[2].replace('$', '')}"
            kinds = {VALUE: cell.Value, STRING: cell.String}
            found[place] = (kinds.get(cell.FormulaResultType2), cell.getError())
    return found


if __name__ == "__main__":
    main()
