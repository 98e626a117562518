"""Care: whatever is damaged is found and named, and a purge takes nothing that is needed."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from carriers import BRISBANE, OCTOBER, call, reply
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports.archive import derive, files, proofs, purge, purged
from maxo_reports.archive.care import Examined, examine
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.proofs import Proof
from maxo_reports.archive.pulls import ACCEPTED, FULL, Account, Answer, Asked, Pull, read_answer
from maxo_reports.core.checks import Check
from maxo_reports.core.period import BillingPeriod, Window, parse_period
from maxo_reports.errors import ArchiveError

TODAY = date(2026, 11, 20)
DAY = 86_400
CALLS = 9
"""How many calls each accepted window has."""
NOW = OCTOBER + 50 * DAY
BEFORE = date(2026, 11, 1)


def _period(text: str) -> BillingPeriod:
    return parse_period(text, BRISBANE, TODAY)


OCT, NOV = _period("2026-10-25..2026-11-01"), _period("2026-11-01..2026-11-05")


def _body(window: Window, count: int) -> bytes:
    step = window.seconds // max(1, count)
    calls = [call(f"{window.start}-{n}", window.start + n * step) for n in range(count)]
    return reply(calls, window)


def _record(account: Account, work: Pull, window: Window, body: bytes, verdict: str) -> None:
    count = body.count(b'"callid"')
    echo = ("start", "end", BRISBANE)
    work.record(Answer(window, account.replies.keep(body), count, verdict, NOW, 1, echo))


def _pulled(
    account: Account, period: BillingPeriod, cuts: int = 1, others: Sequence[bytes] = ()
) -> Pull:
    """Keep a whole pull of a period in ``cuts`` windows; ``others`` were split."""
    asked = Asked(period.start, period.end, period.zone, "x.invalid", 10_000)
    work = account.begin(period, asked, NOW)
    edges = [period.start + n * (period.end - period.start) // cuts for n in range(cuts + 1)]
    for start, end in pairwise(edges):
        _record(account, work, Window(start, end), _body(Window(start, end), CALLS), ACCEPTED)
    for body in others:
        _record(account, work, period.window, body, FULL)
    work.finish(NOW)
    derive.rebuild(account, work)
    return work


def _archive(folder: Path) -> Account:
    """Make an archive of two periods: three whole pulls, split and cross-check replies."""
    account = Account(folder)
    _pulled(account, OCT, 3, [_body(OCT.window, 60), b"<html>busy</html>"])
    second = _pulled(account, OCT, 2)
    check = Check("Charged calls asked alone", "80", "80")
    evidence = account.replies.keep(_body(OCT.window, 30))
    proofs.record(second, Proof(True, "light", (check,), ("Satellite",), (evidence,)))
    _pulled(account, NOV)
    return account


@pytest.fixture
def account(tmp_path: Path) -> Account:
    """Make an archive."""
    return _archive(tmp_path / "acme")


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _paths(found: Examined) -> list[Path]:
    return [damage.path for damage in found.damages]


def _replies(account: Account) -> list[Path]:
    return sorted(account.folder.glob("replies/*/*.gz"))


# --- what is whole --------------------------------------------------------------------------


def test_a_whole_archive_is_whole_counted_and_left_as_it_is(account: Account) -> None:
    """Nothing is damaged, nothing left over, and no file is another afterwards."""
    before, steps = _tree(account.folder), list[str]()
    times = {path: path.stat().st_mtime_ns for path in account.folder.rglob("*")}
    found = examine(account, steps.append)
    assert found.is_whole
    assert (found.damages, found.leftovers) == ((), ())
    assert (found.replies, found.unnamed) == (9, 0)
    bodies = [gzip.decompress(path.read_bytes()) for path in _replies(account)]
    assert found.reply_bytes == sum(map(len, bodies))
    assert (found.pulls, found.windows, found.underived) == (3, 6, 0)
    assert len(steps) == 1 + 3
    assert _tree(account.folder) == before
    assert {path: path.stat().st_mtime_ns for path in account.folder.rglob("*")} == times


def test_an_archive_that_is_not_there_is_whole_and_stays_away(tmp_path: Path) -> None:
    """Before the first run there is nothing to be damaged, and nothing is made."""
    found = examine(Account(tmp_path / "acme"))
    assert (found.is_whole, found.replies, found.pulls) == (True, 0, 0)
    assert not list(tmp_path.iterdir())


def test_what_kills_and_others_leave_is_listed_as_harmless(account: Account) -> None:
    """Temporary files, half-begun pulls, lost columns, a reply without a note: no damage."""
    pull = account.pulls(OCT)[0]
    left = {
        account.folder / "replies" / "ab" / ".tmp-1": "killed",
        pull.folder / "windows" / ".tmp-2": "killed",
        pull.folder / "calls" / "1-2.parquet": "asked anew",
        pull.folder / "calls" / "1-2.parquet.sha256": "asked anew",
        pull.folder.with_name("pull-0003") / ".tmp-3": "killed",
        account.folder / ".DS_Store": "not of the archive",
        account.folder / "periods" / "notes.txt": "not of the archive",
        account.folder / "replies" / "ab" / f"{'ab' * 32}.json": "not of the archive",
    }
    for path in left:
        files.put(path, b"x")
    account.replies.keep(b"kept, and then the power went")
    lost = pull.calls_path(pull.accepted()[0].window)
    lost.unlink()
    found = examine(account)
    assert (found.damages, found.is_whole) == ((), True)
    assert (found.unnamed, found.underived) == (1, 1)
    said = {leftover.path: leftover.why for leftover in found.leftovers}
    assert "before it had begun" in said.pop(pull.folder.with_name("pull-0003"))
    assert said.keys() == left.keys()
    assert all(why in said[path] for path, why in left.items())
    examine(account, repair=True)
    assert not list(account.folder.glob("replies/*/.tmp-*"))
    assert (account.folder / ".DS_Store").exists(), "what is not ours is left alone"


def test_a_pull_that_was_cut_short_is_no_damage(account: Account) -> None:
    """Its windows have gaps, as they may."""
    asked = Asked(OCT.start, OCT.end, OCT.zone, "x.invalid", 10_000)
    work = account.begin(OCT, asked, NOW)
    window = Window(OCT.start, OCT.start + DAY)
    _record(account, work, window, _body(window, 3), ACCEPTED)
    found = examine(account)
    assert (found.damages, found.pulls, found.underived) == ((), 4, 1)


# --- what is damaged ------------------------------------------------------------------------

KINDS = {
    "replies": "replies/*/*.gz",
    "columns": "periods/*/*/calls/*.parquet",
    "hashes": "periods/*/*/calls/*.sha256",
    "windows": "periods/*/*/windows/*.json",
    "notes": "periods/*/*/*.json",
}


@pytest.fixture(scope="module")
def flippable(tmp_path_factory: pytest.TempPathFactory) -> Account:
    """Make one archive for all flips; each flip is turned back."""
    return _archive(tmp_path_factory.mktemp("flips") / "acme")


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_is_found_and_named_and_nothing_else_is(
    flippable: Account, kind: str
) -> None:
    """Thirty bits of each kind of file, in places that a seed chooses."""
    chance = random.Random(f"flip {kind}")
    paths = sorted(flippable.folder.glob(KINDS[kind]))
    for _ in range(30):
        path = chance.choice(paths)
        whole = path.read_bytes()
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        found = examine(flippable)
        path.write_bytes(whole)
        assert _paths(found) == [path]
        assert not found.is_whole
        assert str(path) in found.damages[0].what
        assert found.damages[0].remedy
    assert examine(flippable).is_whole


def test_every_bit_of_a_reply_and_of_a_window_counts(tmp_path: Path) -> None:
    """Also those that gzip passes over, and those that make another right-looking note."""
    account = Account(tmp_path / "acme")
    work = _pulled(account, NOV)
    (note,) = work.folder.glob("windows/*.json")
    for path in (*_replies(account), note):
        whole = path.read_bytes()
        for at in range(len(whole)):
            damaged = bytearray(whole)
            damaged[at] ^= 1 << at % 8
            path.write_bytes(damaged)
            assert _paths(examine(account)) == [path]
        path.write_bytes(whole)


@pytest.mark.parametrize("extra", [b"\0", b"\0" * 8, b"junk", gzip.compress(b"", mtime=0)])
def test_what_follows_the_end_of_a_reply_is_found(account: Account, extra: bytes) -> None:
    """Unpacking itself would pass over zeros and over a second, empty file."""
    path = _replies(account)[0]
    path.write_bytes(path.read_bytes() + extra)
    assert _paths(examine(account)) == [path]


def test_truncated_missing_and_swapped_replies_are_named(account: Account) -> None:
    """Each by its own path, with the pull command that may mend it."""
    cut, gone, one, other = _replies(account)[:4]
    contents = one.read_bytes(), other.read_bytes()
    cut.write_bytes(cut.read_bytes()[:-1])
    gone.unlink()
    one.write_bytes(contents[1])
    other.write_bytes(contents[0])
    found = examine(account, repair=True)
    assert sorted(_paths(found)) == [cut, gone, one, other]
    assert not any(damage.mended for damage in found.damages)
    said = {damage.path: damage for damage in found.damages}
    assert "cannot be unpacked" in said[cut].what
    assert "is missing" in said[gone].what
    assert "hash" in said[one].what
    assert "hash" in said[other].what
    keys = (OCT.key, NOV.key)
    assert all(any(f"'pull {key}'" in d.remedy for key in keys) for d in found.damages)


def test_an_extra_reply_that_is_damaged_may_be_deleted(account: Account) -> None:
    """No pull names it, so no report needs it; while a note is damaged, nobody can say so."""
    extra = account.replies.path("cd" * 32)
    files.put(extra, gzip.compress(b"of another name"))
    (damage,) = examine(account).damages
    assert damage.path == extra
    assert "delete it" in damage.remedy
    note = min(account.folder.rglob("windows/*.json"))
    note.write_bytes(b"{")
    remedies = {damage.path: damage.remedy for damage in examine(account).damages}
    assert remedies.keys() == {extra, note}
    assert "delete" not in remedies[extra]


def test_a_missing_reply_of_a_crosscheck_is_named(account: Account) -> None:
    """Evidence that a proof names is looked for, too."""
    (sha256,) = proofs.recorded(account.pulls(OCT)[1].folder).replies
    path = account.replies.path(sha256)
    path.unlink()
    assert _paths(examine(account)) == [path]


@pytest.mark.parametrize(
    ("damage", "is_named"),
    [
        (lambda path: path.unlink(), False),
        (lambda path: path.with_name(f"{path.name}.sha256").unlink(), True),
        (lambda path: path.write_bytes(b""), True),
        (lambda path: path.write_bytes(b"PAR1"), True),
    ],
)
def test_columns_that_are_lost_or_damaged_are_made_anew_when_asked(
    account: Account, damage: Callable[[Path], Any], is_named: bool
) -> None:
    """Repaired they are, to the bit, what they were; lost ones are no damage."""
    before = _tree(account.folder)
    path = min(account.folder.rglob("*.parquet"))
    damage(path)
    damaged = _tree(account.folder)
    found = examine(account)
    assert len(found.damages) == is_named
    assert found.underived == (not is_named)
    assert _tree(account.folder) == damaged, "without --repair nothing is changed"
    mended = examine(account, repair=True)
    assert mended.is_whole
    assert [d.mended for d in mended.damages] == [True] * is_named
    assert examine(account).damages == ()
    if is_named:
        assert _tree(account.folder) == before


def test_columns_of_a_damaged_reply_are_kept_and_not_made_anew(account: Account) -> None:
    """The columns may be all that is left of it; damaged themselves, they are named as well."""
    answer = account.pulls(NOV)[0].accepted()[0]
    reply_path = account.replies.path(answer.sha256)
    columns_path = account.pulls(NOV)[0].calls_path(answer.window)
    reply_path.write_bytes(b"")
    kept = columns_path.read_bytes()
    assert _paths(examine(account, repair=True)) == [reply_path]
    assert columns_path.read_bytes() == kept
    columns_path.write_bytes(kept[:-1])
    assert _paths(examine(account, repair=True)) == [reply_path, columns_path]
    assert columns_path.read_bytes() == kept[:-1]


def _rewritten(path: Path, change: Callable[[Any], Any], **how: Any) -> None:
    """Write columns in another way, with a right hash beside them."""
    table = change(pq.read_table(BytesIO(path.read_bytes())))
    target = BytesIO()
    pq.write_table(table, target, **how)
    path.write_bytes(target.getvalue())
    sha256 = hashlib.sha256(target.getvalue()).hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{sha256}  {path.name}\n")


def test_columns_from_another_library_are_right_when_every_value_is(account: Account) -> None:
    """Other bytes with the same rows are whole; a cost that is another is not, hash or no hash."""
    path = min(account.folder.rglob("*.parquet"))
    whole = path.read_bytes()
    _rewritten(path, lambda table: table, compression="gzip")
    assert path.read_bytes() != whole
    assert examine(account).damages == ()
    _rewritten(path, lambda table: table.slice(1))
    (damage,) = examine(account).damages
    assert damage.path == path
    assert "something else than the reply" in damage.what
    assert examine(account, repair=True).is_whole
    assert path.read_bytes() == whole


def test_a_reply_from_another_packer_is_right_and_a_changed_packing_is_mended(
    account: Account,
) -> None:
    """Other bytes of the same reply are whole; with one bit of the head turned they are not."""
    path = _replies(account)[0]
    whole = path.read_bytes()
    body = gzip.decompress(whole)
    other = whole[:10] + gzip.compress(body, compresslevel=9, mtime=0)[10:]
    assert other != whole
    path.write_bytes(other)
    assert examine(account).damages == ()
    path.write_bytes(other[:5] + b"\x01" + other[6:])
    assert gzip.decompress(path.read_bytes()) == body
    assert _paths(examine(account)) == [path]
    assert examine(account, repair=True).is_whole
    assert path.read_bytes() == whole


def test_a_lost_or_foreign_note_of_a_window_is_named(account: Account) -> None:
    """A whole pull with a gap, with a window twice, or with one under another's name."""
    work = account.pulls(OCT)[0]
    accepted = [a.window for a in work.accepted()]
    paths = [work.folder / "windows" / f"{w.start}-{w.end}.json" for w in accepted]
    whole = paths[1].read_bytes()
    paths[1].unlink()
    assert _paths(examine(account)) == [work.folder]
    paths[1].write_bytes(paths[0].read_bytes())
    (damage,) = examine(account).damages
    assert damage.path == paths[1]
    assert "another window" in damage.what
    paths[1].write_bytes(whole)
    twice = Window(accepted[0].start, accepted[0].end - 1)
    _record(account, work, twice, _body(twice, 3), ACCEPTED)
    assert _paths(examine(account)) == [work.folder]


