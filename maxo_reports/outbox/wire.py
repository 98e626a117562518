"""One connection to a mail server: encrypted or not at all, one letter for one recipient.

What matters is when a server can have taken a letter. Before the line with the single dot that
ends it, it cannot (RFC 5321, 4.1.1.4): whatever goes wrong until then, the letter may be tried
again. From that line on only its reply tells, and without a reply nobody knows (RFC 1047).
"""

from __future__ import annotations

import base64
import select
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal

from maxo_reports.core.text import visible
from maxo_reports.deadline import Watch

Security = Literal["starttls", "tls"]
_LONGEST_SAID = 300
_TROUBLE = (OSError, smtplib.SMTPException, ValueError)
"""What smtplib raises; ValueError where an answer is no reply at all."""


class NoLine(Exception):
    """No connection that a letter could be sent over. ``passing`` tells whether to try again."""

    def __init__(self, said: str, *, passing: bool) -> None:
        super().__init__(said)
        self.passing = passing


class Fate(Enum):
    """What has become of a letter that was tried."""

    TAKEN = "taken"
    NOT_TAKEN = "not taken"
    """Surely not: it may be tried again."""
    REFUSED = "refused"
    """The server will not take it, now or later."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a letter, in the server's words or ours."""

    fate: Fate
    said: str


@dataclass(frozen=True, slots=True)
class Server:
    """Where letters are handed over, and how long to wait: for an answer, for one whole letter."""

    host: str
    port: int
    security: Security
    helo: str
    timeout: int
    deadline: int
    authorities: Path | None = None
    """A file with the only certificate authorities to trust, instead of the system's."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who we are to the server: a password, or a token for OAuth. Never shown."""

    user: str
    secret: str
    is_token: bool = False

    def __repr__(self) -> str:
        """Keep the secret out of every traceback."""
        return f"Access({self.user!r}, ...)"


class Line:
    """A connection that is opened at the first letter and taken up again after trouble."""

    def __init__(self, server: Server, access: Access | None) -> None:
        self._server, self._access = server, access
        self._smtp: smtplib.SMTP | None = None

    def open(self) -> smtplib.SMTP:
        """Connect, encrypt, log in; raises NoLine, and then nothing was sent to anybody."""
        if self._smtp is None:
            watch = Watch(self._server.deadline)
            watch.start()
            try:
                self._smtp = self._connected(watch)
            finally:
                watch.stop()
        return self._smtp

    def close(self) -> None:
        """Say goodbye, if anybody still listens."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with suppress(*_TROUBLE):
                smtp.quit()
            smtp.close()

    def deliver(
        self, sender: str, recipient: str, content: bytes, handing: Callable[[], None]
    ) -> Reply:
        """Hand over one letter; ``handing`` is called just before its last line goes out.

        Raises NoLine where there is no connection. What ``handing`` raises ends it, untaken.
        """
        smtp = self.open()
        is_handed = False

        def hand() -> None:
            nonlocal is_handed
            handing()
            is_handed = True

        watch = Watch(self._server.deadline)
        watch.guard(smtp.sock)
        watch.start()
        try:
            reply = _deliver(smtp, sender, recipient, content, hand)
        except _TROUBLE as problem:
            self._drop()
            fate = Fate.UNKNOWN if is_handed else Fate.NOT_TAKEN
            return Reply(fate, self._trouble(problem, watch))
        except BaseException:
            self._drop()
            raise
        finally:
            watch.stop()
        if reply.fate is not Fate.TAKEN and not self._is_ready():
            self._drop()
        return Reply(reply.fate, self._shown(reply.said))

    def _is_ready(self) -> bool:
        """Begin anew after a refusal; a server that has closed or will not is left."""
        try:
            return self._smtp is not None and self._smtp.rset()[0] == 250
        except _TROUBLE:
            return False

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

    def _connected(self, watch: Watch) -> smtplib.SMTP:
        smtp: smtplib.SMTP | None = None
        try:
            smtp = self._encrypted(watch)
            self._log_in(smtp)
        except NoLine:
            _close(smtp)
            raise
        except (*_TROUBLE, UnicodeError) as problem:
            _close(smtp)
            said = f"no connection to {self._server.host}, port {self._server.port}"
            why = f"{said}: {self._trouble(problem, watch)}"
            raise NoLine(why, passing=_is_passing(problem)) from None
        return smtp

    def _encrypted(self, watch: Watch) -> smtplib.SMTP:
        """Return a connection that nobody can listen to, or none."""
        server = self._server
        context = ssl.create_default_context(cafile=server.authorities)
        where = (server.host, server.port, server.helo, server.timeout)
        smtp: smtplib.SMTP
        if server.security == "tls":
            smtp = _WatchedTLS(watch, *where, context)
            smtp.ehlo_or_helo_if_needed()
            return smtp
        smtp = _Watched(watch, *where)
        try:
            smtp.ehlo_or_helo_if_needed()
            if not smtp.has_extn("starttls"):
                raise NoLine(
                    f"{server.host} does not offer STARTTLS: nothing is sent readable over the "
                    'network; is it security = "tls", port 465?',
                    passing=False,
                )
            smtp.starttls(context=context)
            smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        access = self._access
        if access is None:
            return
        offered = smtp.esmtp_features.get("auth", "").upper().split()
        ways = ("XOAUTH2",) if access.is_token else ("PLAIN", "LOGIN")
        way = next((each for each in ways if each in offered), None)
        if way is None:
            raise NoLine(
                f"{self._server.host} does not offer {' or '.join(ways)} to log in with "
                f"(it offers: {', '.join(offered) or 'nothing'})",
                passing=False,
            )
        smtp.user, smtp.password = access.user, access.secret
        answers: dict[str, Callable[..., str]] = {
            "PLAIN": smtp.auth_plain,
            "LOGIN": smtp.auth_login,
            "XOAUTH2": lambda challenge=None: _token(access) if challenge is None else "",
        }
        try:
            smtp.auth(way, answers[way])
        except smtplib.SMTPAuthenticationError as problem:
            said = self._shown(_words(problem.smtp_code, problem.smtp_error))
            raise NoLine(
                f"{self._server.host} refused the login of {access.user!r}: {said}",
                passing=400 <= problem.smtp_code < 500,
            ) from None

    def _trouble(self, problem: Exception, watch: Watch) -> str:
        """Say what went wrong on the line, in a few words."""
        if watch.late:
            return f"it took longer than {self._server.deadline} seconds"
        if isinstance(problem, ssl.SSLCertVerificationError):
            return f"its certificate does not verify ({problem.verify_message})"
        # smtplib hides what ended a reply behind an error of its own.
        if isinstance(problem, TimeoutError) or isinstance(problem.__context__, TimeoutError):
            return f"no answer within {self._server.timeout} seconds"
        if isinstance(problem, smtplib.SMTPResponseException):
            return self._shown(_words(problem.smtp_code, problem.smtp_error))
        if isinstance(problem, smtplib.SMTPServerDisconnected):
            return "the server closed the connection"
        why = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
        return self._shown(str(why))

    def _shown(self, said: str) -> str:
        """Return the server's words on one line, without our secret, should it repeat it."""
        line = " ".join(said.split())
        access = self._access
        if access is not None:
            both = f"\0{access.user}\0{access.secret}"
            for text in (access.secret, _coded(access.secret), _coded(both)):
                line = line.replace(text, "***") if text else line
        return visible(line, _LONGEST_SAID)


