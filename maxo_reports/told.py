"""What is told of an archive: lines for people, objects for programs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from maxo_reports import manifest
from maxo_reports.archive.care import Examined
from maxo_reports.archive.purge import Plan
from maxo_reports.core.money import plain
from maxo_reports.core.report import Cell, Source
from maxo_reports.core.text import counted, visible
from maxo_reports.export import Exported
from maxo_reports.pack import Pack
from maxo_reports.refresh import Refreshed

_SHOWN = 60
_BEYOND = "not touched: packs, mails that were sent and backups still hold telephone numbers"


def examined(account: str, found: Examined) -> list[str]:
    """Say what an archive holds, and name everything that is damaged."""
    bad = sum(not damage.mended for damage in found.damages)
    lines = [
        (
            f"{account}: {counted(found.replies, 'reply')} ({counted(found.reply_bytes, 'byte')}),"
            f" {counted(found.pulls, 'pull')}, {counted(found.windows, 'window')}: "
            + (f"{bad:,} damaged or missing" if bad else "whole")
        )
    ]
    lines += [
        f"  mended: {d.what}" if d.mended else f"  damaged: {d.what}; {d.remedy}"
        for d in found.damages
    ]
    lines += [f"  harmless: {left.path}: {left.why}" for left in found.leftovers]
    if found.unnamed:
        lines.append(f"  harmless: {counted(found.unnamed, 'reply')} that no pull names")
    if found.underived:
        windows = counted(found.underived, "window")
        lines.append(f"  harmless: {windows} without columns, which are made when needed")
    return lines


def examined_json(account: str, found: Examined) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "account": account,
        "whole": found.is_whole,
        "replies": found.replies,
        "reply_bytes": found.reply_bytes,
        "replies_unnamed": found.unnamed,
        "pulls": found.pulls,
        "windows": found.windows,
        "windows_without_columns": found.underived,
        "damaged": [
            {"path": str(d.path), "what": d.what, "remedy": d.remedy, "mended": d.mended}
            for d in found.damages
        ],
        "harmless": [{"path": str(left.path), "why": left.why} for left in found.leftovers],
    }


def exported(what: Exported) -> list[str]:
    """Say what an exported folder holds."""
    packs = [f"{sealed.folder.parent.name}/{sealed.folder.name}" for sealed in what.packs]
    behind = f", behind {', '.join(packs)}" if packs else ""
    return [
        (
            f"{what.folder}: {counted(len(what.pulls), 'pull')}{behind}, "
            f"{counted(what.replies, 'reply')}, {counted(what.size, 'byte')}"
        ),
        "  it holds telephone numbers; its README.txt says what to do with it",
    ]


def exported_json(what: Exported) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "folder": str(what.folder),
        "pulls": list(what.pulls),
        "packs": [str(sealed.folder) for sealed in what.packs],
        "replies": what.replies,
        "bytes": what.size,
    }


def refreshed(done: Refreshed) -> list[str]:
    """Say which tables and names of a workbook were filled, and where the one before is."""
    lines = [
        f"  table {t.name}, sheet {t.sheet}, {t.area}: {counted(t.rows, 'row')}"
        for t in done.tables
    ]
    lines += [f"  name {each.name}, {each.place}: {_value(each.value)}" for each in done.names]
    if done.pivots:
        lines.append(f"  {counted(done.pivots, 'pivot cache')} refreshed when it is opened")
    lines += [f"  note: {note}" for note in done.notes]
    if done.backup is None:
        lines.append("  nothing has changed: the workbook says all of it already")
    else:
        lines.append(f"  {done.book}")
        lines.append(f"  as it was before: {done.backup}")
    return lines


def _value(value: Cell) -> str:
    text = plain(value) if isinstance(value, Decimal) else str(value)
    return visible(text, _SHOWN)


def refreshed_json(source: Source, done: Refreshed) -> dict[str, Any]:
    """Return the same for programs, with the figures behind it."""
    heading = source.heading
    return {
        "account": heading.account_id,
        "period": manifest.period(heading.period),
        "state": heading.state.word,
        "reasons": list(heading.state.reasons),
        **manifest.totals(source.ledger.control),
        "findings": manifest.findings(source.findings),
        "book": str(done.book),
        "unchanged": done.backup is None,
        "backup": str(done.backup) if done.backup else None,
        "tables": [
            {
                "name": t.name,
                "sheet": t.sheet,
                "section": t.section,
                "rows": t.rows,
                "range": t.area,
            }
            for t in done.tables
        ],
        "names": {each.name: each.place for each in done.names},
        "pivots": done.pivots,
        "notes": list(done.notes),
    }


def purge(account: str, plan: Plan, packs: Sequence[Pack], *, really: bool) -> list[str]:
    """Say what a purge removes, before it does."""
    lines = [f"{account}: what ends before {plan.before:%d %b %Y}"]
    lines += [f"  {d.key}: {counted(len(d.pulls), 'pull')}" for d in plan.periods]
    kinds = [
        counted(len(plan.periods), "period"),
        counted(sum(len(d.pulls) for d in plan.periods), "pull"),
        f"{counted(len(plan.replies), 'reply')} that no other pull names",
    ]
    if plan.left:
        kinds.append(f"{counted(len(plan.left), 'leftover')} of killed runs")
    lines.append(f"  {', '.join(kinds)}: {counted(plan.size, 'byte')}")
    lines += [
        f"  {sealed.folder} can then no longer be rebuilt, nor a later revision compared with it"
        for sealed in packs
    ]
    lines += [
        f"  kept: {key}, which begins before that day but ends after it" for key in plan.straddling
    ]
    lines.append(f"  {_BEYOND}")
    if plan.is_empty():
        lines.append("  there is nothing to remove")
    elif really:
        lines.append("  removing it")
    else:
        lines.append("  nothing was removed: say --yes to remove it for good")
    return lines


def purge_json(account: str, plan: Plan, packs: Sequence[Pack], *, really: bool) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "account": account,
        "before": plan.before.isoformat(),
        "removed": really,
        "periods": [{"period": d.key, "pulls": list(d.pulls)} for d in plan.periods],
        "replies": len(plan.replies),
        "leftovers": len(plan.left),
        "bytes": plan.size,
        "packs": [str(sealed.folder) for sealed in packs],
        "kept": list(plan.straddling),
    }
