"""The verbs of mail: send a pack's letters, see and resolve the outbox, do the month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maxo_reports import owners
from maxo_reports.addresses import Address
from maxo_reports.archive import files
from maxo_reports.config import FILE, Account
from maxo_reports.core.money import plain
from maxo_reports.core.numbering import masked
from maxo_reports.core.text import counted
from maxo_reports.engine import packs
from maxo_reports.engine.dispatch import Dispatch, Post, Told, Wish, server
from maxo_reports.errors import DONE, FINDINGS, MailError, MaxoReportsError, UsageError
from maxo_reports.issue import Outcome
from maxo_reports.job import Job
from maxo_reports.outbox import Entry, Outbox, State
from maxo_reports.owners import Owner

_MONTH_LOCK = "month.lock"
Ended = Callable[["Monthly"], None]
"""What is told of an account as soon as it is done."""


def send(
    post: Post,
    folder: Path,
    wish: Wish,
    only: Sequence[Address] = (),
    *,
    provisional: bool = False,
    terms: Path | None = None,
) -> list[Told]:
    """Draft, approve or send the letters of one pack, which is read back first.

    Who gets a client's stands in the file of ``terms``.
    """
    pack = packs.verify(folder)
    if pack.basis["state"] != "settled" and not provisional:
        reasons = "; ".join(pack.basis["reasons"])
        raise MailError(
            f"pack {folder} is provisional ({reasons}): its figures can still change, so no "
            "letter is made of it; to do it all the same, say --provisional"
        )
    workspace = post.workspace
    owner = owners.of_pack(workspace, pack, terms)
    _possible(post, owner, wish, only)
    with Outbox.opened(workspace.outbox, post.now()) as book, server(post) as line:
        dispatch = Dispatch(post, book, line, owner, pack, packs.verify)
        told = list(dispatch.letters(wish, only))
    if not told:
        names = ", ".join(pack.basis["reports"])
        raise UsageError(f"nobody in {owner.file} gets what pack {folder} holds: {names}")
    return told


def _possible(post: Post, owner: Owner, wish: Wish, only: Sequence[Address]) -> None:
    """Refuse what cannot be done for any letter, before the first."""
    workspace = post.workspace
    owner.check_reports(workspace)
    if owner.client and wish is Wish.APPROVE:
        raise UsageError(
            "'month' sends no clients' statements, so none is left to it: say --approve alone to "
            "send it now, or --draft alone to look at it first"
        )
    if wish is Wish.SEND and not workspace.mail.can_send:
        raise UsageError(
            f"there is no server to send over: write host under [mail] in {FILE}, or leave "
            "--approve away and send the drafts yourself"
        )
    if not only and not owner.addressees:
        kind = "client" if owner.client else "account"
        raise UsageError(
            f"{kind} {owner.id!r} has no recipient: write [[{owner.table}]] in {owner.file}, or "
            "say --to ADDRESS"
        )
    for address in only if workspace.mail.domains else ():
        if not workspace.mail.allows(address):
            raise UsageError(
                f"nothing is sent to {address.spec}: {address.domain} is not among the domains "
                f"under [mail] in {FILE}"
            )


def letters(post: Post) -> list[Entry]:
    """Return every letter of the outbox."""
    return Outbox.look(post.workspace.outbox)


def resolve(post: Post, number: int, to: State, why: str) -> Entry:
    """Write down what a person has found out about a letter that is held, or has decided."""
    with Outbox.opened(post.workspace.outbox, post.now()) as book:
        return book.resolve(number, to, why, post.now())


@dataclass(frozen=True, slots=True)
class Monthly:
    """What a month came to for one account. ``trouble`` ended it, where there was any."""

    account: Account
    label: str
    outcome: Outcome | None = None
    told: tuple[Told, ...] = ()
    note: str = ""
    trouble: MaxoReportsError | None = None

    @property
    def exit_code(self) -> int:
        """The exit code of this account alone."""
        if self.trouble is not None:
            return self.trouble.exit_code
        if not all(told.is_well for told in self.told):
            return MailError.exit_code
        return FINDINGS if self.outcome and self.outcome.needs_a_person else DONE

    @property
    def line(self) -> str:
        """All of it in one line, without telephone numbers."""
        head = f"{self.account.id} {self.label}: "
        if self.trouble is not None:
            return masked(f"{head}FAILED: {self.trouble}")
        parts = []
        if self.outcome is not None:
            totals, pack = self.outcome.ledger.control, self.outcome.pack
            parts = [
                f"{self.outcome.state.word} r{pack.revision}",
                f"{counted(totals.calls, 'call')}, ${plain(totals.cost)}",
            ]
            if self.outcome.needs_a_person:
                parts.append("findings need a person")
        did = [told.did for told in self.told]
        parts += [f"{did.count(each)} {each}" for each in dict.fromkeys(did)]
        parts += [self.note] if self.note else []
        parts += [f"{told.key.recipient}: {told.said}" for told in self.told if not told.is_well]
        return masked(head + "; ".join(parts))


def month(
    post: Post, jobs: Sequence[Job], reports: Sequence[str], *, offline: bool, ended: Ended
) -> list[Monthly]:
    """Run every account's period, then draft its letters or send those that are approved.

    One account's trouble keeps no other back; ``ended`` is told as each is done. Done again, it
    makes and sends nothing that is there already. Two at once are refused.
    """
    done = []
    with files.only_one(post.workspace.outbox / _MONTH_LOCK, "the month"):
        for job in jobs:
            post.log(f"{job.account.id} {job.period.label}: begun")
            result = _month_of(post, job, reports, offline=offline)
            done.append(result)
            ended(result)
    return done


def _month_of(post: Post, job: Job, reports: Sequence[str], *, offline: bool) -> Monthly:
    account, label = job.account, job.period.label
    try:
        outcome = packs.run(job, reports, offline=offline)
        post.log(f"{account.id} {label}: {outcome.state.word}, {outcome.pack.folder}")
        told, note = _mailed(post, account, outcome)
        return Monthly(account, label, outcome, (*told, *_left(post, account, told)), note)
    except MaxoReportsError as problem:
        post.log(f"{account.id} {label}: failed: {problem}")
        return Monthly(account, label, trouble=problem)


def _mailed(post: Post, account: Account, outcome: Outcome) -> tuple[list[Told], str]:
    """Go through the letters of a month's pack; say why where there are none."""
    owner = owners.of_account(post.workspace, account)
    if not owner.addressees:
        return [], "no recipients"
    owner.check_reports(post.workspace)
    if outcome.state.word != "settled":
        return [], "no letter before it is settled"
    wish, note = _wish(account, outcome)
    with Outbox.opened(post.workspace.outbox, post.now()) as book, server(post) as line:
        dispatch = Dispatch(post, book, line, owner, outcome.pack, packs.verify)
        told = list(dispatch.letters(wish))
    return told, note if told else "nobody gets what it holds"


