"""A fake gateway that charges saved methods, and one subscription to be charged."""

from typing import Any

import pytest

from tests.builders import make_subscription
from tests.fakes import Script
from tests.subscriptions.diary import Diary, charging
from tillgate.gateways import registry
from tillgate.merchants.models import Merchant


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """What the gateway answers."""
    script = Script()
    monkeypatch.setitem(registry.GATEWAYS, "paystack", charging(script))
    return script


@pytest.fixture
def diary(merchant: Merchant, script: Script) -> Diary:
    """A monthly subscription whose first cycle was paid today."""
    return Diary(make_subscription(merchant), script)


@pytest.fixture
def monthly(merchant: Merchant, script: Script) -> Any:
    """Make the diary of a subscription with some fields of its own."""

    def make(**fields: Any) -> Diary:
        return Diary(make_subscription(merchant, **fields), script)

    return make
