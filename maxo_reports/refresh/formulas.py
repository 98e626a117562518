"""The user's own formulas, carried down a column or moved with the totals row.

A formula is taken apart once into text and row numbers. References to a column of a table need no
change; a reference to a cell moves with the row, as it does when a formula is filled down.
"""

from __future__ import annotations

import re

from openpyxl.formula.tokenizer import Token, Tokenizer

from maxo_reports.refresh.areas import LAST_COLUMN, Stretch, area_of, column_number

_CELL = re.compile(r"(\$?[A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})")
_DIGITS = re.compile(r"[0-9]+$")
_ROW = re.compile(r"(\$?)([1-9][0-9]{0,6})")

Piece = str | int
"""Text as it stands, or the number of a row."""


def taken_apart(formula: str) -> list[Piece]:
    """Split a formula (without its equals sign) into text and the rows that move with it."""
    pieces: list[Piece] = []
    for token in Tokenizer(f"={formula}").items:
        if token.type == Token.OPERAND and token.subtype == Token.RANGE:
            pieces += _reference(token.value)
        else:
            pieces.append(token.value)
    return _merged(pieces)


def moves(formula: str) -> bool:
    """Tell whether a formula means something else in another row."""
    return any(isinstance(piece, int) for piece in taken_apart(formula))


def led(formula: str, sheet: str, stretch: Stretch, *, named: bool = False) -> str:
    """Return a formula whose references to a table's rows, on its sheet, follow the table.

    The formula stands on the sheet itself, or it must name the sheet (``named``).
    """
    words = []
    for token in Tokenizer(f"={formula}").items:
        word = token.value
        if token.type == Token.OPERAND and token.subtype == Token.RANGE:
            word = word if named and "!" not in word else _led_reference(word, sheet, stretch)
        words.append(word)
    return "".join(words)


def _led_reference(text: str, sheet: str, stretch: Stretch) -> str:
    name, mark, place = text.rpartition("!")
    if mark and name.strip("'").replace("''", "'").casefold() != sheet.casefold():
        return text
    area = area_of(place.upper())
    new = stretch.led(area) if area is not None else None
    if area is None or new is None or new == area:
        return text
    corners = place.split(":")
    rows = (new.top, new.bottom)[: len(corners)]
    led = [_DIGITS.sub(str(row), corner) for corner, row in zip(corners, rows, strict=True)]
    return f"{name}{mark}{':'.join(led)}"


def _reference(text: str) -> list[Piece]:
    """Split one reference; of a name, or a table's column, nothing moves."""
    sheet, mark, place = text.rpartition("!")
    pieces: list[Piece] = [sheet + mark]
    corners = place.split(":")
    for number, corner in enumerate(corners):
        pieces.append(":" if number else "")
        if (cell := _CELL.fullmatch(corner)) and _is_column(cell[1]):
            column, fixed, row = cell.groups()
            pieces += [column + fixed, row if fixed else int(row)]
        elif (line := _ROW.fullmatch(corner)) and len(corners) == 2:
            fixed, row = line.groups()
            pieces += [fixed, row if fixed else int(row)]
        else:
            return [text]
    return pieces


def _is_column(letters: str) -> bool:
    """Tell a cell's column from a name that only looks like one, such as ``ZZZ1``."""
    return column_number(letters.strip("$")) <= LAST_COLUMN


def _merged(pieces: list[Piece]) -> list[Piece]:
    merged: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return merged
