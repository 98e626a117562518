"""Tables in the form that a target's column map gives: headings verbatim, CR LF, plain numbers.

No currency sign and no thousands mark stands in a number: importers stumble over both.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from maxo_reports.core.handoff.posting import PostingSet
from maxo_reports.core.handoff.target import Target, Value, rows
from maxo_reports.core.money import plain
from maxo_reports.render.csvfile import guarded

_DELIMITERS = {"comma": ",", "tab": "\t"}


def table(
    whole: PostingSet, target: Target, taxes: Mapping[str, str], texts: Mapping[str, str]
) -> bytes:
    """Return the bytes of one file: the headings, then every entry's rows."""
    memory = io.StringIO(newline="")
    writer = csv.writer(memory, delimiter=_DELIMITERS[target.delimiter], lineterminator="\r\n")
    writer.writerow([column.name for column in target.columns])
    for entry in rows(whole, target, taxes, texts["currency"], texts["period"]):
        for row in entry:
            writer.writerow([_text(value, target) for value in row])
        if target.blank_between:
            memory.write("\r\n")
    return memory.getvalue().encode(target.encoding)


def _text(value: Value, target: Target) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.strftime(target.dates)
    if isinstance(value, str) and target.guarded:
        return guarded(value)
    return str(value)
