"""Whether there is a database, as readiness and metrics ask."""

import pytest
from django.db import OperationalError, connection

from tillgate.common import database


class GoneDatabase:
    """A connection that breaks `times` times, or always; then the real one answers."""

    def __init__(self, times: int = 1_000) -> None:
        self.left, self.closed = times, 0

    def cursor(self):
        if not self.left:
            return connection.cursor()
        self.left -= 1
        raise OperationalError("server closed the connection unexpectedly")

    def close(self) -> None:
        self.closed += 1


@pytest.mark.django_db
def test_a_database_that_is_there_is_asked_once(django_assert_num_queries):
    with django_assert_num_queries(1):
        assert database.answers()


def test_one_that_is_not_there_is_asked_twice_and_each_time_anew(monkeypatch):
    gone = GoneDatabase()
    monkeypatch.setattr(database, "connection", gone)

    assert not database.answers()
    assert gone.closed == 2


@pytest.mark.django_db
def test_a_connection_from_before_it_was_started_again_is_no_reason_to_be_called_away(monkeypatch):
    monkeypatch.setattr(database, "connection", GoneDatabase(times=1))

    assert database.answers()
