"""Whether a process can do its work, as orchestrators ask it."""

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from tests.common.test_database import GoneDatabase
from tillgate.api import health

LATEST = ("payments", "0005_answered")


@pytest.fixture(autouse=True)
def just_started(monkeypatch):
    monkeypatch.setattr(health, "_is_migrated", False)


@pytest.fixture
def behind(db):
    """A database that was not upgraded yet."""
    MigrationRecorder.Migration.objects.filter(app=LATEST[0], name=LATEST[1]).delete()


@pytest.mark.django_db
def test_it_is_ready_when_the_database_answers_and_has_all_tables():
    answer = Client().get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_it_is_not_ready_before_the_tables_are_those_of_this_code(behind):
    answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["migrations"] == "1 of this code are not applied: `./run prepare` applies them"
    assert LATEST[1] not in answer.content.decode()


def test_it_is_ready_as_soon_as_they_are(behind):
    assert Client().get("/readyz").status_code == 503

    MigrationRecorder.Migration.objects.create(app=LATEST[0], name=LATEST[1])

    assert Client().get("/readyz").status_code == 200


@pytest.mark.django_db
def test_once_it_was_ready_it_asks_by_one_statement(django_assert_num_queries):
    Client().get("/readyz")

    with django_assert_num_queries(1):
        assert Client().get("/readyz").status_code == 200


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_told_of_and_asked_again(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("tillgate.common.database.connection", GoneDatabase())
        answer = Client().get("/readyz")

    assert (answer.status_code, answer.json()["database"]) == (503, "does not answer")
    assert Client().get("/readyz").status_code == 200


def test_the_process_lives_without_a_database():
    assert Client().get("/healthz").json() == {"status": "ok"}
