"""Faults: what the carrier does wrong on request.

The wire faults cut what would have been sent, so an empty CSV file shows none of them, and
``drop-row`` needs a call to drop. All others always bite.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from maxo_reports.sandbox.answers import Answer, RefusedError

_WEB_PAGES = {
    "500": (500, "Internal Server Error"),
    "503": (503, "Service Unavailable"),
    "429": (429, "Too Many Requests"),
    "html": (200, "We will be back soon"),
}
_WIRE_FAULTS = ("reset", "cut", "cut-chunked", "cut-close", "cut-gzip")
_TEXT_FAULTS = ("status0", "cut-json", "wrong-count", "wrong-span", "drop-row")
FAULTS = (*_WEB_PAGES, *_TEXT_FAULTS, *_WIRE_FAULTS, "hang")
"""Every fault that the sandbox knows how to commit."""


def random_faults(
    rate: float,
    seed: int,
    kinds: Sequence[str] = ("500", "503", "429", "reset", "cut", "html", "cut-json"),
) -> Callable[[int], str | None]:
    """Return faults for about ``rate`` (0 to 1) of the requests, the same ones for one seed."""
    if not 0 <= rate <= 1 or not set(kinds) <= set(FAULTS):
        raise ValueError(f"rate is 0 to 1, and kinds are among {', '.join(FAULTS)}")

    def fault(number: int) -> str | None:
        # Drawn from the number alone: requests may come from many threads, in any order.
        draw = Random(f"{seed}:{number}")  # noqa: S311, RUF100
        return kinds[int(draw.random() * len(kinds))] if draw.random() < rate else None

    return fault


def spoilt(answer: Answer, fault: str | None) -> Answer:
    """Commit the faults that replace or cut the answer's text but keep the wire in order."""
    if fault in _WEB_PAGES:
        status, words = _WEB_PAGES[fault]
        page = f"<html><head><title>{words}</title></head><body><h1>{words}</h1></body></html>\n"
        return replace(answer, status=status, body=page.encode(), kind="text/html", count=0)
    if fault == "status0":
        refusal = RefusedError(200, "UNAVAILABLE", "The call history is not available")
        return replace(refusal.answer, question=answer.question)
    if fault == "cut-json":
        return replace(answer, body=answer.body[: len(answer.body) // 2])
    return answer


def framed(
    answer: Answer, fault: str | None, *, may_pack: bool, closes: bool
) -> tuple[dict[str, str], bytes]:
    """Return the headers and the bytes to send, with the wire fault if there is one.

    The break that ends a ``reset`` is left to whoever holds the connection.
    """
    body = answer.body
    packed = fault == "cut-gzip" or (may_pack and len(body) > 1024)
    if packed:
        body = gzip.compress(body, compresslevel=1, mtime=0)
    sent = body[: len(body) // 2] if fault in _WIRE_FAULTS else body
    headers = {"Content-Type": answer.kind}
    if packed:
        headers["Content-Encoding"] = "gzip"
    if fault == "429":
        headers["Retry-After"] = "0"
    if fault == "cut-chunked":
        headers["Transfer-Encoding"] = "chunked"
        sent = b"%X\r\n%b\r\n" % (len(sent), sent)
    elif fault != "cut-close":
        headers["Content-Length"] = str(len(sent if fault == "cut-gzip" else body))
    if closes or fault in {"cut", "cut-chunked", "cut-close"}:
        # http.server heeds this header itself and hangs up after the answer.
        headers["Connection"] = "close"
    return headers, sent