def _deliver(
    smtp: smtplib.SMTP, sender: str, recipient: str, content: bytes, handing: Callable[[], None]
) -> Reply:
    """Speak one letter's part of the protocol, step by step."""
    most = smtp.esmtp_features.get("size", "")
    options = [f"size={len(content)}"] if smtp.has_extn("size") else []
    if most.isdigit() and 0 < int(most) < len(content):
        return Reply(
            Fate.REFUSED,
            f"too large: the server takes {int(most):,} bytes, the letter has {len(content):,}; "
            "attach less",
        )
    code, said = smtp.mail(sender, options)
    if code == 250:
        code, said = smtp.rcpt(recipient)
        if code in {250, 251}:
            code, said = smtp.docmd("DATA")
            if code == 354:
                return _content(smtp, content, handing)
    return _judged(code, said)


def _content(smtp: smtplib.SMTP, content: bytes, handing: Callable[[], None]) -> Reply:
    """Send a letter's lines, then the one that ends them; a line's own first dot is doubled."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    smtp.send(b"." + stuffed if stuffed.startswith(b".") else stuffed)
    if smtp.sock is not None and select.select([smtp.sock], [], [], 0)[0]:
        # Words before their time are about what is not complete: it must not become so.
        raise smtplib.SMTPServerDisconnected("the server spoke before the letter had ended")
    handing()
    smtp.send(b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")
    code, said = smtp.getreply()
    return _judged(code, said)


def _judged(code: int, said: bytes) -> Reply:
    """Read a reply as RFC 5321, 4.2.1 has it: 2 done, 4 not now, 5 never; else nobody knows."""
    fates = {2: Fate.TAKEN, 4: Fate.NOT_TAKEN, 5: Fate.REFUSED}
    return Reply(fates.get(code // 100, Fate.UNKNOWN), _words(code, said))


def _words(code: int, said: object) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return f"{code} {text}"


def _token(access: Access) -> str:
    """Return what XOAUTH2 sends, as Google and Microsoft document it."""
    return f"user={access.user}\1auth=Bearer {access.secret}\1\1"


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _is_passing(problem: Exception) -> bool:
    """Tell whether trouble of connecting may pass by itself."""
    if isinstance(problem, smtplib.SMTPResponseException):
        return not 500 <= problem.smtp_code < 600
    return not isinstance(problem, (ssl.SSLError, UnicodeError))


def _close(smtp: smtplib.SMTP | None) -> None:
    if smtp is not None:
        smtp.close()


class _Watched(smtplib.SMTP):
    """A connection whose socket a watch can close while it still waits for the greeting."""

    def __init__(self, watch: Watch, host: str, port: int, helo: str, timeout: int) -> None:
        self._watch = watch
        super().__init__(host, port, helo, timeout)

    def _get_socket(self, *where: Any) -> socket.socket:
        sock: socket.socket = super()._get_socket(*where)  # type: ignore[misc]
        self._watch.guard(sock)
        return sock


class _WatchedTLS(smtplib.SMTP_SSL):
    """The same, encrypted from its first byte."""

    def __init__(
        self,
        watch: Watch,
        host: str,
        port: int,
        helo: str,
        timeout: int,
        context: ssl.SSLContext,
    ) -> None:
        self._watch = watch
        super().__init__(host, port, helo, timeout=timeout, context=context)

    def _get_socket(self, *where: Any) -> socket.socket:
        sock: socket.socket = super()._get_socket(*where)  # type: ignore[misc]
        self._watch.guard(sock)
        return sock
