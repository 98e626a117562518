"""The wire: encrypted or not at all, and what each kind of trouble means for the letter."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from postoffices import HANG, SECRET, USER, Fault, PostOffice

from maxo_reports.outbox import Access, Line, NoLine, Server
from maxo_reports.outbox.wire import Fate

ACCESS = Access(USER, SECRET)
LETTER = b"To: a@acme.example\r\nMessage-ID: <1@example.com>\r\n\r\n.\r\n..two\r\n.end\r\n"


def server(office: PostOffice, folder: Path, **other: object) -> Server:
    """Say where an office is, and whom to trust."""
    fields = {
        "host": "localhost",
        "port": office.port,
        "security": "starttls",
        "helo": "example.com",
        "timeout": 5,
        "deadline": 20,
        "authorities": office.authorities(folder),
        **other,
    }
    return Server(**fields)  # type: ignore[arg-type]


@pytest.fixture
def opened() -> Iterator[Callable[..., Line]]:
    """Give what opens lines, and close them all at the end."""
    lines: list[Line] = []

    def line(where: Server, access: Access | None = ACCESS) -> Line:
        lines.append(Line(where, access))
        return lines[-1]

    yield line
    for each in lines:
        each.close()


def handed(line: Line, content: bytes = LETTER) -> Fate:
    """Hand over a letter."""
    return line.deliver(USER, "a@acme.example", content, lambda: None).fate


@pytest.mark.parametrize(
    ("tls", "xoauth2", "login"),
    [
        (False, False, "PLAIN: True"),
        (True, False, "PLAIN: True"),
        (False, True, "XOAUTH2: True"),
        (True, True, "XOAUTH2: True"),
    ],
)
def test_a_letter_arrives_byte_for_byte(
    tmp_path: Path, opened: Callable[..., Line], tls: bool, xoauth2: bool, login: str
) -> None:
    """Over STARTTLS and over TLS, with a password and with a token; lines of dots are safe."""
    with PostOffice(tls=tls, xoauth2=xoauth2).open() as office:
        where = server(office, tmp_path, security="tls" if tls else "starttls")
        line = opened(where, Access(USER, SECRET, is_token=xoauth2))
        assert [handed(line) for _ in range(3)] == [Fate.TAKEN] * 3
        assert [each.content for each in office.saw.taken] == [LETTER] * 3
        assert {tuple(each.recipients) for each in office.saw.taken} == {("a@acme.example",)}
        assert office.saw.logins == [login]  # one connection for all
        line.close()


def test_login_is_used_where_plain_is_not_offered(
    tmp_path: Path, opened: Callable[..., Line]
) -> None:
    """The older way that Exchange knows."""
    with PostOffice(only=("LOGIN",)).open() as office:
        assert handed(opened(server(office, tmp_path))) is Fate.TAKEN
        assert office.saw.logins == ["LOGIN: True"]


@pytest.mark.parametrize(
    ("office", "other", "access", "says"),
    [
        ({"starttls": False}, {}, ACCESS, "does not offer STARTTLS"),
        ({"certified": "mail.evil.example"}, {}, ACCESS, "certificate does not verify"),
        ({}, {"authorities": None}, ACCESS, "certificate does not verify"),
        ({"tls": True}, {"security": "tls", "authorities": None}, ACCESS, "does not verify"),
        ({}, {"security": "tls"}, ACCESS, "no connection"),
        ({}, {}, Access(USER, "wrong"), "refused the login of 'reports@example.com': 535"),
        ({"xoauth2": True}, {}, Access(USER, "old", is_token=True), "refused the login"),
        ({}, {}, Access(USER, SECRET, is_token=True), "does not offer XOAUTH2"),
        ({"login": False, "only": ()}, {}, ACCESS, "does not offer PLAIN or LOGIN"),
    ],
)
def test_what_is_not_safe_is_no_line(
    tmp_path: Path,
    opened: Callable[..., Line],
    office: dict[str, object],
    other: dict[str, object],
    access: Access,
    says: str,
) -> None:
    """Nothing is sent, not even who we are, and trying again would not help."""
    with PostOffice(**office).open() as serving:  # type: ignore[arg-type]
        line = opened(server(serving, tmp_path, **other), access)
        with pytest.raises(NoLine) as why:
            handed(line)
        assert says in str(why.value)
        assert not why.value.passing
        assert access.secret not in str(why.value)
        assert serving.saw.attempts == 0
        assert not serving.saw.taken
        if "login" not in says and "offer" not in says:
            assert not serving.saw.logins


def test_encryption_that_is_put_off_is_waited_for(
    tmp_path: Path, opened: Callable[..., Line]
) -> None:
    """A server may be short of it for a while; nothing goes over readable meanwhile."""
    with PostOffice(refuses_tls=True).open() as office:
        with pytest.raises(NoLine, match="454 TLS not available") as why:
            handed(opened(server(office, tmp_path)))
        assert why.value.passing
        assert not office.saw.logins
        assert office.saw.attempts == 0


def test_nobody_there_may_pass(tmp_path: Path, opened: Callable[..., Line]) -> None:
    """A server that is not up now may be later."""
    with PostOffice().open() as office:
        where = server(office, tmp_path)
    with pytest.raises(NoLine) as why:
        handed(opened(where))
    assert why.value.passing


@pytest.mark.parametrize(
    ("fault", "fate"),
    [
        (Fault("mail"), Fate.NOT_TAKEN),
        (Fault("mail", "450 busy"), Fate.NOT_TAKEN),
        (Fault("mail", "421 closing"), Fate.NOT_TAKEN),
        (Fault("mail", "552 too much"), Fate.REFUSED),
        (Fault("rcpt"), Fate.NOT_TAKEN),
        (Fault("rcpt", "450 greylisted"), Fate.NOT_TAKEN),
        (Fault("rcpt", "550 no such user"), Fate.REFUSED),
        (Fault("data"), Fate.NOT_TAKEN),
        (Fault("data", "451 not now"), Fate.NOT_TAKEN),
        (Fault("data", "554 never"), Fate.REFUSED),
        (Fault("dot"), Fate.UNKNOWN),
        (Fault("dot", "450 not now"), Fate.NOT_TAKEN),
        (Fault("dot", "552 too large"), Fate.REFUSED),
        (Fault("dot", "777 what"), Fate.UNKNOWN),
    ],
)
def test_what_each_fault_means(
    tmp_path: Path, opened: Callable[..., Line], fault: Fault, fate: Fate
) -> None:
    """And the next letter goes over all the same."""
    with PostOffice().open() as office:
        line = opened(server(office, tmp_path))
        office.plan = [None, fault]
        assert handed(line) is Fate.TAKEN
        assert handed(line) is fate
        assert handed(line) is Fate.TAKEN
        line.close()


def test_an_end_in_the_middle_of_a_long_letter_is_not_taken(
    tmp_path: Path, opened: Callable[..., Line]
) -> None:
    """Its last line never went out, so it may be tried again."""
    with PostOffice().open() as office:
        line = opened(server(office, tmp_path))
        office.plan = [Fault("during")]
        told: list[str] = []
        long = LETTER + b"x" * 70 + b"\r\n"
        reply = line.deliver(USER, "a@acme.example", long * 80_000, lambda: told.append("handed"))
        assert reply.fate is Fate.NOT_TAKEN
        assert not told
        assert not office.saw.taken


def test_silence_after_the_last_line_is_unknown(
    tmp_path: Path, opened: Callable[..., Line]
) -> None:
    """The server has it and says nothing: the time limit ends the waiting, not the question."""
    with PostOffice().open() as office:
        line = opened(server(office, tmp_path, timeout=1))
        office.plan = [Fault("dot", HANG)]
        reply = line.deliver(USER, "a@acme.example", LETTER, lambda: None)
        assert reply.fate is Fate.UNKNOWN
        assert reply.said == "no answer within 1 seconds"
        assert len(office.saw.taken) == 1


def test_too_large_is_told_before_it_is_sent(tmp_path: Path, opened: Callable[..., Line]) -> None:
    """A server says how much it takes; more is not begun."""
    with PostOffice(largest=2_000).open() as office:
        line = opened(server(office, tmp_path))
        reply = line.deliver(USER, "a@acme.example", LETTER + b"x" * 3_000, lambda: None)
        assert reply.fate is Fate.REFUSED
        assert "the server takes 2,000 bytes" in reply.said
        assert office.saw.attempts == 0
        assert handed(line) is Fate.TAKEN
        line.close()


def test_what_stops_the_hand_over_leaves_the_letter_untaken(
    tmp_path: Path, opened: Callable[..., Line]
) -> None:
    """Where the ledger cannot be written, the last line does not go out."""
    with PostOffice().open() as office:
        line = opened(server(office, tmp_path))

        def full() -> None:
            raise RuntimeError("no room")

        with pytest.raises(RuntimeError):
            line.deliver(USER, "a@acme.example", LETTER, full)
        assert handed(line) is Fate.TAKEN
        assert len(office.saw.taken) == 1
        line.close()


class Scripted:
    """A server of raw bytes that speaks a script, whatever it is told."""

    def __init__(self, script: Callable[[socket.socket], None]) -> None:
        self.authority = trustme.CA()
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert("localhost").configure_cert(self._context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._script = script
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def authorities(self, folder: Path) -> Path:
        """Write down whom to trust."""
        path = folder / "scripted.pem"
        path.write_bytes(self.authority.cert_pem.bytes())
        return path

    def _serve(self) -> None:
        with self._listener:
            plain, _ = self._listener.accept()
            with plain, self._context.wrap_socket(plain, server_side=True) as peer:
                self._script(peer)

    def end(self) -> None:
        """Wait for its end."""
        self._thread.join()


def test_a_server_that_drips_is_given_up(tmp_path: Path) -> None:
    """A letter a second keeps every single wait happy; the whole has a limit of its own."""
    stop = threading.Event()

    def drip(peer: socket.socket) -> None:
        try:
            while not stop.wait(0.1):
                peer.sendall(b"2")
        except OSError:
            return

    scripted = Scripted(drip)
    where = server(scripted, tmp_path, security="tls", deadline=1)  # type: ignore[arg-type]
    line = Line(where, None)
    with pytest.raises(NoLine, match="it took longer than 1 seconds"):
        line.deliver(USER, "a@acme.example", LETTER, lambda: None)
    stop.set()
    scripted.end()


def test_a_reply_before_its_time_is_not_believed(tmp_path: Path) -> None:
    """What is said before the last line cannot be about the letter: it is not ended then."""
    spoke = threading.Event()
    got: list[bytes] = []

    def early(peer: socket.socket) -> None:
        with peer.makefile("rb") as lines:
            peer.sendall(b"220 hello\r\n")
            for said in (b"250 hello\r\n", b"250 fine\r\n", b"250 fine\r\n", b"354 go on\r\n"):
                lines.readline()
                peer.sendall(said)
            while (line := lines.readline()) != b"LAST\r\n":
                got.append(line)
            peer.sendall(b"250 taken\r\n")
            spoke.set()
            got.extend(lines)

    scripted = Scripted(early)
    where = server(scripted, tmp_path, security="tls")  # type: ignore[arg-type]
    line = Line(where, None)
    smtp = line.open()
    send = smtp.send

    def sending(content: bytes | str) -> None:
        send(content)
        if b"LAST" in (content if isinstance(content, bytes) else b""):
            assert spoke.wait(5)

    smtp.send = sending  # type: ignore[method-assign]
    reply = line.deliver(USER, "a@acme.example", b"x\r\n" * 9 + b"LAST\r\n", lambda: None)
    assert reply.fate is Fate.NOT_TAKEN
    assert "spoke before" in reply.said or "closed" in reply.said
    scripted.end()
    assert b".\r\n" not in got


def test_a_server_that_repeats_the_secret_is_not_quoted(
    tmp_path: Path, opened: Callable[..., Line]
) -> None:
    """Its words are kept without it, and on one line."""
    with PostOffice().open() as office:
        line = opened(server(office, tmp_path))
        office.plan = [Fault("rcpt", f"550 no {SECRET} \x1b[31m")]
        reply = line.deliver(USER, "a@acme.example", LETTER, lambda: None)
        assert SECRET not in reply.said
        assert reply.said.startswith("550 no ***")
        assert "\x1b" not in reply.said
        line.close()
    assert SECRET not in repr(ACCESS)
