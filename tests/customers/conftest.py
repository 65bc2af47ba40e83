"""A payer, what a gateway tells of a saved card, and a fake Paystack that can be told to forget it."""

from typing import Any

import pytest
from django.db import transaction

from tests.fakes import FakeGateway, Script
from tillgate.customers.models import PaymentMethod
from tillgate.customers.services.methods import Payer, keep_method
from tillgate.gateways import registry
from tillgate.gateways.protocol import SavedMethod
from tillgate.merchants.models import Merchant

TOKEN = "AUTH_72btv547abcdef"


class ForgettingGateway(FakeGateway):
    """A gateway that can be told to forget a saved method, such as Paystack."""

    def forget_saved(self, token: str, customer_email: str) -> None:
        self.script.take("forget_saved", token, customer_email)


def make_payer(merchant: Merchant, **fields: Any) -> Payer:
    defaults = {"merchant": merchant, "mode": "test", "email": "ada@example.com", "name": "Ada Obi"}
    return Payer(**{**defaults, **fields})


def make_saved(**fields: Any) -> SavedMethod:
    """What Paystack tells of a card."""
    defaults = {
        "token": TOKEN,
        "kind": "card",
        "brand": "visa",
        "last4": "4081",
        "expires_month": "2030-12",
        "signature": "SIG_1",
    }
    return SavedMethod(**{**defaults, **fields})


def kept(payer: Payer, gateway: str = "paystack", **fields: Any) -> PaymentMethod:
    """A card that a payment has left, as the payment's success keeps it."""
    with transaction.atomic():
        return keep_method(payer, gateway, make_saved(**fields))


@pytest.fixture
def payer(merchant: Merchant) -> Payer:
    return make_payer(merchant)


@pytest.fixture
def forgetting(monkeypatch: pytest.MonkeyPatch) -> Script:
    """The script of a fake Paystack that forgets what it is told to."""
    script = Script()
    script.says("forget_saved", None)
    fake = type("Forgetting", (ForgettingGateway,), {"script": script})
    monkeypatch.setitem(registry.GATEWAYS, "paystack", fake)
    return script
