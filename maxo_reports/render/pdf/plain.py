"""The plain way to paint a list of calls: a table in HTML for each page.

Easy to look at in a template, and slow: some milliseconds and 145 KB a call. Long lists have
their pages painted by ``quick``; then the template draws one page without rows, the frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from maxo_reports.core.leaves import Leaf
from maxo_reports.render.pdf import listing
from maxo_reports.render.pdf.columns import SIZE
from maxo_reports.render.pdf.listing import Listing, Piece, Row


def view(listed: Listing, leaves: Iterable[Leaf], pages: int) -> dict[str, object]:
    """Return what the template needs of a list: measures as CSS, words, and the pages' rows.

    ``pages`` is how many pages the list takes; where it is long, ``leaves`` is one without rows.
    """
    boxes = listed.boxes
    wide = [after.left - box.left for box, after in pairwise(boxes)]
    wide.append(boxes[-1].width)
    margins = listing.MARGINS
    return {
        "name": listed.name,
        "heading": listed.title,
        "captions": listed.captions,
        # A frame stands for all its pages, and what follows it is numbered accordingly.
        "counted": pages if listed.is_long else 1,
        "size": _pt(SIZE),
        "margins": f"{_pt(margins[0])} {_pt(margins[1])} {_pt(margins[2])}",
        "width": _pt(listing.ROOM[0]),
        "title_height": _pt(listing.TITLE),
        "caption_height": _pt(listing.CAPTION),
        "heading_height": _pt(listing.HEADING),
        "head_height": _pt(listing.HEADING * listed.heading_lines + listing.AROUND),
        "around": _pt(listing.AROUND),
        "line_height": _pt(listing.LINE - listing.RULE),
        "rule": _pt(listing.RULE),
        "columns_set": [
            {
                "lines": box.heading,
                "width": _pt(whole),
                "right": box.is_right,
                "gap": _pt(whole - box.width),
            }
            for box, whole in zip(boxes, wide, strict=True)
        ],
        "leaves": [[_row(listed, row) for row in listed.rows(leaf)] for leaf in leaves],
    }


def _row(listed: Listing, row: Row) -> dict[str, object]:
    bold, pale = " bold" if row.is_bold else "", " pale" if row.is_pale else ""
    return {
        "look": f"{row.rule or 'bare'}{bold}{pale}",
        "height": _pt(listing.LINE * row.lines),
        "cells": list(_cells(listed, row.pieces)),
    }


def _cells(listed: Listing, pieces: Iterable[Piece]) -> Iterator[dict[str, object]]:
    """Yield the cells of a row from left to right, with empty ones between its pieces."""
    at, end = 0, len(listed.boxes)
    for piece in (*pieces, Piece(end, end, ())):
        if piece.first > at:
            yield {"span": piece.first - at, "lines": (), "right": False, "gap": _pt(0)}
        if piece.until > piece.first:
            last = listed.boxes[piece.until - 1]
            after = listed.boxes[piece.until].left if piece.until < end else last.left + last.width
            yield {
                "span": piece.until - piece.first,
                "lines": piece.lines,
                "right": last.is_right and piece.until == piece.first + 1,
                "gap": _pt(after - last.left - last.width),
            }
        at = piece.until


def _pt(points: float) -> str:
    """Write a length as CSS."""
    return f"{points:.3f}".rstrip("0").rstrip(".") + "pt"
