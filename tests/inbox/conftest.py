"""A gateway that rings at the door, with a real signature or with what a forger would send."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.environment import PAYSTACK_TEST_KEY

SIGNATURE = "X-Paystack-Signature"
Ring = Callable[..., Any]


def sign(body: bytes, key: str = PAYSTACK_TEST_KEY) -> str:
    return hmac.new(key.encode(), body, hashlib.sha512).hexdigest()


def charge(reference: str, id: int = 5_000_000_001) -> bytes:
    """Paystack's `charge.success`."""
    data = {"id": id, "reference": reference, "status": "success", "amount": 5_000, "currency": "NGN"}
    return json.dumps({"event": "charge.success", "data": data}).encode()


@pytest.fixture
def ring(merchant: Any) -> Ring:
    """POST a body as Paystack does, signed unless told otherwise."""

    def post(body: bytes, headers: dict[str, str] | None = None) -> Any:
        headers = headers or {SIGNATURE: sign(body)}
        return Client().post(
            "/api/v1/webhooks/paystack", body, content_type="application/json", headers=headers
        )

    return post
