"""Times printing one month's calls as a PDF, ours against others, in one interleaved run.

    python benchmarks/pdf.py [--calls 1000 20000 100000] [--repeats 1]

Every writer gets the same calls from the same column store and prints the same nine columns on
A4, headings and page numbers on each page, in a process of its own. What counts is that process's
processor time (user and system), its imports included, and its peak of memory. Ours is the whole
itemised statement: cover, groups with subtotals, sums carried forward, checks and the attached
calls.csv. The others print the bare list. A writer that would need minutes or gigabytes is left
out of the larger sizes. The smallest file of each is read back: every call must be in it.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

from whole_run import ROOT, peak_memory
from workbook import PERIOD, cpu, made

from maxo_reports.archive.columns import CallStore
from maxo_reports.core.money import dollars, to_text

HEAD = ("Call ID", "Started", "Direction", "From", "To", "Category", "Status", "Duration", "Cost")
WIDTHS = (52, 88, 44, 62, 62, 74, 48, 34, 30)
"""Of the columns, in points; together as wide as the page between its margins."""
FONT = ROOT / "templates" / "fonts" / "Inter-Regular.ttf"
OURS, TABLE = "maxo-reports", "WeasyPrint, table"
CANVAS, LONG_TABLE, TYPST = "ReportLab, canvas", "ReportLab, LongTable", "Typst"


def cells(store: CallStore) -> Iterator[tuple[str, ...]]:
    """Write the calls as all but ours print them."""
    for call in store.lines():
        started = datetime.fromtimestamp(call.started, UTC)
        seconds = call.seconds or 0
        yield (
            call.call_id,
            f"{started:%d %b %Y, %H:%M:%S}",
            call.direction,
            call.a_party,
            call.b_party,
            call.category,
            call.status,
            f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}",
            "" if call.cost is None else to_text(dollars(call.cost), 4),
        )


# ---- writers --------------------------------------------------------------------------------


def ours(store: CallStore, target: Path) -> None:
    """Print the itemised statement as a run does."""
    from workbook import statement

    from maxo_reports.render import pdf

    report, style = statement(store, "itemised")
    pdf.render(report, style, target)


def weasyprint_table(store: CallStore, target: Path) -> None:
    """Print a table in HTML, with a fixed layout, which is the quicker one."""
    import weasyprint

    columns = "".join(f'<col style="width: {width}pt">' for width in WIDTHS)
    head = "".join(f"<th>{name}</th>" for name in HEAD)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in cells(store)
    )
    style = (
        "@page { size: A4; margin: 16mm 18mm 23mm; "
        '@bottom-right { content: "Page " counter(page) " of " counter(pages) } } '
        f'@font-face {{ font-family: Inter; src: url("{FONT.as_uri()}") }} '
        "body { font: 7pt Inter } table { table-layout: fixed; border-collapse: collapse } "
        "td { border-bottom: 0.4pt solid #cbd5e1; line-height: 10.6pt; padding: 0 }"
    )
    weasyprint.HTML(
        string=f"<html lang=en><title>Calls</title><style>{style}</style><table>"
        f"<colgroup>{columns}</colgroup><thead><tr>{head}</tr></thead>{rows}</table>"
    ).write_pdf(target)


def reportlab_canvas(store: CallStore, target: Path) -> None:
    """Print with ReportLab's canvas: each text at its place, as we do."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(TTFont("Inter", FONT))
    canvas = Canvas(str(target), pagesize=A4, pageCompression=1)
    lefts = [51.0 + sum(WIDTHS[:at]) for at in range(len(WIDTHS))]
    top, bottom, line = 780.0, 80.0, 11.0
    y, page = 0.0, 0
    for row in cells(store):
        if y < bottom:
            if page:
                canvas.showPage()
            page += 1
            canvas.setFont("Inter", 7)
            canvas.drawRightString(544, 40, f"Page {page}")
            for left, name in zip(lefts, HEAD, strict=True):
                canvas.drawString(left, top + line, name)
            y = top
        for left, cell in zip(lefts, row, strict=True):
            canvas.drawString(left, y, cell)
        canvas.line(51, y - 3, 544, y - 3)
        y -= line
    canvas.save()


