"""Requests made up from the schema itself: none may find a bug, and no answer may differ from the schema."""

import socket
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.api.client import schema
from tests.builders import (
    access_token,
    make_account,
    make_cycle,
    make_endpoint,
    make_subscription,
    make_user,
)
from tillgate.api.dukka.row_numbers import number_of
from tillgate.api.operations import OPERATIONS
from tillgate.events.services.endpoints import send_test
from tillgate.merchants.models import Merchant
from tillgate.payments.models import Payment
from tillgate.wsgi import application
from tools.fuzz.cast import cast
from tools.fuzz.walk import CHECKS, Walker
from tools.fuzz.world import World, furnish

# All operations share these, so that more of them take no more time.
REQUESTS, STEPS = 600, 600  # Every night `./run fuzz` sends tens of thousands.
EXAMPLES = max(5, REQUESTS // len(OPERATIONS))

pytestmark = pytest.mark.slow


@cache
def _operations() -> dict[str, Any]:
    loaded = schemathesis.openapi.from_dict(schema())
    loaded.app = application
    found = [operation.ok() for operation in loaded.get_all_operations()]
    return {operation.definition.raw["operationId"]: operation for operation in found}


def test_every_operation_is_tried():
    assert set(_operations()) == set(OPERATIONS)


def _one_of_each(payment: Payment) -> dict[str, str]:
    subscription = make_subscription(payment.merchant, cycles=12, cycles_left=11)
    make_cycle(subscription, index=0)
    assert subscription.payment_method
    endpoint = make_endpoint(payment.merchant)
    return {
        "me": subscription.reference,
        "subscriptions": subscription.reference,
        "payment-methods": subscription.payment_method.reference,
        "gateway-accounts": make_account(payment.merchant).reference,
        "webhook-endpoints": endpoint.reference,
        "events": send_test(endpoint.pk).reference,
    }


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_no_request_finds_a_bug(
    name: str, key: str, payment: Payment, settings_without_gateway: None
) -> None:
    operation = _operations()[name]
    there = _one_of_each(payment)
    reference = there.get(operation.path.removeprefix("/api/v1/").split("/")[0], payment.reference)
    modes = st.sampled_from(list(schemathesis.GenerationMode))
    secrets = st.sampled_from([None, key, access_token(make_user("john", email=payment.customer_email))])

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data(), secret=secrets, real=st.booleans(), mode=modes)
    def run(data: Any, secret: str | None, real: bool, mode: Any) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if real and "reference" in (case.path_parameters or {}):
            case.path_parameters["reference"] = reference
        if real and "number" in (case.path_parameters or {}):
            case.path_parameters["number"] = number_of(payment.reference)
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        response = case.call(headers=headers)
        assert response.status_code != 500
        case.validate_response(response, checks=CHECKS)

    run()


def test_s24_a_walk_by_everybody_who_may_call_finds_no_bug(
    merchant: Merchant, sandbox: Any, open_to_all: None
) -> None:
    furnish(merchant, 5)
    world = World(sandbox.url)

    report = Walker(schema(), application, cast(merchant), world, number=7).walk(STEPS)

    world.close()
    assert report.is_clean, str(report)
    assert len(report.answers) == len(OPERATIONS)
    assert {200, 201, 400, 401, 403, 404, 409} <= set(report.statuses)


@pytest.fixture
def open_to_all(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.ALLOWED_HOSTS = ["*"]
    real = socket.getaddrinfo

    def only_addresses(host: Any, *args: Any, **more: Any) -> Any:
        # No name server of the world is asked for what was made up.
        return real(host, *args, **{**more, "flags": socket.AI_NUMERICHOST})

    monkeypatch.setattr(socket, "getaddrinfo", only_addresses)
    # The end of a request would close the connection that holds the test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def settings_without_gateway(settings: Any, open_to_all: None) -> None:
    settings.PAYSTACK_BASE_URL = "http://127.0.0.1:9"  # Nobody answers here, at once.