def _left(post: Post, account: Account, told: Sequence[Told]) -> list[Told]:
    """Return the letters of other packs, and of clients, that wait for the server or a person."""
    of_clients = owners.under(account)
    seen = {each.key for each in told}
    return [
        Told(entry.key, f"{entry.state} of before", str(entry.key), entry.number, is_well=False)
        for entry in letters(post)
        if (entry.key.account == account.id or entry.key.account.startswith(of_clients))
        and entry.key not in seen
        and (entry.is_held or entry.state is State.WAITING)
    ]


def _wish(account: Account, outcome: Outcome) -> tuple[Wish, str]:
    """Return what to do with letters that nobody approved, and why where it is not as set."""
    if account.send != "automatic":
        return Wish.MONTH, ""
    if outcome.needs_a_person:
        return Wish.MONTH, "findings: not sent by itself"
    if not outcome.ledger.control.calls:
        return Wish.MONTH, "no calls: not sent by itself"
    return Wish.AUTOMATIC, ""


def told_json(told: Told) -> dict[str, Any]:
    """Return what ``--json`` says of a letter."""
    return {
        "account": told.key.account,
        "period": told.key.days,
        "revision": told.key.revision,
        "report": told.key.report,
        "recipient": told.key.recipient,
        "number": told.number,
        "did": told.did,
        "said": told.said,
        "draft": str(told.path) if told.path else None,
        "is_well": told.is_well,
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """Return what ``outbox list --json`` says of a letter."""
    return {
        "number": entry.number,
        "account": entry.key.account,
        "period": entry.key.days,
        "revision": entry.key.revision,
        "report": entry.key.report,
        "recipient": entry.key.recipient,
        "state": str(entry.state),
        "needs_a_person": entry.is_held,
        "message_id": entry.message_id,
        "content_sha256": entry.content,
        "tries": entry.tries,
        "said": entry.said,
        "changed_at": entry.changed_at,
    }


def monthly_json(result: Monthly) -> dict[str, Any]:
    """Return what ``month --json`` says of an account."""
    outcome = result.outcome
    run = packs.as_json(outcome) if outcome else None
    return {
        "account": result.account.id,
        "period": result.label,
        "exit_code": result.exit_code,
        "run": run,
        "letters": [told_json(told) for told in result.told],
        "note": result.note,
        "error": str(result.trouble) if result.trouble else None,
    }
