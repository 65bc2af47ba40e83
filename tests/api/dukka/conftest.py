"""Customers of the Dukka API, signed in."""

import pytest

from tests.api.client import ApiClient
from tests.builders import access_token, make_user
from tillgate.merchants.models import User


@pytest.fixture
def ada(merchant) -> User:
    return make_user("ada", first_name="Ada", last_name="Obi")


@pytest.fixture
def customer(ada: User) -> ApiClient:
    return ApiClient(access_token(ada))


@pytest.fixture
def another(merchant) -> ApiClient:
    return ApiClient(access_token(make_user("eve")))
