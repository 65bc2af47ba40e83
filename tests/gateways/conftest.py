"""What every adapter's tests share."""

import pytest

from tillgate.gateways import http


@pytest.fixture(scope="session", autouse=True)
def _no_connection_is_left():
    yield
    http._transport().close()
