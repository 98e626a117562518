"""Times writing one month's calls as a workbook, ours against others, in one interleaved run.

    python benchmarks/workbook.py [--calls 200000] [--repeats 3] [--large 1000000]

Every writer gets the same ten columns from the same column store and writes them with the same
number formats, in a process of its own. What counts is that process's processor time (user and
system) from the open store to the finished file, the writer's imports included. Ours is the whole
statement: all its sheets, formulas with values, charts and checks. The floors do nothing but
format the same XML and deflate it at the same level, from values that are ready in memory.
Every file is read back: the same rows, the same cost, the same formats.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from whole_run import ROOT, peak_memory

from maxo_reports.archive import columns
from maxo_reports.archive.columns import CallStore
from maxo_reports.core import cdr
from maxo_reports.core.period import LocalClock, Window, parse_period

ZONE = "Australia/Brisbane"
PERIOD = parse_period("2026-10", ZONE, date(2026, 11, 20))
HEAD = (
    *("Call ID", "Started", "Direction", "From", "To", "Service number", "Rate category"),
    *("Status", "Duration", "Cost"),
)
MONEY = '"$"#,##0.0000;[Red]\\-"$"#,##0.0000'
FORMATS = ("@", "dd mmm yyyy hh:mm:ss", *["@"] * 6, "[h]:mm:ss", MONEY)
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a local clock
STORE = "store"
Go = Callable[[], None]
"""The part of a writer's work that counts."""


# ---- writers --------------------------------------------------------------------------------


def statement(store: CallStore, name: str = "statement") -> tuple[Any, Any]:
    """Build a report, the statement's unless named, and its style from a month's column store."""
    from maxo_reports.core import checks, sections
    from maxo_reports.core.heading import Heading
    from maxo_reports.core.report import Source
    from maxo_reports.definitions import Shelf, load, load_theme
    from maxo_reports.render import FORMATS as FILES
    from maxo_reports.render import Style

    shelf = Shelf.of(None)
    style = Style(load_theme(shelf), shelf.templates(), "benchmark")
    ledger = store.ledger()
    pulled_at = datetime(2026, 11, 4, 9, tzinfo=UTC)
    heading = Heading("busy", "Busy", PERIOD, checks.State("settled"), "unknown", pulled_at)
    passed = checks.checks(ledger, PERIOD, [PERIOD.window])
    statuses = store.connected_statuses()
    source = Source(heading, ledger, (), passed, store, statuses, select=store.select)
    return sections.build(load(name, shelf, FILES).definition, source), style


def ours(store: CallStore, target: Path) -> Go:
    """Write the statement as a run does."""
    report, style = statement(store)

    def go() -> None:
        from maxo_reports.render import xlsx

        xlsx.render(report, style, target)

    return go


def cells(store: CallStore) -> Iterator[tuple[Any, ...]]:
    """Yield each call as the values that writers of Python objects take."""
    for call in store.lines():
        length = None if call.seconds is None else timedelta(seconds=call.seconds)
        cost = None if call.cost is None else call.cost / 1e6
        started = EPOCH + timedelta(seconds=call.started)
        yield (call.call_id, started, *call[2:8], length, cost)


def openpyxl_write_only(store: CallStore, target: Path) -> Go:
    """Write styled cells in openpyxl's mode for large files."""

    def go() -> None:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell

        book = Workbook(write_only=True)
        sheet = book.create_sheet("Calls")
        sheet.append(HEAD)
        for row in cells(store):
            styled = []
            for value, number_format in zip(row, FORMATS, strict=True):
                cell = WriteOnlyCell(sheet, value)
                cell.number_format = number_format
                styled.append(cell)
            sheet.append(styled)
        book.save(target)

    return go