def test_a_lost_beginning_of_a_pull_is_named(account: Account) -> None:
    """Without pull.json no run sees the pull; its windows show that there was one."""
    path = account.pulls(OCT)[0].folder / "pull.json"
    path.unlink()
    found = examine(account)
    assert _paths(found) == [path]
    assert str(path.parent) in found.damages[0].remedy


def test_a_note_of_another_format_is_named(account: Account) -> None:
    """One that a later version wrote is not taken for damaged bits."""
    path = min(account.folder.rglob("windows/*.json"))
    path.write_text('{\n "format": 2\n}\n')
    (damage,) = examine(account).damages
    assert "another archive format" in damage.what


def test_a_reply_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """It has its hash, and yet it is no list of calls: its columns cannot come from it."""
    account = Account(tmp_path / "acme")
    work = _pulled(account, NOV)
    odd = account.replies.keep(b"{}")
    answer = work.accepted()[0]
    work.record(Answer(answer.window, odd, CALLS, ACCEPTED, NOW, 1, answer.echo))
    found = examine(account)
    assert _paths(found) == [account.replies.path(odd)]
    assert "cannot be read" in found.damages[0].what
    assert found.unnamed == 1


# --- purging --------------------------------------------------------------------------------


def _named(account: Account) -> set[str]:
    """Return what the pulls that are there name, from their files alone."""
    found = {read_answer(p).sha256 for p in account.folder.glob("periods/*/*/windows/*.json")}
    for path in account.folder.glob("periods/*/*/proof.json"):
        found |= set(proofs.recorded(path.parent).replies)
    return found


