"""Past handoffs: which document numbers were given out, so that none is given out twice.

A note of each stands in the archive, where it stays when the folder of packs is tidied up; the
sealed handoffs themselves are looked at, too, since a kill can come between the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maxo_reports import pack
from maxo_reports.archive import handoffs, notes
from maxo_reports.errors import UsageError

FOLDER = handoffs.FOLDER


@dataclass(frozen=True, slots=True)
class Past:
    """One handoff that was made: ``2026-10/r1``, its kind, its documents as (contact, number)."""

    reference: str
    kind: str
    replaces: str
    documents: tuple[tuple[str, str], ...]


def place(out: Path, account: str, label: str) -> Path:
    """Return the folder of a period's handoffs."""
    return out / account / FOLDER / label


def recorded(archive: Path, out: Path, account: str) -> tuple[Past, ...]:
    """Return every past handoff of an account, by the archive's notes and by what is sealed."""
    found: dict[str, Past] = {}
    for path in handoffs.paths(archive):
        if path.suffix == handoffs.SUFFIX:
            note = handoffs.load(path)
            with notes.shape_of(path):
                found[note["reference"]] = _past(note)
    for sealed in pack.sealed_in(out / account / FOLDER):
        said = sealed.manifest.get("handoff")
        if isinstance(said, dict):
            with notes.shape_of(sealed.folder / pack.MANIFEST):
                found.setdefault(said["reference"], _past(said))
    return tuple(found[key] for key in sorted(found))


def _past(said: Any) -> Past:
    documents = tuple((str(contact), str(number)) for contact, number in said["documents"])
    return Past(str(said["reference"]), str(said["kind"]), str(said["replaces"]), documents)


def next_number(past: Iterable[Past], label: str) -> int:
    """Return the number that a period's next handoff gets, whatever became of the folders."""
    own = [each.reference.rpartition("/r")[2] for each in past if _label(each) == label]
    return max((int(number) for number in own if number.isdigit()), default=0) + 1


def reference(text: str, label: str) -> str:
    """Return what the user means by ``r1`` or ``2026-10/r1``; nothing where nothing is meant."""
    return text if not text or "/" in text else f"{label}/{text}"


def _label(past: Past) -> str:
    return past.reference.rpartition("/r")[0]


def check(past: Sequence[Past], documents: Sequence[tuple[str, str]], replaces: str) -> None:
    """Refuse a document number that an earlier handoff has, unless that one is replaced."""
    by_reference = {each.reference: each for each in past}
    if replaces and replaces not in by_reference:
        known = ", ".join(by_reference) or "none"
        raise UsageError(f"there is no handoff {replaces} to replace; there is: {known}")
    # What was replaced before is out of the way, too.
    gone = {replaces, *(each.replaces for each in past)}
    taken = {
        (contact.casefold(), number.casefold()): each.reference
        for each in past
        if each.reference not in gone
        for contact, number in each.documents
    }
    for contact, number in documents:
        where = taken.get((contact.casefold(), number.casefold()))
        if where is not None:
            raise UsageError(
                f"{contact} {number!r} is in handoff {where} already: importing it twice would "
                f"book it twice; if that one was not imported, add --replaces {where}"
            )


def record(archive: Path, said: dict[str, Any]) -> None:
    """Note a handoff for good."""
    handoffs.put(archive, said)
