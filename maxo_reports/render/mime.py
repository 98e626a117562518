"""A message's bytes, written part by part: the same letter is the same bytes on every machine.

The standard library folds and encodes headers differently from one release to the next, and a
letter is recognised by its hash. So the few forms that are needed are written here: encoded words
(RFC 2047), quoted-printable text and base64 files (RFC 2045), file names in any script (RFC 2231).
Every line ends in CRLF, is plain ASCII, and is no longer than 78 letters unless an address is.
"""

from __future__ import annotations

import base64
import hashlib
import quopri
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from pathlib import PurePath
from urllib.parse import quote

from maxo_reports.addresses import Address

MEDIA_TYPES: Mapping[str, str] = {
    ".pdf": "application/pdf",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".zip": "application/zip",
    ".png": "image/png",
    ".jpg": "image/jpeg",
}
_ANY_TYPE = "application/octet-stream"
_EOL = "\r\n"
_LINE = 76
_WORD_BYTES = 39
"""What an encoded word holds at most: it is then 64 letters long and fits behind any header."""
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+", re.ASCII)
_PLAIN = re.compile(r"[ -~]*", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9._+-](?:[A-Za-z0-9._ +-]{0,50}[A-Za-z0-9._+-])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file that goes with a letter; ``content_id`` where the HTML shows it in its place."""

    name: str
    content: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A letter in words: the plain text and the HTML say the same."""

    sender: Address | None
    recipient: Address
    subject: str
    text: str
    markup: str
    reply_to: Address | None = None
    marks: tuple[tuple[str, str], ...] = ()
    """Further headers, in plain letters: ``X-...``."""


def body(letter: Written, files: Sequence[Enclosed]) -> bytes:
    """Return everything of a message but what depends on whether it is drafted or sent."""
    shown = [file for file in files if file.content_id]
    attached = [file for file in files if not file.content_id]
    mark = _mark(letter, files)
    markup = _text_part("text/html", letter.markup)
    if shown:
        markup = _multipart("related", mark, [markup, *map(_file_part, shown)])
    both = _multipart("alternative", mark, [_text_part("text/plain", letter.text), markup])
    whole = _multipart("mixed", mark, [both, *map(_file_part, attached)]) if attached else both
    lines = [
        *([_mailbox("From", letter.sender)] if letter.sender else []),
        *([_mailbox("Reply-To", letter.reply_to)] if letter.reply_to else []),
        _mailbox("To", letter.recipient),
        _header("Subject", letter.subject),
        *(f"{name}: {value}" for name, value in letter.marks),
        "MIME-Version: 1.0",
        whole,
    ]
    return _EOL.join(lines).encode("ascii")


def fingerprint(content: bytes) -> str:
    """Return what a letter is recognised by: two that differ in any byte differ here."""
    return hashlib.sha256(content).hexdigest()


def draft(content: bytes) -> bytes:
    """Return an ``.eml`` that Outlook and Thunderbird open ready to send."""
    return b"X-Unsent: 1\r\n" + content


def dated(content: bytes, message_id: str, at: datetime) -> bytes:
    """Return what is handed to a mail server. No answering machine is to answer it."""
    head = (
        f"Date: {format_datetime(at)}",
        f"Message-ID: {message_id}",
        "Auto-Submitted: auto-generated",
    )
    return (_EOL.join(head) + _EOL).encode("ascii") + content


# ---- headers --------------------------------------------------------------------------------


def _header(name: str, text: str) -> str:
    """Write a line of free text, as it is where it is plain and short, else in encoded words."""
    # Whatever a line holds, it stays one line: nothing in it can begin another header.
    text = " ".join(text.split())
    if _is_plain(text) and len(name) + 2 + len(text) <= _LINE:
        return f"{name}: {text}"
    return f"{name}: {_encoded(text)}"


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and "=?" not in text


def _mailbox(name: str, of: Address) -> str:
    shown = " ".join(of.name.split())
    if not shown:
        return f"{name}: {of.spec}"
    if not _is_plain(shown) or len(shown) > _LINE - len(name) - 4:
        phrase = _encoded(shown)
    elif _ATOMS.fullmatch(shown):
        phrase = shown
    else:
        escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
        phrase = f'"{escaped}"'
    line = f"{name}: {phrase} <{of.spec}>"
    fits = len(line.rsplit(_EOL, 1)[-1]) <= _LINE
    return line if fits else f"{name}: {phrase}{_EOL} <{of.spec}>"


def _encoded(text: str) -> str:
    """Write encoded words, one a line; no letter of any script is cut in two."""
    words, taken = [], b""
    for letter in text:
        more = letter.encode("utf-8", "replace")
        if len(taken) + len(more) > _WORD_BYTES:
            words.append(taken)
            taken = b""
        taken += more
    words.append(taken)
    return f"{_EOL} ".join(f"=?utf-8?b?{base64.b64encode(w).decode()}?=" for w in words)


# ---- parts ----------------------------------------------------------------------------------


def _text_part(media_type: str, text: str) -> str:
    """Write a text in quoted-printable, whose lines are short whatever the text's are."""
    lines = "\n".join(text.splitlines()) + "\n"
    encoded = quopri.encodestring(lines.encode("utf-8", "replace")).decode("ascii")
    head = (
        f"Content-Type: {media_type}; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
    )
    return _EOL.join((*head, "", encoded.replace("\n", _EOL)))


def _file_part(file: Enclosed) -> str:
    kind = MEDIA_TYPES.get(PurePath(file.name).suffix.lower(), _ANY_TYPE)
    how = "inline" if file.content_id else "attachment"
    head = [
        f"Content-Type: {kind}",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: {how};{_EOL} {_filename(file.name)}",
    ]
    if file.content_id:
        head.append(f"Content-ID: <{file.content_id}>")
    encoded = base64.encodebytes(file.content).decode("ascii")
    return _EOL.join((*head, "", encoded.replace("\n", _EOL)))


def _filename(name: str) -> str:
    if _TOKEN.fullmatch(name):
        return f'filename="{name}"'
    # RFC 2231: cut into numbered pieces, so that no line grows with the name.
    coded = quote(name, safe="", errors="replace")
    pieces = re.findall(r"(?:%..|.){1,15}", coded)
    pieces[0] = f"utf-8''{pieces[0]}"
    return f";{_EOL} ".join(f"filename*{n}*={piece}" for n, piece in enumerate(pieces))


def _multipart(kind: str, mark: str, parts: Sequence[str]) -> str:
    # Such a boundary cannot stand in an encoded part: there "=" is followed by two hex digits.
    boundary = f"=_{kind}_{mark}"
    head = f'Content-Type: multipart/{kind};{_EOL} boundary="{boundary}"'
    inner = "".join(f"--{boundary}{_EOL}{part}{_EOL}" for part in parts)
    return f"{head}{_EOL}{_EOL}{inner}--{boundary}--{_EOL}"


def _mark(letter: Written, files: Sequence[Enclosed]) -> str:
    """Return a mark of a letter's own, which does not change from one writing to the next."""
    digest = hashlib.sha256(repr(letter).encode("utf-8", "backslashreplace"))
    for file in files:
        digest.update(f"{file.name}\0{len(file.content)}\0".encode("utf-8", "backslashreplace"))
        digest.update(file.content)
    return digest.hexdigest()[:24]