def reportlab_long_table(store: CallStore, target: Path) -> None:
    """Print with ReportLab's own table for long lists."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.platypus import LongTable, SimpleDocTemplate

    pdfmetrics.registerFont(TTFont("Inter", FONT))

    def numbered(canvas: Any, document: Any) -> None:
        canvas.setFont("Inter", 7)
        canvas.drawRightString(544, 40, f"Page {document.page}")

    looks = [
        ("FONT", (0, 0), (-1, -1), "Inter", 7, 8.6),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, "#cbd5e1"),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ]
    table = LongTable([HEAD, *cells(store)], colWidths=WIDTHS, repeatRows=1, style=looks)
    document = SimpleDocTemplate(
        str(target), pagesize=A4, leftMargin=45, rightMargin=45, topMargin=45, bottomMargin=65
    )
    document.build([table], onFirstPage=numbered, onLaterPages=numbered)


def typst_table(store: CallStore, target: Path) -> None:
    """Print with Typst, untagged, since tags make its file twenty times as large."""
    import typst

    folder = target.parent / f"{target.stem}-typst"
    folder.mkdir()
    (folder / "calls.json").write_text(json.dumps(list(cells(store))))
    widths = ", ".join(f"{width}pt" for width in WIDTHS)
    head = ", ".join(f"[{name}]" for name in HEAD)
    (folder / "list.typ").write_text(
        '#set page("a4", margin: (top: 16mm, x: 18mm, bottom: 23mm), numbering: "1 of 1")\n'
        '#set text(font: "Inter", size: 7pt)\n'
        f"#table(columns: ({widths}), inset: (x: 0pt, y: 2pt), stroke: (bottom: 0.4pt), "
        f'table.header({head}), ..json("calls.json").flatten())\n'
    )
    typst.compile(
        folder / "list.typ",
        output=target,
        font_paths=[FONT.parent],
        ignore_system_fonts=True,
        pdf_tags=False,
    )


WRITERS: Mapping[str, Callable[[CallStore, Path], None]] = {
    OURS: ours,
    CANVAS: reportlab_canvas,
    LONG_TABLE: reportlab_long_table,
    TYPST: typst_table,
    TABLE: weasyprint_table,
}
MOST: Mapping[str, int] = {TABLE: 1_000, LONG_TABLE: 20_000, TYPST: 20_000}
"""The most calls that a writer is asked for."""


# ---- the run --------------------------------------------------------------------------------


def main() -> int:
    """Time every writer at every size, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, nargs="+", default=[1_000, 20_000, 100_000])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        name, store, target = arguments.worker
        return worker(name, Path(store), Path(target))
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}")
    with tempfile.TemporaryDirectory() as scratch:
        for calls in arguments.calls:
            timed(Path(scratch) / str(calls), calls, arguments.repeats)
    return 0


def timed(folder: Path, calls: int, repeats: int) -> None:
    """Make a month of calls and let every writer print it, one after the other."""
    folder.mkdir()
    store = made(folder, calls)
    names = [name for name in WRITERS if calls <= MOST.get(name, calls)]
    results: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for repeat in range(repeats):
        for at, name in enumerate(names):
            target = folder / f"{at}-{repeat}.pdf"
            command = [sys.executable, __file__, "--worker", name, str(store), str(target)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{name}: {done.stderr}")
            results[name].append(json.loads(done.stdout.splitlines()[-1]))
            if calls <= min(MOST.values()):
                read_back(name, target, store)
    table(calls, results)


def worker(name: str, store: Path, target: Path) -> int:
    """Do one writer's work in this process and print what it took as JSON."""
    opened = CallStore(sorted(store.glob("*.parquet")), PERIOD)
    began, clock = cpu(), time.perf_counter()
    WRITERS[name](opened, target)
    taken = {"cpu": cpu() - began, "wall": time.perf_counter() - clock, "peak": peak_memory()}
    print(json.dumps({**taken, "bytes": target.stat().st_size}))
    return 0


def read_back(name: str, target: Path, store: Path) -> None:
    """Find every call's id in a file, or end."""
    import pypdfium2

    opened = CallStore(sorted(store.glob("*.parquet")), PERIOD)
    with pypdfium2.PdfDocument(target) as document:
        words = {
            word for page in document for word in page.get_textpage().get_text_bounded().split()
        }
    missing = [call.call_id for call in opened.lines() if call.call_id not in words]
    if missing:
        raise SystemExit(f"{name}: {len(missing):,} calls are not in its file, {missing[0]} first")


def table(calls: int, results: Mapping[str, list[dict[str, float]]]) -> None:
    """Print the medians, and each writer's time and memory as multiples of ours."""
    middle = {
        name: {key: median(run[key] for run in runs) for key in runs[0]}
        for name, runs in results.items()
    }
    mine = middle[OURS]
    print(f"\n{calls:,} calls, {len(results[OURS])} interleaved repeat(s), median")
    print("| writer | CPU s | of ours | peak MB | of ours | wall s | file MB |")
    print("|---|---|---|---|---|---|---|")
    for name, taken in middle.items():
        print(
            f"| {name} | {taken['cpu']:.2f} | {taken['cpu'] / mine['cpu']:.1f} "
            f"| {taken['peak']:.0f} | {taken['peak'] / mine['peak']:.1f} "
            f"| {taken['wall']:.1f} | {taken['bytes'] / 1e6:.2f} |"
        )


if __name__ == "__main__":
    sys.exit(main())
