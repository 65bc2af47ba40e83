"""The worker dies in the middle of its work, at a step that the test names, and another one starts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from django.db import connection
from structlog.contextvars import get_contextvars

from tests.reliability.world import World
from tillgate.common.jobs.models import Job
from tillgate.common.jobs.times import real_now

WRITES = ("INSERT", "UPDATE", "DELETE")
RENEWING = ("open_cycles", "charge_cycle", "follow_payment", "ask_gateway", "send_lost_charge_again")
ENDS_A_JOB = 'DELETE FROM "common_job" WHERE ("common_job"."id"'


class Killed(BaseException):
    """Nothing in the product stops it, and what is open is rolled back: as SIGKILL does."""


class Killer:
    """Counts the steps of a renewal, before they happen: each write, request and answer, each end of a job.

    That a job is queued or claimed is no step: it shares its transaction with one, or nothing has happened.
    What other jobs do meanwhile, such as looking back at older payments, is not counted either.
    """

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self._world = world
        world.at_once = 1  # So that the end of each job is a step of its own.
        self._left: int | None = None
        self._task = ""
        send = httpx2.HTTPTransport.handle_request

        def stepping(transport: httpx2.HTTPTransport, request: httpx2.Request) -> httpx2.Response:
            self._step()
            answer = send(transport, request)
            self._step()
            return answer

        monkeypatch.setattr(httpx2.HTTPTransport, "handle_request", stepping)

    def kills(self, step: int) -> bool:
        """Let a worker work until it is killed before that step; False when it was done by then."""
        try:
            with self._armed(step):
                self._world.work()
        except Killed:
            self._restart()
            return True
        return False

    @contextmanager
    def _armed(self, step: int) -> Iterator[None]:
        self._left = step
        try:
            with connection.execute_wrapper(self._statement):
                yield
        finally:
            self._left = None

    def _statement(self, execute: Any, sql: str, *rest: Any) -> Any:
        self._task = get_contextvars().get("task", self._task)  # A job's end is written behind it.
        if sql.startswith(ENDS_A_JOB) or (sql.startswith(WRITES) and '"common_job"' not in sql):
            self._step()
        return execute(sql, *rest)

    def _step(self) -> None:
        if self._left is None or not self._task.endswith(RENEWING):
            return
        self._left -= 1
        if self._left == 0:
            raise Killed

    def _restart(self) -> None:
        """A minute later: what the dead worker held is free, and the new one remembers nothing."""
        Job.objects.filter(lease_until__isnull=False).update(lease_until=real_now())
        self._world.forget()
