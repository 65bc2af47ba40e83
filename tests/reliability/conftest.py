"""The world of one gateway: a merchant with an account at each, and the customer of the one that is named."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.paypal import authority
from tests import environment

pytest.register_assert_rewrite(
    "tests.reliability.truth", "tests.reliability.world", "tests.reliability.subscriber"
)

from tests.reliability.killer import Killer  # noqa: E402
from tests.reliability.subscriber import Subscriber  # noqa: E402
from tests.reliability.world import World  # noqa: E402
from tillgate.gateways import oauth, registry  # noqa: E402
from tillgate.gateways.http import Patience  # noqa: E402
from tillgate.gateways.protocol import Gateway, GatewayAccount  # noqa: E402


@pytest.fixture
def accounts(sandbox: Any, settings: Any, tmp_path: Path) -> None:
    """Give the merchant an account at each emulator."""
    settings.FLUTTERWAVE_SECRET_KEY = environment.FLUTTERWAVE_TEST_KEY
    settings.FLUTTERWAVE_WEBHOOK_HASH = environment.FLUTTERWAVE_TEST_HASH
    settings.PAYPAL_CLIENT_ID = environment.PAYPAL_TEST_ID
    settings.PAYPAL_CLIENT_SECRET = environment.PAYPAL_TEST_SECRET
    settings.PAYPAL_WEBHOOK_ID = environment.PAYPAL_TEST_WEBHOOK
    settings.PAYPAL_CERTIFICATE_TRUST = f"{sandbox.url} {tmp_path / 'sandbox' / authority.CA_FILE}"


@pytest.fixture
def world(
    request: Any, accounts: None, sandbox: Any, key: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """The world of the gateway that the test names; our patience is short while its answers are slow, and
    access tokens age with it."""
    the_world = World(request.param, sandbox.url, key)
    connect = registry.connect

    def with_its_patience(account: GatewayAccount, patience: Patience) -> Gateway:
        return connect(account, replace(patience, total_s=min(patience.total_s, the_world.patience_s)))

    monkeypatch.setattr(registry, "connect", with_its_patience)
    monkeypatch.setattr(oauth, "time", the_world)
    yield the_world
    the_world.close()


@pytest.fixture
def subscriber(world: World) -> Subscriber:
    """A customer of the world's gateway who has agreed to pay every month, and has paid once."""
    return Subscriber(world)


@pytest.fixture
def killer(world: World, monkeypatch: pytest.MonkeyPatch) -> Killer:
    """Whoever kills the world's worker."""
    return Killer(world, monkeypatch)


@pytest.fixture
def doors(world: World, key: str) -> Iterator[Callable[[int], list[World]]]:
    """More clients of the same world, for threads of their own."""
    made: list[World] = []

    def make(count: int) -> list[World]:
        made.extend(World(world.gateway, world.url, key) for _ in range(count))
        return made

    yield make
    for one in made:
        one.close()