def test_a_plan_says_what_goes_and_changes_nothing(account: Account) -> None:
    """Periods, pulls, replies and bytes are those that are there; nothing is touched."""
    straddling = _period("2026-10-20..2026-11-03")
    _pulled(account, straddling)
    account.replies.keep(b"of a run that was killed")
    before = _tree(account.folder)
    planned = purge.plan(account, BEFORE)
    assert [(d.key, d.pulls) for d in planned.periods] == [(OCT.key, (1, 2))]
    assert len(planned.replies) == 8 + 1
    gone = [name for name in before if OCT.key in name]
    gone += [path.relative_to(account.folder).as_posix() for path in planned.replies]
    assert planned.size == sum(len(before[name]) for name in gone)
    assert planned.straddling == (straddling.key,)
    assert _tree(account.folder) == before


def test_a_purge_removes_what_was_planned_and_only_that(account: Account) -> None:
    """October is gone, November stays as it was, and the archive is whole."""
    (account.folder / "periods" / ".tmp-x").write_bytes(b"0491570006")
    before = _tree(account.folder)
    planned = purge.plan(account, BEFORE)
    purge.purge(account, planned, NOW)
    after = _tree(account.folder)
    (entry,) = purged.recorded(account.folder)
    assert (entry.period, entry.pulls, entry.before, entry.at) == (
        OCT.key,
        (1, 2),
        "2026-11-01",
        NOW,
    )
    assert b"0491570006" not in after.pop("purged.json")
    assert after.items() <= before.items()
    assert not any(OCT.key in name or ".tmp-" in name for name in after)
    assert {path.name[:64] for path in _replies(account)} == _named(account)
    assert examine(account).damages == ()
    assert examine(account).leftovers == ()
    assert purge.plan(account, BEFORE).is_empty()
    work = account.pulls(NOV)[0]
    with closing(CallStore([work.calls_path(a.window) for a in work.accepted()], NOV)) as calls:
        assert len(calls) == CALLS


