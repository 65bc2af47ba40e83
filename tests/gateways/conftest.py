"""What every adapter's tests share."""

import pytest

from tillgate.gateways import http

pytest.register_assert_rewrite(
    "tests.gateways.contract",
    "tests.gateways.contract_abilities",
    "tests.gateways.contract_faults",
    "tests.gateways.contract_saved",
)


@pytest.fixture(scope="session", autouse=True)
def _no_connection_is_left():
    yield
    http._transport().close()
