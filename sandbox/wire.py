"""One client's connection, seen from the faults that mistreat it."""

from __future__ import annotations

import select
import socket
import threading
import time

from sandbox.errors import Hangup

POLL_S = 0.1


class Wire:
    def __init__(self, connection: socket.socket, stopping: threading.Event) -> None:
        self._connection, self._stopping = connection, stopping

    def hold(self, seconds: float) -> None:
        """Keep the client waiting; raises Hangup once it has gone or the sandbox stops."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._stopping.is_set() or self._client_left(min(left, POLL_S)):
                raise Hangup(reset=False)

    def _client_left(self, seconds: float) -> bool:
        readable, _, _ = select.select([self._connection], [], [], seconds)
        if not readable:
            return False
        try:
            if not self._connection.recv(1, socket.MSG_PEEK):
                return True
        except OSError:
            return True
        # A pipelined request stays readable; without this pause the loop would spin.
        return self._stopping.wait(seconds)