@pytest.mark.parametrize("day", [date(2026, 10, 31), date(2026, 10, 1)])
def test_a_period_that_ends_a_day_later_stays(account: Account, day: date) -> None:
    """The day after the last must not be after the given day."""
    assert purge.plan(account, day).periods == ()
    assert len(purge.plan(account, BEFORE).periods) == 1


def test_numbers_of_purged_pulls_are_not_given_again(account: Account) -> None:
    """The next pull of a purged period is the third, and it is known when the others went."""
    purge.purge(account, purge.plan(account, BEFORE), NOW)
    assert account.pulls(OCT) == ()
    assert _pulled(account, OCT).number == 3
    assert [account.purged_at(OCT, n) for n in (1, 2, 3)] == [NOW, NOW, None]
    assert account.purged_at(NOV, 1) is None
    purge.purge(account, purge.plan(account, BEFORE), NOW + DAY)
    assert _pulled(account, OCT).number == 4
    assert [account.purged_at(OCT, n) for n in (1, 3, 4)] == [NOW, NOW + DAY, None]


@pytest.mark.parametrize("name", ["windows/*.json", "proof.json"])
def test_nothing_is_purged_while_it_is_not_known_what_is_needed(
    account: Account, name: str
) -> None:
    """A damaged note of a pull that stays could name any reply; one of a pull that goes may be."""
    pull = account.pulls(NOV)[0]
    proofs.record(pull, Proof())
    (note,) = pull.folder.glob(name)
    whole = note.read_bytes()
    note.write_bytes(whole.replace(b"1", b"2", 1))
    with pytest.raises(ArchiveError, match="nothing was purged") as caught:
        purge.plan(account, BEFORE)
    assert str(note) in str(caught.value)
    note.write_bytes(whole)
    for path in account.pulls(OCT)[0].folder.rglob("*.json"):
        path.write_bytes(b"{")
    purge.purge(account, purge.plan(account, BEFORE), NOW)
    assert [path.name for path in account.folder.glob("periods/*")] == [NOV.key]
    assert examine(account).is_whole


