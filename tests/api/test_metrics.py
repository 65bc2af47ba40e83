"""Who may read the figures, and that they are figures."""

import pytest
from django.db import OperationalError, connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.builders import make_attempt, make_payment
from tests.common.test_database import GoneDatabase

TOKEN = "a-token-of-more-than-sixteen-characters"
OUTSIDE = "203.0.113.9"


@pytest.fixture
def scrape():
    def ask(**more):
        answer = Client().get("/metrics", **more)
        assert answer.status_code == 200, answer.content
        return list(text_string_to_metric_families(answer.content.decode()))

    return ask


@pytest.fixture
def guarded(settings):
    settings.TILLGATE_METRICS_TOKEN, settings.IS_LOCAL = TOKEN, False


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_with_the_token_they_are_read(guarded, merchant, scrape):
    assert scrape(headers=bearer(TOKEN), REMOTE_ADDR=OUTSIDE)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer(""),
        bearer(TOKEN[:-1]),
        bearer(TOKEN + "x"),
        bearer("tökén"),
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"X-Api-Key": TOKEN},
    ],
    ids=str,
)
@pytest.mark.parametrize("address", ["127.0.0.1", OUTSIDE])
def test_without_it_nobody_reads_them(guarded, merchant, headers, address):
    answer = Client().get("/metrics", headers=headers, REMOTE_ADDR=address)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer["WWW-Authenticate"] == 'Bearer realm="metrics"'
    assert b"tillgate_" not in answer.content


def test_whoever_guesses_is_made_to_wait_and_whoever_knows_is_not(guarded, merchant, stopped, scrape):
    wrong = [
        Client().get("/metrics", headers=bearer("x" * 20), REMOTE_ADDR=OUTSIDE).status_code for _ in range(40)
    ]

    assert (wrong[0], wrong[-1]) == (401, 429)
    assert scrape(headers=bearer(TOKEN), REMOTE_ADDR=OUTSIDE)


def test_in_production_without_a_token_there_is_nothing(settings, merchant):
    settings.IS_LOCAL = False
    answers = [Client().get("/metrics", REMOTE_ADDR=address) for address in ("127.0.0.1", OUTSIDE)]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_locally_whoever_is_at_the_machine_reads_them(merchant, scrape):
    assert scrape(REMOTE_ADDR="127.0.0.1")
    assert Client().get("/metrics", REMOTE_ADDR=OUTSIDE).status_code == 404


def test_a_scraper_asks_by_address_and_inside_the_network_in_the_clear(guarded, merchant, settings, scrape):
    settings.SECURE_SSL_REDIRECT = True

    assert scrape(headers={**bearer(TOKEN), "Host": "10.0.0.5:8000"})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_they_are_only_read(method, merchant):
    assert Client().generic(method, "/metrics").status_code == 405


def values(families, name):
    return {
        tuple(sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
        if sample.name == f"tillgate_{name}"
    }


def test_every_figure_says_what_it_is(merchant, scrape):
    families = scrape()

    assert len(families) > 15
    assert [family.name for family in families if len(family.documentation) < 15] == []
    assert [family.name for family in families if not family.name.startswith("tillgate_")] == []


def test_a_database_that_does_not_answer_is_a_figure(merchant, scrape, monkeypatch):
    Client().get("/nothing")
    monkeypatch.setattr("tillgate.common.database.connection", GoneDatabase())

    families = scrape()

    assert values(families, "database_up") == {(): 0}
    assert values(families, "jobs") == {}
    assert values(families, "http_request_duration_seconds_count")


def test_figures_that_cannot_be_read_are_named_and_the_others_shown(merchant, scrape):
    def broken(execute, sql, *more):
        if "payments_attempt" in sql:
            raise OperationalError("canceling statement due to statement timeout")
        return execute(sql, *more)

    with connection.execute_wrapper(broken):
        families = scrape()

    assert values(families, "metrics_unread") == {("tillgate.payments.metrics.attempts",): 1}
    assert values(families, "payments_created_total") == {(): 0}


def test_what_is_read_is_what_happened(merchant, scrape):
    ApiClient().post(PAYMENTS, MINIMAL)
    make_attempt(make_payment(merchant), status="unknown")

    families = scrape()

    assert values(families, "payments") == {("none", "test", "pending"): 2}
    assert values(families, "attempts_unknown") == {("paystack", "test"): 1}
    assert values(families, "charges_held") == {(): 0}
    counted = values(families, "http_request_duration_seconds_count")
    assert counted["POST", "/api/v1/payments", "2xx"] >= 1
    assert not [labels for labels in counted if "healthz" in labels[1]]


def test_a_scrape_reads_no_more_statements_however_much_there_is(
    merchant, scrape, django_assert_max_num_queries
):
    scrape()
    for _ in range(20):
        make_attempt(make_payment(merchant))

    with django_assert_max_num_queries(45):
        scrape()
