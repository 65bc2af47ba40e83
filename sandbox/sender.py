"""The threads that send webhooks, one after the other, and carry out what has become due."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from sandbox.errors import Hangup, Refused
from sandbox.events import Event, event_row
from sandbox.web import Json
from sandbox.world import World

ANSWER_TIMEOUT_S = 30
LONGEST_NAP_S = 60
EARLY_WAIT_S = 30


class Sender:
    def __init__(self, world: World) -> None:
        self._world = world
        self._connection: http.client.HTTPConnection | None = None
        self._threads = [
            threading.Thread(target=self._repeat, args=(self._send_next,), name="webhooks", daemon=True),
            threading.Thread(target=self._repeat, args=(self._run_due,), name="due", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop soon; a webhook on its way is cut off and counts as not tried."""
        with self._world.lock:
            self._world.stopping.set()
            self._world.news.notify_all()
        if self._connection and self._connection.sock:
            with contextlib.suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=0.5)

    def deliver(self, event_id: int) -> Json:
        """Send an event now, whatever its state, and tell how it went. Raises NotThere and Refused."""
        with self._world.lock:
            event = self._world.events.get(event_id)
        if not event.url:
            raise Refused(
                f"{event.gateway} has no webhook address; set it in the environment and start again"
            )
        self._attempt(event, http_connection(event.url))
        return event_row(event)

    def wait_until_tried(self, event_ids: list[int]) -> None:
        """Return when each event has been offered to its receiver once."""
        until = time.monotonic() + EARLY_WAIT_S
        with self._world.lock:
            while not all(self._world.events.tried(event_id) for event_id in event_ids):
                left = until - time.monotonic()
                if left <= 0 or self._world.stopping.is_set():
                    return
                self._world.news.wait(min(left, 1))

    def _repeat(self, step: Callable[[], None]) -> None:
        while not self._world.stopping.is_set():
            with contextlib.suppress(Hangup):
                step()

    def _send_next(self) -> None:
        if event := self._wait_for_event():
            self._connection = http_connection(event.url)
            self._attempt(event, self._connection)

    def _wait_for_event(self) -> Event | None:
        with self._world.change():
            if event := self._world.events.take_due():
                return event
        with self._world.lock:
            if not self._world.stopping.is_set() and not self._world.events.has_due():
                self._world.news.wait(self._nap_s(self._world.events.next_due_at()))
        return None

    def _attempt(self, event: Event, connection: http.client.HTTPConnection) -> None:
        status, answer = _post(event, connection)
        with self._world.change():
            self._world.events.note_answer(event.id, status=status, answer=answer)
            self._world.news.notify_all()

    def _run_due(self) -> None:
        with self._world.change():
            pass  # Entering a change carries out what is due.
        with self._world.lock:
            if not self._world.stopping.is_set():
                self._world.news.wait(self._nap_s(self._world.next_task_at()))

    def _nap_s(self, due_at: float | None) -> float:
        if due_at is None:
            return LONGEST_NAP_S
        return min(max(due_at - self._world.clock.now(), 0), LONGEST_NAP_S)


def http_connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=ANSWER_TIMEOUT_S)


def _post(event: Event, connection: http.client.HTTPConnection) -> tuple[int | None, str]:
    parts = urlsplit(event.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(
            "POST", target, event.body.encode(), {"Content-Type": "application/json", **event.headers}
        )
        status = connection.getresponse().status
    except (
        OSError,
        http.client.HTTPException,
        AttributeError,
    ) as error:  # AttributeError: closed while in use.
        return None, f"no answer: {type(error).__name__}"
    finally:
        connection.close()
    return status, f"HTTP {status}"
