"""CSV and JSON that say anything else than what they were made from are caught."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from maxo_reports.core.report import Column, Kind, Row, Table
from maxo_reports.errors import TieOutError
from maxo_reports.render import csvfile
from maxo_reports.tieout import plain
from reports import made_up_calls, month, statement

TABLE = Table(
    (
        Column("change", "Change", Kind.TEXT),
        Column("call_id", "Call ID", Kind.ID),
        Column("started", "Started", Kind.MOMENT),
        Column("a_party", "From", Kind.NUMBER),
        Column("seconds", "Duration", Kind.DURATION),
        Column("cost", "Cost", Kind.MONEY),
    ),
    (
        Row(("Added", "7", datetime(2026, 10, 4, 2, 30), "0491570006", 61, Decimal("0.275"))),
        Row(("Removed", "8", datetime(2026, 10, 5), '=1,"x"\r\n', None, Decimal("-1.20"))),
        Row(("Re-priced", "9", datetime(2026, 10, 6), "", 0, None)),
    ),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write the table."""
    csvfile.write_table(TABLE, tmp_path / "changes.csv")
    return tmp_path / "changes.csv"


def test_a_right_csv_ties_out(path: Path) -> None:
    """Each of 18 cells, the headings and the number of rows."""
    assert plain.table(path, TABLE).figures == 20


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("0.275", "0.276", "line 2 cost: 0.276 in the file, 0.275 in the ledger"),
        ("-1.20", "1.20", "line 3 cost"),
        ("0491570006", "491570006", "line 2 a_party"),
        (",61,", ",62,", "line 2 seconds: 62 in the file, 61 in the ledger"),
        (",61,", ",,", "line 2 seconds: nothing in the file"),
        ("02:30:00", "03:30:00", "line 2 started"),
        ("Removed", "Added", "line 3 change"),
        ("call_id", "id", "headings"),
        ("Re-priced,9,2026-10-06 00:00:00,,0,\r\n", "", "number of rows: 2 in the file, 3"),
        ("Re-priced,9", "Re-priced,9,9", "line 4"),
        ('"=1', '"', "line 3 a_party"),
    ],
)
def test_planted_mistakes_are_named(path: Path, before: str, after: str, says: str) -> None:
    """A line lost, a digit changed, a field too many: the line and the field are named."""
    text = path.read_bytes().decode()
    assert before in text
    path.write_bytes(text.replace(before, after, 1).encode())
    with pytest.raises(TieOutError, match="does not tie out") as caught:
        plain.table(path, TABLE)
    assert says in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b'a,"b', None])
def test_what_is_no_csv_is_refused(path: Path, content: bytes | None) -> None:
    """Bytes that are no text, a quote without end, no file at all."""
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TieOutError):
        plain.table(path, TABLE)


def test_control_totals_are_read_as_they_are_written() -> None:
    """Money is text with all its decimals."""
    control = statement(made_up_calls(50, month())).totals
    from maxo_reports import manifest

    written = json.loads(json.dumps({"control_totals": manifest.totals(control)}))
    assert plain.control_totals(written) == control


@pytest.mark.parametrize(
    "content",
    [{}, {"control_totals": {}}, {"control_totals": None}, {"control_totals": {"calls": 1}}],
)
def test_totals_that_are_not_there_are_refused(content: dict[str, object]) -> None:
    """A JSON file without totals is no evidence."""
    with pytest.raises(TieOutError, match="cannot be read"):
        plain.control_totals(content)
