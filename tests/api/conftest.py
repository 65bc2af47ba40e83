"""Callers of the API: a guest, a merchant's server, somebody else's server."""

import pytest

from tests.api.client import ApiClient
from tillgate.merchants.models import Merchant
from tillgate.merchants.services.keys import create_api_key


@pytest.fixture
def guest(merchant: Merchant) -> ApiClient:
    return ApiClient()


@pytest.fixture
def owner(key: str) -> ApiClient:
    return ApiClient(key)


@pytest.fixture
def stranger(other_key: str) -> ApiClient:
    return ApiClient(other_key)


@pytest.fixture
def live_owner(merchant: Merchant) -> ApiClient:
    return ApiClient(create_api_key(merchant, "live"))
