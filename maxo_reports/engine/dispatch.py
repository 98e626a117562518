"""What becomes of one pack's letters: drafted, sent, or left as they are, one by one.

Nothing here sends what no person has approved, but for accounts whose settings say so in words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from maxo_reports import outbox
from maxo_reports.addresses import Address
from maxo_reports.archive import files
from maxo_reports.config import Addressee, Workspace
from maxo_reports.errors import MailError
from maxo_reports.letters import Desk, Issued, Letter, issued, key
from maxo_reports.outbox import Access, Entry, Key, Line, NoLine, Outbox, Server, State
from maxo_reports.owners import Owner
from maxo_reports.pack import Pack

DRAFTS = "drafts"
_PLAIN = re.compile(r"[^a-z0-9@._+-]")
_LONGEST_NAME = 180
Verify = Callable[[Path], Pack]
"""What reads a sealed pack again, or raises."""


class Wish(Enum):
    """What is wanted of a pack's letters."""

    DRAFT = "draft"
    """Files for a person to look at and to send."""
    APPROVE = "approve"
    """Note a person's yes; what was approved goes out another time."""
    SEND = "send"
    """Note a person's yes, and send."""
    MONTH = "month"
    """Send what was approved; draft what was not looked at yet."""
    AUTOMATIC = "automatic"
    """The same, but what nobody looked at is sent."""


