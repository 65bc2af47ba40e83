"""Requests made up from the schema itself: none may find a bug, and no answer may differ from the schema."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.client import schema
from tests.builders import make_cycle, make_subscription
from tillgate.payments.models import Payment
from tillgate.wsgi import application

CHECKS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
EXAMPLES = 40

pytestmark = pytest.mark.slow


def _operations() -> dict[str, Any]:
    loaded = schemathesis.openapi.from_dict(schema())
    loaded.app = application
    return {operation.ok().label: operation.ok() for operation in loaded.get_all_operations()}


OPERATIONS = [
    "GET /api/v1/gateways",
    "GET /api/v1/payments",
    "POST /api/v1/payments",
    "GET /api/v1/payments/{reference}",
    "POST /api/v1/payments/{reference}/attempts",
    "POST /api/v1/payments/{reference}/cancel",
    "POST /api/v1/payments/{reference}/resolve",
    "GET /api/v1/payments/{reference}/timeline",
    "GET /api/v1/payments/{reference}/refunds",
    "POST /api/v1/payments/{reference}/refunds",
    "POST /api/v1/payments/{reference}/surplus/{surplus}/refund",
    "POST /api/v1/payments/{reference}/disputes/{dispute}/evidence",
    "GET /api/v1/refunds/{reference}",
    "GET /api/v1/subscriptions",
    "POST /api/v1/subscriptions",
    "GET /api/v1/subscriptions/{reference}",
    "PATCH /api/v1/subscriptions/{reference}",
    "POST /api/v1/subscriptions/{reference}/pause",
    "POST /api/v1/subscriptions/{reference}/resume",
    "POST /api/v1/subscriptions/{reference}/cancel",
    "GET /api/v1/subscriptions/{reference}/preview",
    "GET /api/v1/subscriptions/{reference}/payments",
    "GET /api/v1/subscriptions/{reference}/timeline",
    "GET /api/v1/payment-methods",
    "DELETE /api/v1/payment-methods/{reference}",
]


def test_every_operation_is_tried():
    assert set(_operations()) == set(OPERATIONS)


@pytest.mark.parametrize("label", OPERATIONS)
def test_no_request_finds_a_bug(
    label: str, key: str, payment: Payment, settings_without_gateway: None
) -> None:
    operation = _operations()[label]
    subscription = make_subscription(payment.merchant, cycles=12, cycles_left=11)
    make_cycle(subscription, index=0)
    assert subscription.payment_method
    # One that is there, of each kind.
    there = {
        "subscriptions": subscription.reference,
        "payment-methods": subscription.payment_method.reference,
    }
    reference = there.get(label.split("/")[3], payment.reference)
    modes = st.sampled_from(list(schemathesis.GenerationMode))

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data(), with_key=st.booleans(), real=st.booleans(), mode=modes)
    def run(data: Any, with_key: bool, real: bool, mode: Any) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if real and "reference" in (case.path_parameters or {}):
            case.path_parameters["reference"] = reference
        headers = {"Authorization": f"Bearer {key}"} if with_key else {}
        response = case.call(headers=headers)
        assert response.status_code != 500
        case.validate_response(response, checks=CHECKS)

    run()


@pytest.fixture
def settings_without_gateway(settings: Any) -> Iterator[None]:
    settings.ALLOWED_HOSTS = ["*"]
    settings.PAYSTACK_BASE_URL = "http://127.0.0.1:9"  # Nobody answers here, at once.
    # The end of a request would close the connection that holds the test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
