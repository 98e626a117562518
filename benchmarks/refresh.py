"""Times filling a user's own workbook in place, with a table that was small and one as large.

    python benchmarks/refresh.py [--calls 100000] [--repeats 3]

The workbook is XlsxWriter's: all ten columns, two calculated columns of the user's, a chart and a
sheet of sums beside it. What counts is the time from the open store to the file in its place,
backup made and every row read back. Each repeat runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from whole_run import peak_memory
from workbook import HEAD, PERIOD, made, statement

from maxo_reports.archive.columns import CallStore

COLUMNS = (*HEAD, "With margin", "Row")
TARGET = 5.0
"""Seconds on the clock for 100,000 rows."""
MOMENT = datetime(2026, 11, 20, tzinfo=UTC)


def user_workbook(target: Path, rows: int) -> None:
    """Make the workbook with ``rows`` rows of some earlier month."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(target))
    sheet, cover = book.add_worksheet("Data"), book.add_worksheet("Cover")
    clock = book.add_format({"num_format": "dd mmm yyyy hh:mm:ss"})
    length = book.add_format({"num_format": "[h]:mm:ss"})
    sheet.write_row(0, 0, COLUMNS)
    for row in range(1, rows + 1):
        sheet.write_string(row, 0, f"{row}")
        sheet.write_number(row, 1, 46_270 + row / 4_000, clock)
        for column in range(2, 8):
            sheet.write_string(row, column, f"last month {column}")
        sheet.write_number(row, 8, 0.001, length)
        sheet.write_number(row, 9, 0.25)
        sheet.write_formula(row, 10, "Calls[[#This Row],[Cost]]*1.1", None, 0.275)
        sheet.write_formula(row, 11, f"ROW(A{row + 1})", None, row)
    columns: list[dict[str, Any]] = [{"header": name} for name in COLUMNS]
    sheet.add_table(0, 0, rows, len(COLUMNS) - 1, {"name": "Calls", "columns": columns})
    cover.write_formula("B1", "=SUM(Calls[Cost])")
    book.define_name("maxo_cost", "=Cover!$B$2")
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=Data!$J$2:$J$50"})
    cover.insert_chart("D2", chart)
    book.close()


def worker(store: str, path: str) -> int:
    """Refresh once in this process, and print what it took as JSON."""
    from maxo_reports.refresh import refresh

    opened = CallStore(sorted(Path(store).glob("*.parquet")), PERIOD)
    report, _ = statement(opened)
    clock, began = time.perf_counter(), time.process_time()
    done = refresh(Path(path), report, MOMENT)
    taken = {"wall": time.perf_counter() - clock, "cpu": time.process_time() - began}
    assert done.backup is not None, "the workbook was of another month"
    rows, size = done.tables[0].rows, Path(path).stat().st_size
    print(json.dumps({**taken, "rows": rows, "peak": peak_memory(), "bytes": size}))
    return 0


def main() -> int:
    """Make the month and the workbooks, refresh each again and again, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return worker(*arguments.worker)
    print("| rows before | rows after | wall s | CPU s | peak MB | file MB | target |")
    print("|---|---|---|---|---|---|---|")
    met = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = made(folder / "month", arguments.calls)
        for before in (2, arguments.calls):
            user_workbook(folder / "user.xlsx", before)
            runs = []
            for _ in range(arguments.repeats):
                path = folder / "book.xlsx"
                shutil.copy(folder / "user.xlsx", path)
                run = [sys.executable, __file__, "--worker", str(store), str(path)]
                done = subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True)
                runs.append(json.loads(done.stdout))
            taken = {key: median(run[key] for run in runs) for key in runs[0]}
            is_met = taken["wall"] < TARGET * arguments.calls / 100_000
            met = met and is_met
            print(
                f"| {before:,} | {taken['rows']:,} | {taken['wall']:.2f} | {taken['cpu']:.2f} "
                f"| {taken['peak']:.0f} | {taken['bytes'] / 1e6:.1f} "
                f"| {'met' if is_met else 'MISSED'} |",
                flush=True,
            )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