@dataclass(frozen=True, slots=True)
class Post:
    """What mailing works with. ``now`` is the only clock; ``secret`` the server's password."""

    workspace: Workspace
    secret: Callable[[], str]
    now: Callable[[], int]
    wait: Callable[[float], None]
    log: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one letter: ``did`` in a word, and why. ``is_well`` where it is as wanted."""

    key: Key
    did: str
    said: str = ""
    number: int | None = None
    path: Path | None = None
    is_well: bool = True


@contextmanager
def server(post: Post) -> Iterator[Line]:
    """Give the connection that letters go over; it is opened by the first."""
    mail = post.workspace.mail
    access = None
    if mail.can_send and mail.login != "none":
        access = Access(mail.user, post.secret(), is_token=mail.login == "xoauth2")
    sender = mail.sender_address()
    where = Server(
        mail.server_name if mail.can_send else "",
        mail.real_port,
        "tls" if mail.security == "tls" else "starttls",
        sender.domain if sender else "",
        mail.timeout,
        # The last reply alone may take RFC 5321's ten minutes.
        mail.timeout * 10,
        post.workspace.folder / mail.ca_file if mail.ca_file else None,
    )
    with closing(Line(where, access)) as line:
        yield line


class Dispatch:
    """Goes through the letters of one owner's pack."""

    def __init__(
        self, post: Post, book: Outbox, line: Line, owner: Owner, pack: Pack, verify: Verify
    ) -> None:
        self._post, self._book, self._line = post, book, line
        self._owner, self._pack = owner, pack
        self._verify = verify
        self._desk: Desk | None = None
        self._down = ""
        """Why there is no connection, once that is known: nobody is asked again and again."""

    def letters(self, wish: Wish, only: Sequence[Address] = ()) -> Iterator[Told]:
        """Do what is wished with every letter of the pack; one's trouble keeps no other back."""
        for recipient in self._owner.chosen(only):
            for report in issued(self._pack):
                if recipient.wants(report.name):
                    told = self._one(wish, report, recipient)
                    self._post.log(f"{told.key}: {told.did}{told.said and f' ({told.said})'}")
                    yield told

    def _one(self, wish: Wish, report: Issued, recipient: Addressee) -> Told:
        known = key(self._owner, self._pack, report, recipient.mailbox)
        entry = self._book.find(known)
        try:
            if wish is Wish.DRAFT:
                return self._draft(known, entry, report, recipient)
            if wish in {Wish.MONTH, Wish.AUTOMATIC}:
                return self._monthly(wish, known, entry, report, recipient)
            letter = self._letter(known, report, recipient)
            now = self._post.now()
            entry = self._book.approve(known, letter.content, letter.message_id, now)
            if entry.state is not State.WAITING:
                return _stands(entry)
            if wish is Wish.APPROVE:
                return Told(known, "approved", "it goes out with the next month", entry.number)
            return self._send(entry, letter)
        except MailError as problem:
            return Told(known, "failed", str(problem), is_well=False)

    def _monthly(
        self, wish: Wish, known: Key, entry: Entry | None, report: Issued, recipient: Addressee
    ) -> Told:
        if entry is not None and entry.state is not State.WAITING:
            return _stands(entry)
        letter = self._letter(known, report, recipient)
        if entry is not None:
            if entry.content != letter.content:
                said = "what was approved is not what it would be now: look at it and approve anew"
                return Told(known, "waiting", said, entry.number, is_well=False)
            return self._send(entry, letter)
        if wish is Wish.AUTOMATIC and not self._book.replaced(known):
            now = self._post.now()
            entry = self._book.approve(known, letter.content, letter.message_id, now)
            return self._send(entry, letter)
        return self._draft(known, entry, report, recipient)

    def _draft(
        self, known: Key, entry: Entry | None, report: Issued, recipient: Addressee
    ) -> Told:
        if entry is not None and entry.state not in {State.DRAFTED, State.WAITING}:
            return _stands(entry)
        letter = self._letter(known, report, recipient)
        path = self._path(known)
        files.put(path, letter.draft())
        entry = self._book.draft(known, letter.content, letter.message_id, self._post.now())
        return Told(known, "drafted", "", entry.number, path)

    def _send(self, entry: Entry, letter: Letter) -> Told:
        mail = self._post.workspace.mail
        if not mail.can_send:
            said = "there is no server to send over: no host under [mail]"
            return Told(entry.key, "waiting", said, entry.number, is_well=False)
        if letter.sender is None or not mail.allows(letter.recipient):
            raise MailError(f"nothing is sent to {letter.recipient.domain}: see domains in [mail]")
        if self._down:
            return Told(entry.key, "waiting", self._down, entry.number, is_well=False)
        sealed = outbox.Letter(letter.sender.spec, letter.recipient.spec, letter.dated)
        try:
            after = outbox.send(
                self._book,
                entry,
                sealed,
                self._line,
                tries=mail.tries,
                now=self._post.now,
                wait=self._post.wait,
            )
        except NoLine as problem:
            self._down = str(problem)
            return Told(entry.key, "waiting", self._down, entry.number, is_well=False)
        is_sent = after.state is State.SENT
        return Told(entry.key, str(after.state), after.said, entry.number, is_well=is_sent)

    def _letter(self, known: Key, report: Issued, recipient: Addressee) -> Letter:
        if self._desk is None:
            # Before the first letter is made, not after: what fails this is not sent to anybody.
            self._pack = self._verify(self._pack.folder)
            self._desk = Desk(self._post.workspace, self._owner, self._pack)
        return self._desk.letter(report, recipient, self._book.replaced(known))

    def _path(self, known: Key) -> Path:
        label = self._pack.basis["period"]["label"]
        name = f"r{known.revision}-{known.report}-{known.recipient}"
        safe = _PLAIN.sub(lambda mark: f"={ord(mark[0]):02x}", name)[:_LONGEST_NAME]
        folder = self._post.workspace.outbox / DRAFTS / known.account / str(label)
        return folder / f"{safe}.eml"


def _stands(entry: Entry) -> Told:
    """Say where a letter is that is left as it is."""
    told = Told(entry.key, str(entry.state), entry.said, entry.number, is_well=not entry.is_held)
    if entry.state is State.SENT:
        return replace(told, did="sent before")
    if entry.state is State.DRAFTED:
        return replace(told, did="drafted before")
    if entry.is_held:
        said = f"{entry.said}; look, then: maxo-reports outbox resolve {entry.number}"
        return replace(told, said=said)
    return told
