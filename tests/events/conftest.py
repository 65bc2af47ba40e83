"""Receivers on this machine, and events to send to them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.builders import make_endpoint, make_payment, make_settled
from tests.events.farm import Behaviour, Receiver, running
from tillgate.events.models import Endpoint
from tillgate.merchants.models import Merchant

Farm = Callable[..., tuple[Receiver, Endpoint]]


@pytest.fixture
def farm(merchant: Merchant) -> Iterator[Farm]:
    """Make a receiver that behaves so, and the merchant's endpoint at it."""
    with ExitStack() as stack:

        def make(behaviour: Behaviour | None = None, **fields: Any) -> tuple[Receiver, Endpoint]:
            receiver = stack.enter_context(running(behaviour))
            return receiver, make_endpoint(merchant, **{"url": receiver.url, **fields})

        yield make


@pytest.fixture
def pay(merchant: Merchant) -> Callable[[], str]:
    """Let a payment of the merchant settle; return its id."""
    return lambda: make_settled(make_payment(merchant)).payment.reference


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call may take one second and not fifteen."""
    monkeypatch.setattr("tillgate.events.client.TOTAL_S", 1.0)
    monkeypatch.setattr("tillgate.events.client.BODY_S", 0.3)