def xlsxwriter_constant_memory(store: CallStore, target: Path) -> Go:
    """Write with XlsxWriter in its mode for large files, each column by its own method."""

    def go() -> None:
        import xlsxwriter

        book = xlsxwriter.Workbook(str(target), {"constant_memory": True})
        sheet = book.add_worksheet("Calls")
        formats = [book.add_format({"num_format": text}) for text in FORMATS]
        sheet.write_row(0, 0, HEAD)
        string, moment, number = sheet.write_string, sheet.write_datetime, sheet.write_number
        writers = [string, moment, *[string] * 6, moment, number]
        for row, values in enumerate(cells(store), 1):
            for place, value in enumerate(values):
                if value is None:
                    sheet.write_blank(row, place, None, formats[place])
                else:
                    writers[place](row, place, value, formats[place])
        book.close()

    return go


def rustpy_xlsxwriter(store: CallStore, target: Path) -> Go:
    """Write with rustpy-xlsxwriter from Arrow, its fastest source."""

    def go() -> None:
        import pyarrow as pa
        import pyarrow.compute as pc
        from rustpy_xlsxwriter import FastExcel, Format

        table = pa.concat_tables(store.blocks())
        started = pc.cast(table["started"], pa.timestamp("s"))
        length = pc.divide(pc.cast(table["seconds"], pa.float64()), 86_400.0)
        cost = pc.divide(pc.cast(table["cost"], pa.float64()), 1e6)
        values = [table[0], started, *table.columns[2:8], length, cost]
        table = pa.table(values, names=list(HEAD))
        formats = [Format().set_num_format(text) for text in FORMATS]
        FastExcel(str(target)).sheet("Calls", table, column_formats=formats).save()

    return go


def floor_rows(store: CallStore, target: Path) -> Go:
    """Format each row with one f-string from values that are ready, and deflate."""
    numbers: dict[str, int] = {}
    ready = [
        (
            *(call.call_id, 25_569 + call.started / 86_400),
            *(numbers.setdefault(text, len(numbers)) for text in call[2:8]),
            *((call.seconds or 0) / 86_400, (call.cost or 0) / 1e6),
        )
        for call in store.lines()
    ]

    def go() -> None:
        deflated = _Deflated(target)
        for at in range(0, len(ready), 10_000):
            rows = [
                f'<row r="{n}"><c r="A{n}" s="1" t="inlineStr"><is><t>{a}</t></is></c>'
                f'<c r="B{n}" s="2"><v>{b:.9f}</v></c>'
                f'<c r="C{n}" s="3" t="s"><v>{c}</v></c><c r="D{n}" s="3" t="s"><v>{d}</v></c>'
                f'<c r="E{n}" s="3" t="s"><v>{e}</v></c><c r="F{n}" s="3" t="s"><v>{f}</v></c>'
                f'<c r="G{n}" s="3" t="s"><v>{g}</v></c><c r="H{n}" s="3" t="s"><v>{h}</v></c>'
                f'<c r="I{n}" s="4"><v>{i:.12f}</v></c><c r="J{n}" s="5"><v>{j}</v></c></row>'
                for n, (a, b, c, d, e, f, g, h, i, j) in enumerate(ready[at : at + 10_000], at + 2)
            ]
            deflated.write("".join(rows).encode())
        deflated.close()

    return go