SPANS = ("2026-07", "2026-08", "2026-08-20..2026-09-10", "2026-09", "2026-10")
DAYS = ("2026-07-31", "2026-08-01", "2026-09-01", "2026-09-10", "2026-10-01", "2026-11-01")


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(SPANS),
            st.lists(st.integers(0, 5), max_size=4),
            st.lists(st.integers(0, 5), max_size=2),
        ),
        max_size=6,
    ),
    st.lists(st.integers(0, 5), max_size=2),
    st.sampled_from(DAYS),
)
def test_a_purge_never_takes_a_reply_that_a_pull_names_that_stays(
    tmp_path_factory: pytest.TempPathFactory,
    pulls: list[tuple[str, list[int], list[int]]],
    loose: list[int],
    day: str,
) -> None:
    """Pulls of any periods share replies in any way: what stays is whole, the rest is gone."""
    account = Account(tmp_path_factory.mktemp("purge") / "acme")
    before = date.fromisoformat(day)
    with pytest.MonkeyPatch.context() as patch:
        # No power cut is played here, and many small files are flushed.
        patch.setattr(os, "fsync", lambda _: None)
        _purge_some(account, pulls, loose, before)
    staying = {p.key for text, _, _ in pulls if (p := _period(text)).until > before}
    assert {path.name for path in account.folder.glob("periods/*")} == staying
    assert {path.name[:64] for path in _replies(account)} == _named(account)
    found = examine(account)
    assert (found.damages, found.leftovers, found.unnamed) == ((), (), 0)


