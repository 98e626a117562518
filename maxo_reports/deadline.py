"""A deadline for one whole HTTP exchange, kept by closing its socket.

The time limits of HTTP libraries are for each read: a server that sends a byte a second keeps
them happy for days. Here a timer ends the exchange itself, in whatever phase it is; it knows the
socket because the connections are ours.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection


class Watch:
    """Ends one exchange at its deadline by closing its socket, whatever the server drips."""

    def __init__(self, seconds: float) -> None:
        self.late = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self.end)
        self._timer.daemon = True

    def guard(self, sock: socket.socket | None) -> None:
        """Name the socket to close; at once, if it is late already."""
        with self._lock:
            self._socket = sock
            late = self.late
        if late:
            self._close()

    def start(self) -> None:
        """Let the time run."""
        self._timer.start()

    def stop(self) -> None:
        """End the watch: the exchange is over."""
        self._timer.cancel()

    def end(self) -> None:
        """End the exchange now, from any thread."""
        with self._lock:
            self.late = True
        self._close()

    def _close(self) -> None:
        if self._socket is None:
            return
        try:
            # The plain socket's own method: the TLS one would first take away the reader's state.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            return  # it was closed already, which is all that is wanted


_CURRENT = threading.local()


@contextmanager
def watched(seconds: float) -> Iterator[Watch]:
    """Watch over one exchange on this thread's connection, for so many seconds at most."""
    watch = Watch(seconds)
    _CURRENT.watch = watch
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()
        _CURRENT.watch = None


def _guard(connection: HTTPConnection) -> None:
    watch: Watch | None = getattr(_CURRENT, "watch", None)
    if watch is not None:
        watch.guard(connection.sock)


class _WatchedHTTP(HTTPConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        _guard(self)
        return super().getresponse()


class _WatchedHTTPS(HTTPSConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        _guard(self)
        return super().getresponse()


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class WatchedAdapter(HTTPAdapter):
    """Connections whose socket the current watch knows; retries are ours, not the adapter's."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of our own connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
