"""A real mail server on loopback, encrypted and with logins, that fails where it is told to.

What it took, it counts: a message is taken when its last line has come, whatever the server says
about it afterwards, or fails to say. Its certificates are of an authority made for the test.
"""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import logging
import ssl
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

logging.getLogger("mail.log").setLevel(logging.ERROR)
USER, SECRET = "reports@example.com", "canary-pass/7f+3=Q"
DROP = ""
"""Instead of a reply: the connection ends."""
HANG = "hang"
"""Instead of a reply: nothing, until the server is stopped."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one attempt: at a step, a reply, an end or silence.

    Steps: ``mail``, ``rcpt``, ``data`` (before the content may come), ``during`` (after some of it
    has), ``dot`` (all of it has come).
    """

    at: str
    says: str = DROP


@dataclass
class Taken:
    """One message as it came, and its envelope."""

    sender: str
    recipients: list[str]
    content: bytes

    @property
    def parsed(self) -> EmailMessage:
        """The message, read by the standard library."""
        return email.message_from_bytes(self.content, policy=email.policy.default)  # type: ignore[return-value]


@dataclass
class Ledger:
    """What a server saw."""

    taken: list[Taken] = field(default_factory=list)
    accepted: list[Taken] = field(default_factory=list)
    """Those of ``taken`` that it said yes to."""
    attempts: int = 0
    logins: list[str] = field(default_factory=list)
    plain: list[bytes] = field(default_factory=list)
    """Lines that came before the connection was encrypted."""

    def twice(self) -> list[str]:
        """Name every message that was taken more than once after it could have been."""
        ids = Counter(str(each.parsed["Message-ID"]) for each in self.taken)
        return [name for name, count in ids.items() if count > 1]


async def _ended(serving: asyncio.Server, served: list[_Office]) -> None:
    """Close all, and let what still hangs be cancelled."""
    serving.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for each in served:
        for transport in (each.transport, getattr(each, "_original_transport", None)):
            if transport is not None:
                transport.abort()
    # A socket is closed a turn of the loop after its end, also one that never got to speak.
    watched: Any = asyncio.get_running_loop()
    for _ in range(500):
        if len(watched._selector.get_map()) <= 1:  # what wakes the loop itself
            return
        await asyncio.sleep(0.01)


class _Office(SMTP):
    """aiosmtpd's server, with faults where it reads the content."""

    office: PostOffice

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        fault = self.office.fault_at("data")
        if fault is not None:
            said = await self.office.reply(self, "data", "354 go on")
            await self.push(said)
            return
        if self.office.fault_at("during") is None:
            await super().smtp_DATA(arg)
            return
        await self.push("354 go on")
        await self._reader.readuntil(b"\r\n\r\n")
        self.transport.abort()

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if self.office.refuses_tls:
            await self.push("454 TLS not available")
            return
        await super().smtp_STARTTLS(arg)


class PostOffice:
    """A server; ``plan`` holds what goes wrong with each attempt in turn, None for nothing."""

    def __init__(
        self,
        *,
        tls: bool = False,
        starttls: bool = True,
        login: bool = True,
        largest: int = 33_554_432,
        certified: str = "localhost",
        xoauth2: bool = False,
        only: tuple[str, ...] | None = None,
        refuses_tls: bool = False,
    ) -> None:
        self.saw = Ledger()
        self.plan: list[Fault | None] = []
        self.refused: dict[str, str] = {}
        """Recipient -> the reply that it always gets."""
        self.refuses_tls = refuses_tls
        self.authority = trustme.CA()
        self._fault: Fault | None = None
        self._served: list[_Office] = []
        self._tls, self._starttls, self._login, self._largest = tls, starttls, login, largest
        ways = only if only is not None else ("XOAUTH2",) if xoauth2 else ("PLAIN", "LOGIN")
        self._hidden = [way for way in ("PLAIN", "LOGIN", "XOAUTH2") if way not in ways]
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        names = (certified, "127.0.0.1") if certified == "localhost" else (certified,)
        self.authority.issue_cert(*names).configure_cert(self._context)

    @contextmanager
    def open(self) -> Iterator[PostOffice]:
        """Serve until the end of the body."""
        loop = asyncio.new_event_loop()
        serving = loop.run_until_complete(
            loop.create_server(
                lambda: self._office(loop),
                "127.0.0.1",
                0,
                ssl=self._context if self._tls else None,
            )
        )
        self.port = serving.sockets[0].getsockname()[1]
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(_ended(serving, self._served), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _office(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        is_upgraded = self._starttls and not self._tls
        with warnings.catch_warnings():
            # It takes a connection that is encrypted from its first byte for a readable one.
            warnings.simplefilter("ignore")
            server = self._made(loop, is_upgraded=is_upgraded)
        server.office = self
        self._served.append(server)
        return server

    def _made(self, loop: asyncio.AbstractEventLoop, *, is_upgraded: bool) -> _Office:
        return _Office(
            self,
            require_starttls=is_upgraded,
            tls_context=self._context if is_upgraded else None,
            authenticator=self._authenticate,
            auth_required=self._login,
            auth_exclude_mechanism=self._hidden,
            data_size_limit=self._largest,
            hostname="mail.example.com",
            ident="test",
            loop=loop,
            auth_require_tls=not self._tls,
        )

    def authorities(self, folder: Path) -> Path:
        """Write down whom to trust, for the client."""
        path = folder / "authority.pem"
        path.write_bytes(self.authority.cert_pem.bytes())
        return path

    # ---- what aiosmtpd calls ----------------------------------------------------------------

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        is_right = (given.login, given.password) == (USER.encode(), SECRET.encode())
        self.saw.logins.append(f"{mechanism}: {is_right}")
        return AuthResult(success=is_right, handled=False)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        """Take a token as Google and Microsoft do: an error is a challenge to be answered."""
        given = args[1] if len(args) > 1 else ""
        said = base64.b64decode(given).decode()
        is_right = said == f"user={USER}\x01auth=Bearer {SECRET}\x01\x01"
        self.saw.logins.append(f"XOAUTH2: {is_right}")
        if not is_right:
            await server.challenge_auth('{"status":"401"}')
        return AuthResult(success=is_right, handled=False)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Begin an attempt."""
        self.saw.attempts += 1
        self._fault = self.plan.pop(0) if self.plan else None
        envelope.mail_from = address
        return await self.reply(server, "mail", "250 fine")

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or not."""
        if address in self.refused:
            return self.refused[address]
        said = await self.reply(server, "rcpt", "250 fine")
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """All has come."""
        fault = self.fault_at("dot")
        content = envelope.original_content
        assert content is not None
        taken = Taken(str(envelope.mail_from), list(envelope.rcpt_tos), content)
        if fault is None or fault.says[:1] not in {"4", "5"}:
            # A server that says 4xx or 5xx here has not taken it.
            self.saw.taken.append(taken)
        said = await self.reply(server, "dot", f"250 queued as {len(self.saw.taken)}")
        if said.startswith("2"):
            self.saw.accepted.append(taken)
        return said

    def fault_at(self, step: str) -> Fault | None:
        """Return what goes wrong at a step of this attempt."""
        return self._fault if self._fault is not None and self._fault.at == step else None

    async def reply(self, server: SMTP, step: str, otherwise: str) -> str:
        """Return what is said at a step, or end, or say nothing."""
        fault = self.fault_at(step)
        if fault is None:
            return otherwise
        if fault.says == HANG:
            await asyncio.sleep(3600)
        if fault.says == DROP:
            assert server.transport is not None
            server.transport.abort()
        return fault.says or otherwise