def _purge_some(
    account: Account,
    pulls: Sequence[tuple[str, Sequence[int], Sequence[int]]],
    loose: Sequence[int],
    before: date,
) -> None:
    for text, named, proved in pulls:
        work = _pulled(account, _period(text), 1, [b"reply %d" % n for n in named])
        evidence = [account.replies.keep(b"reply %d" % n) for n in proved]
        proofs.record(work, Proof(replies=tuple(evidence)))
    for n in loose:
        account.replies.keep(b"reply %d" % n)
    purge.purge(account, purge.plan(account, before), NOW)


class _Killed(BaseException):
    """The power goes: nothing after it is done, also not what cleans up."""


STEPS = ("open", "fsync", "replace", "rename", "mkdir", "unlink", "rmdir")
"""The calls of the operating system through which a purge goes."""


@pytest.mark.parametrize(("until", "stays"), [("2026-11-01", False), ("2026-11-02", True)])
def test_what_a_probe_noted_is_known_and_goes_with_its_calls(
    account: Account, until: str, stays: bool
) -> None:
    """Its reply is named by it; a purge of the calls that it is about takes both."""
    sha256 = account.replies.keep(_body(Window(OCTOBER, OCTOBER + 60), 2))
    echo = (f"{OCT.first} 00:00:00", f"{until} 00:00:00", BRISBANE)
    account.note(Answer(Window(OCTOBER, OCTOBER + 60), sha256, 2, ACCEPTED, NOW, 1, echo))
    found = examine(account)
    assert (found.is_whole, found.unnamed, found.leftovers) == (True, 0, ())
    planned = purge.plan(account, BEFORE)
    purge.purge(account, planned, NOW)
    assert account.probe_note.exists() is stays
    assert account.replies.path(sha256).exists() is stays
    assert examine(account).is_whole


def test_a_damaged_note_of_a_probe_is_named(account: Account) -> None:
    """One flipped letter, or a reply that is gone."""
    sha256 = account.replies.keep(_body(Window(OCTOBER, OCTOBER + 60), 2))
    account.note(Answer(OCT.window, sha256, 2, ACCEPTED, NOW, 1, ("", "2027-01-01", "")))
    whole = account.probe_note.read_bytes()
    account.probe_note.write_bytes(whole.replace(b'"tries": 1', b'"tries": 2'))
    assert _paths(examine(account)) == [account.probe_note]
    account.probe_note.write_bytes(whole)
    account.replies.path(sha256).unlink()
    assert _paths(examine(account)) == [account.replies.path(sha256)]


def _killed_at(patch: pytest.MonkeyPatch, step: int) -> list[int]:
    """Let the system end the work at its ``step``-th call; the list counts the calls."""
    calls = [0]

    def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **more: Any) -> Any:
            calls[0] += 1
            if calls[0] >= step:
                raise _Killed
            return real(*args, **more)

        return wrapped

    for name in STEPS:
        patch.setattr(os, name, deadly(getattr(os, name)))
    return calls


def test_a_purge_that_is_killed_anywhere_leaves_a_whole_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every call of the system: no damage, every pull complete, and the next purge ends it."""
    # Counted as a call all the same, but no power cut is played here.
    monkeypatch.setattr(os, "fsync", lambda _: None)
    account = Account(tmp_path / "acme")
    for period in (_period("2026-09"), OCT, NOV):
        _pulled(account, period)
    whole = tmp_path / "whole"
    shutil.copytree(account.folder, whole)
    purge.purge(account, purge.plan(account, BEFORE), NOW)
    wanted = _tree(account.folder)
    step = 0
    while True:
        step += 1
        shutil.rmtree(account.folder)
        shutil.copytree(whole, account.folder)
        planned = purge.plan(account, BEFORE)
        with monkeypatch.context() as patch:
            calls = _killed_at(patch, step)
            try:
                purge.purge(account, planned, NOW)
            except _Killed:
                pass
            else:
                break
        found = examine(account)
        assert found.damages == (), step
        assert {leftover.path.name[:5] for leftover in found.leftovers} <= {".purg", ".tmp-"}
        assert len(account.pulls(OCT)) in {0, 1}
        assert len(account.pulls(NOV)) == 1
        purge.purge(account, purge.plan(account, BEFORE), NOW)
        assert _tree(account.folder) == wanted, step
        assert not (account.folder / ".purging").exists()
    assert step == calls[0] + 1
    assert step > 40
