"""What it means that the program cannot go on, and the exit code of each kind.

Trouble *in the calls* is a finding (``core.checks.Finding``) and never an exception. These
are for the moments at which going on would make a wrong or half-made file::

    MaxoReportsError
      UsageError        2  what was asked for makes no sense
      ConfigError       2  maxo.toml, a report definition or a secret is missing or wrong
      CarrierError      3  the carrier's replies cannot be had, or cannot be trusted
        Unreachable        no whole answer came (connection, timeout, busy server)
        Garbled            an answer came that does not keep the carrier's own rules
        Refused            the carrier said no: asking again would not help
        TooDense           one second holds more calls than one reply can carry
      ArchiveError      4  the archive, the disk or a folder fails us
      TieOutError       5  two files, or a file and the ledger, disagree
      MailError         6  a message cannot be made, or was not surely sent

Every message is one line: what, where, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

DONE = 0
FINDINGS = 1


class MaxoReportsError(Exception):
    """Base of all: something that ends the run, said in one line."""

    exit_code = 2

    def __str__(self) -> str:
        """Return the message on a single line, whatever was put into it."""
        return " ".join(super().__str__().split())


class UsageError(MaxoReportsError):
    """The command line asks for something that cannot be."""


class ConfigError(MaxoReportsError):
    """A file that the user writes is wrong; all its mistakes are told at once.

    ``problems`` holds one line each; the message joins them.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (
            (problems,) if isinstance(problems, str) else tuple(problems)
        )
        super().__init__("; ".join(self.problems))


class CarrierError(MaxoReportsError):
    """The carrier's answer cannot be had or cannot be trusted, so there is no report."""

    exit_code = 3


class Unreachable(CarrierError):
    """No whole answer came; asking again may help.

    ``retry_after`` is the wait in seconds that the server itself asked for, if it did.
    """

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Garbled(CarrierError):
    """A whole answer came, but it breaks the rules of ``calls/list``; it is not used."""


class Refused(CarrierError):
    """The carrier refused the request for a reason that a second try cannot mend.

    ``status`` is the HTTP status of its answer, None where the refusal is our own.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class TooDense(CarrierError):
    """One second holds as many calls as one reply can: it cannot be proved complete."""


class ArchiveError(MaxoReportsError):
    """A kept reply is damaged or missing, or a folder cannot be read or written."""

    exit_code = 4


class TieOutError(MaxoReportsError):
    """A written file does not say what the ledger says; nothing was issued."""

    exit_code = 5


class MailError(MaxoReportsError):
    """A message cannot be made or sent, or it is not known whether it was."""

    exit_code = 6


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the nearest known name, or nothing if none is."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""
