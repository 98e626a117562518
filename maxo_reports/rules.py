"""What an account's reports follow beside their definitions: number directory and thresholds.

They decide what a pack says, so they are part of its basis; the directory's file is kept in the
archive, so that the pack can be made again when the file has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maxo_reports import directories
from maxo_reports.archive import patterns
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.pulls import Account as Archive
from maxo_reports.config import Account, Workspace
from maxo_reports.core import behaviour, unallocated
from maxo_reports.core.behaviour import Behaviour, Month
from maxo_reports.core.checks import Check, Finding
from maxo_reports.core.directory import ALLOCATIONS, EMPTY, UNALLOCATED, Directory
from maxo_reports.core.ledger import Ledger
from maxo_reports.core.numbering import compact
from maxo_reports.core.period import BillingPeriod
from maxo_reports.core.report import Definition
from maxo_reports.core.spans import NUMBER
from maxo_reports.errors import ArchiveError, ConfigError, did_you_mean

USUALLY = Behaviour()
"""The thresholds that come with the program."""
_DIRECTORY, _OWN, _BEHAVIOUR = "directory_sha256", "directory_is_own", "behaviour"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one account. ``content`` is the file that the directory was read from.

    Where the directory is the account's ``own``, all numbers in it are; one of the workspace
    lists other accounts' numbers, too, which are not silent because they are not called here.
    """

    directory: Directory = EMPTY
    behaviour: Behaviour = USUALLY
    content: bytes = b""
    own: bool = False

    def basis(self) -> dict[str, Any]:
        """Return what of them decides a pack's content; nothing where all is as it comes."""
        own = thresholds(self.behaviour)
        return {
            **({_DIRECTORY: self.directory.sha256} if self.directory else {}),
            **({_OWN: True} if self.own else {}),
            **({_BEHAVIOUR: own} if own else {}),
        }

    def keep(self, archive: Archive) -> None:
        """Keep the directory's file in the archive."""
        if self.directory:
            archive.inputs.keep(self.content)

    def check_filters(self, definitions: Iterable[Definition]) -> None:
        """Refuse a report of a client, site or the like that the directory does not know.

        It would be an empty report, which looks like a client without calls.
        """
        problems = []
        for definition in definitions:
            wheres = [definition.where, *(section.where for section in definition.sections)]
            conditions = dict.fromkeys(each for where in wheres for each in where.conditions)
            for field, values in ((c.field, c.values) for c in conditions):
                if field not in ALLOCATIONS or isinstance(values, bool):
                    continue
                known = {getattr(e.allocation, field) for e in self.directory.entries}
                known.add(UNALLOCATED)
                problems += [
                    f"report {definition.name!r} is of {ALLOCATIONS[field].lower()} {value!r}, "
                    f"which the number directory does not have{did_you_mean(value, known)}"
                    for value in values
                    if value not in known
                ]
        if problems:
            raise ConfigError(problems)

    def findings(
        self, ledger: Ledger, calls: CallStore, earlier: Sequence[Month], period: BillingPeriod
    ) -> Iterator[Finding]:
        """Yield what a person should see: calls of nobody's, and patterns of behaviour."""
        yield from unallocated.findings(ledger, self.directory)
        yield from behaviour.patterns(patterns.seen(calls, self.behaviour), self.behaviour)
        numbers, categories = calls.by_name("service_number"), calls.by_name("category")
        listed = tuple(_listed(self.directory, period)) if self.own else ()
        yield from behaviour.against_earlier(numbers, categories, earlier, listed, self.behaviour)

    def checks(self, ledger: Ledger) -> tuple[Check, ...]:
        """Return the figures that must be equal."""
        return unallocated.check(ledger, self.directory)


def thresholds(of: Behaviour) -> dict[str, Any]:
    """Return the thresholds that are not the usual ones, as JSON gives them back."""
    fields = Behaviour.__dataclass_fields__
    own = {n: getattr(of, n) for n in fields if getattr(of, n) != getattr(USUALLY, n)}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in own.items()}


USUAL = Rules()
"""No directory, and the usual thresholds."""


def of(workspace: Workspace, account: Account) -> Rules:
    """Read an account's rules; a directory with mistakes is refused, with all of them."""
    behaves = workspace.behaviour_of(account)
    path = workspace.directory_of(account)
    if path is None:
        return Rules(behaviour=behaves)
    directory, content = directories.load(path)
    return Rules(directory, behaves, content, own=bool(account.directory))


def again(archive: Archive, basis: Mapping[str, Any]) -> Rules:
    """Return the rules that a sealed pack was made with."""
    said: dict[str, Any] = basis.get(_BEHAVIOUR, {})
    try:
        own: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in said.items()
        }
        behaves = replace(USUALLY, **own)
    except TypeError:
        raise ArchiveError("the pack was made with thresholds that are not known") from None
    sha256 = basis.get(_DIRECTORY)
    if sha256 is None:
        return Rules(behaviour=behaves)
    content = archive.inputs.read(sha256)
    directory = directories.read(content, f"directory {sha256[:12]}")
    return Rules(directory, behaves, content, own=_OWN in basis)


def judged(found: Iterable[Finding]) -> dict[str, Any]:
    """Return a hash of what was found on behaviour, which earlier months decide, too.

    It is part of a pack's basis, and nothing where nothing was found.
    """
    told = [each for each in found if each.code in behaviour.CODES]
    digest = hashlib.sha256("\n".join(map(repr, told)).encode()).hexdigest()
    return {"behaviour_found_sha256": digest} if told else {}


def inputs_of(bases: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the hashes of the files that packs were made from."""
    return tuple(sorted({basis[_DIRECTORY] for basis in bases if _DIRECTORY in basis}))


def _listed(directory: Directory, period: BillingPeriod) -> Iterator[str]:
    """Yield the single numbers that a directory has at the end of a period."""
    for entry in directory.entries:
        span = entry.span
        single = span.is_single and span.family == NUMBER and not span.route
        if single and entry.holds_on(period.last):
            yield compact(span.low)