def floor_columns(store: CallStore, target: Path) -> Go:
    """Format in columns, texts ready as their cells' ends, and deflate."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers: dict[str, int] = {}
    ready = []
    for block in store.blocks():
        values = {name: block[name].combine_chunks() for name in block.column_names}
        for name in block.column_names[2:8]:
            ends = [
                f'" s="3" t="s"><v>{numbers.setdefault(text, len(numbers))}</v></c>'
                for text in values[name].to_pylist()
            ]
            values[name] = pa.array(ends, pa.string())
        ready.append(values)

    def days(seconds: Any, epoch: float, places: int) -> Any:
        whole = pc.add(pc.divide(pc.cast(seconds, pa.float64()), 86_400.0), epoch)
        return pc.cast(pc.round(whole, places), pa.string())

    def go() -> None:
        deflated, row = _Deflated(target), 1
        for values in ready:
            count = len(values["call_id"])
            ones = pa.repeat(pa.scalar(1, pa.int64()), count)
            n = pc.cast(pc.cumulative_sum(ones, start=row), pa.string())
            row += count
            parts = ['<row r="', n, '"><c r="A', n, '" s="1" t="inlineStr"><is><t>']
            parts += [values["call_id"], '</t></is></c><c r="B', n, '" s="2"><v>']
            parts += [days(values["started"], 25_569.0, 9), '</v></c><c r="C', n]
            for letter, name in zip("DEFGHI", list(values)[2:8], strict=True):
                parts += [values[name], f'<c r="{letter}', n]
            parts += ['" s="4"><v>', days(values["seconds"], 0.0, 12), '</v></c><c r="J', n]
            cost = pc.divide(pc.cast(values["cost"], pa.float64()), 1e6)
            parts += ['" s="5"><v>', pc.cast(cost, pa.string()), "</v></c></row>", ""]
            _, ends, content = pc.binary_join_element_wise(*parts).buffers()
            deflated.write(memoryview(content)[: memoryview(ends).cast("i")[count]])
        deflated.close()

    return go


class _Deflated:
    """A file of deflated bytes, at the level of our workbooks."""

    def __init__(self, target: Path) -> None:
        from maxo_reports.render.xlsx.package import LEVEL

        self._file = target.open("wb")
        self._squeeze = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)

    def write(self, content: bytes | memoryview) -> None:
        self._file.write(self._squeeze.compress(content))

    def close(self) -> None:
        self._file.write(self._squeeze.flush())
        self._file.close()


WRITERS: Mapping[str, Callable[[CallStore, Path], Go]] = {
    "maxo-reports": ours,
    "openpyxl write_only, styled cells": openpyxl_write_only,
    "XlsxWriter constant_memory": xlsxwriter_constant_memory,
    "rustpy-xlsxwriter, from Arrow": rustpy_xlsxwriter,
    "floor: a row at a time": floor_rows,
    "floor: in columns": floor_columns,
}
OURS = "maxo-reports"
FLOORS = ("floor: a row at a time", "floor: in columns")
TARGETS = {
    "openpyxl write_only, styled cells": 10.0,
    "XlsxWriter constant_memory": 6.0,
    "rustpy-xlsxwriter, from Arrow": 1.0,
    **dict.fromkeys(FLOORS, 1 / 1.6),
}
"""How many times our time a writer must take at least."""


# ---- the run --------------------------------------------------------------------------------


def main() -> int:
    """Make the months, time every writer in turn, read the files back, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return worker(*arguments.worker)
    machine = f"{os.cpu_count()} cores of {platform.machine()}, Python {platform.python_version()}"
    print(f"{time.strftime('%d %B %Y')}, {machine}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        month = made(folder / "month", arguments.calls)
        table(arguments.calls, timed(month, folder, list(WRITERS), arguments.repeats))
        large = made(folder / "large", arguments.large)
        fast = [w for w in WRITERS if TARGETS.get(w, 1) <= 1]
        table(arguments.large, timed(large, folder, fast, 1))
    return 0


def made(folder: Path, calls: int) -> Path:
    """Make a month's column store as a pull does: a file for each window's reply."""
    sample, store = folder / "sample", folder / STORE
    store.mkdir(parents=True)
    command = [sys.executable, str(ROOT / "samples" / "generate.py"), "busy"]
    subprocess.run(
        [*command, "--out", str(sample), "--calls", str(calls)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    clock = LocalClock.over(ZONE, PERIOD.start - 7 * 86_400, PERIOD.end + 7 * 86_400)
    for path in sorted((sample / "replies").glob("*.json")):
        body = path.read_bytes()
        reply = cdr.read_reply(body)
        assert reply.echo is not None, "JSON says what it answers"
        offset = json.loads(body)["offset"]
        edges = (reply.echo.start, reply.echo.end)
        start, end = (int(datetime.fromisoformat(edge + offset).timestamp()) for edge in edges)
        window = Window(start, end)
        columns.write(store / f"{start}.parquet", cdr.columns(reply, clock), window, {})
    return store


def timed(
    store: Path, folder: Path, writers: list[str], repeats: int
) -> dict[str, list[dict[str, float]]]:
    """Run every writer in turn, again and again, each time in a process of its own."""
    results: dict[str, list[dict[str, float]]] = {name: [] for name in writers}
    for repeat in range(repeats):
        files = {name: folder / f"{number}.xlsx" for number, name in enumerate(writers)}
        for name, target in files.items():
            target.unlink(missing_ok=True)
            run = [sys.executable, __file__, "--worker", name, str(store), str(target)]
            done = subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True)
            results[name].append(json.loads(done.stdout))
        if repeat == 0:
            read_back({name: path for name, path in files.items() if name not in FLOORS})
    return results


def worker(name: str, store: str, target: str) -> int:
    """Do one writer's work in this process and print what it took as JSON."""
    opened = CallStore(sorted(Path(store).glob("*.parquet")), PERIOD)
    go = WRITERS[name](opened, Path(target))
    began, clock = cpu(), time.perf_counter()
    go()
    taken = {"cpu": cpu() - began, "wall": time.perf_counter() - clock, "peak": peak_memory()}
    print(json.dumps({**taken, "bytes": Path(target).stat().st_size}))
    return 0


def cpu() -> float:
    """Return the processor time that this process has used, in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def read_back(files: Mapping[str, Path]) -> None:
    """Read every file with other programs: as many rows, the same cost, the same formats."""
    from openpyxl import load_workbook
    from python_calamine import CalamineWorkbook

    said = {}
    for name, path in files.items():
        rows = CalamineWorkbook.from_path(path).get_sheet_by_name("Calls").iter_rows()
        head = tuple(next(rows))
        count, cost, ids = 0, 0.0, hash(())
        for row in rows:
            count += 1
            cost += float(str(row[9] or 0))
            ids = hash((ids, *row[:9]))
        sheet = load_workbook(path, read_only=True)["Calls"]
        first = next(iter(sheet.iter_rows(min_row=2, max_row=2)))
        formats = tuple(cell.number_format for cell in first)
        said[name] = (head, count, round(cost, 4), ids, formats)
    odd = {name: what for name, what in said.items() if what != said[OURS]}
    if odd:
        raise SystemExit(f"not the same sheet as {said[OURS]}: {odd}")
    print(f"{len(said)} files read back: the same {said[OURS][1]:,} rows and formats")


def table(calls: int, results: Mapping[str, list[dict[str, float]]]) -> None:
    """Print the medians, and each writer's time as a multiple of ours with its target."""
    middle = {
        name: {key: median(run[key] for run in runs) for key in runs[0]}
        for name, runs in results.items()
    }
    repeats = len(results[OURS])
    print(f"\n{calls:,} calls, {repeats} interleaved repeat(s), median")
    print("| writer | CPU s | of ours | target | wall s | peak MB | file MB |")
    print("|---|---|---|---|---|---|---|")
    for name, taken in middle.items():
        times = taken["cpu"] / middle[OURS]["cpu"]
        target = TARGETS.get(name)
        goal = "" if target is None else f"{target:.2f} {'met' if times >= target else 'MISSED'}"
        print(
            f"| {name} | {taken['cpu']:.2f} | {times:.2f} | {goal} | {taken['wall']:.1f} "
            f"| {taken['peak']:.0f} | {taken['bytes'] / 1e6:.1f} |"
        )


if __name__ == "__main__":
    sys.exit(main())
