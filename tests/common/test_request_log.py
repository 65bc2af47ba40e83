"""One line a request: its route, never its address; and nothing that anybody sent but a harmless id."""

import io
import json
import logging
import re
from types import SimpleNamespace

import pytest
from django.test import Client

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.builders import make_payment, make_subscription
from tillgate.common.logs import logging_config

OURS = {"event", "method", "route", "status", "ms", "request_id", "level", "timestamp"}


@pytest.fixture
def written(monkeypatch, settings):
    """What a process of a production installation writes."""
    settings.TILLGATE_ACCESS_LOG = "on"
    output = io.StringIO()
    monkeypatch.setattr("sys.stderr", output)
    # pytest puts a stderr of its own in place before the test runs.
    monkeypatch.setattr("tillgate.common.web.sys", SimpleNamespace(stderr=output))
    before = logging.getLogger().handlers[:]
    logging_config(local=False)
    yield lambda: [json.loads(line) for line in output.getvalue().splitlines()]
    monkeypatch.undo()
    logging_config(local=True)
    logging.getLogger().handlers[:] = before


def lines(written):
    return [line for line in written() if line["event"] == "request"]


def test_a_request_leaves_one_line(written, merchant):
    answer = ApiClient().post(PAYMENTS, MINIMAL)

    (line,) = lines(written)
    assert set(line) == OURS
    assert (line["method"], line["route"], line["status"]) == ("POST", "/api/v1/payments", 201)
    assert line["request_id"] == answer["X-Request-ID"]
    assert 0 < line["ms"] < 60_000
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])


def test_no_address_and_no_query_is_written(written, merchant):
    payment, subscription = make_payment(merchant), make_subscription(merchant)
    tokens = [payment.reference, payment.checkout_token, subscription.manage_token, "canary"]
    for path in (
        f"{PAYMENTS}/{tokens[0]}?canary=canary",
        f"/pay/{tokens[1]}",
        f"/subscription/{tokens[2]}/stop",
    ):
        Client().get(path)
    Client().get("/canary.php?canary=canary")

    found = written()
    assert [line["route"] for line in found if line["event"] == "request"] == [
        "/api/v1/payments/{reference}",
        "/pay/{token}",
        "/subscription/{token}/stop",
        "none",
    ]
    assert not [token for token in tokens if token in json.dumps(found)]


def test_what_was_refused_before_it_had_a_route_is_written_too(written, merchant):
    ApiClient().post(PAYMENTS, MINIMAL, headers={"Host": "evil.example"})
    Client().get("/static/nothing.css")

    assert [(line["route"], line["status"]) for line in lines(written)] == [
        ("none", 400),
        ("/static/{path}", 404),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_health_check_that_goes_well_is_not_written(written, path):
    Client().get(path)

    assert lines(written) == []


def test_one_that_fails_is(written, monkeypatch):
    monkeypatch.setattr("tillgate.api.health.answers", lambda: 1 / 0)
    Client(raise_request_exception=False).get("/readyz")

    assert [(line["route"], line["status"]) for line in lines(written)] == [("/readyz", 500)]


@pytest.mark.parametrize("given", ["sk_live_canary0123456789", "whsec_canary0123456789"])
def test_a_secret_that_was_sent_as_an_id_is_cut_off(written, merchant, given):
    Client().get("/nothing", headers={"X-Request-ID": given})

    assert "canary" not in json.dumps(lines(written))


def test_a_made_up_method_is_not_written(written, merchant):
    Client().generic("CANARY", PAYMENTS)

    assert [line["method"] for line in lines(written)] == ["other"]


def test_by_its_id_a_request_is_found_in_all_that_was_logged_of_it(written, merchant):
    mine = {"X-Request-ID": "order-4711-again"}
    answer = Client().post("/api/v1/webhooks/paystack", headers=mine)

    assert answer.json()["request_id"] == answer["X-Request-ID"] == mine["X-Request-ID"]
    found = [line["event"] for line in written() if line["request_id"] == mine["X-Request-ID"]]
    assert found == ["event_bad_signature", "request"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("closed file")])
def test_a_log_that_cannot_be_written_withholds_no_answer(written, merchant, monkeypatch, error):
    def full(text):
        raise error

    monkeypatch.setattr("tillgate.common.web.sys", SimpleNamespace(stderr=SimpleNamespace(write=full)))

    assert ApiClient().post(PAYMENTS, MINIMAL).status_code == 201


def test_it_is_off_where_nobody_wants_it(written, settings, merchant):
    settings.TILLGATE_ACCESS_LOG = "off"
    ApiClient().post(PAYMENTS, MINIMAL)

    assert lines(written) == []


def test_it_costs_no_statement(written, merchant, statements):
    ApiClient().post(PAYMENTS, MINIMAL)

    with statements() as told:
        assert ApiClient().post(PAYMENTS, MINIMAL).status_code == 201

    assert len(told) == 1
