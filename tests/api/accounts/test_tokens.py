import pytest

from tests.api.client import PAYMENTS, ApiClient
from tests.builders import access_token, make_user
from tillgate.api.accounts.tokens import login_of, refreshed, token_pair
from tillgate.api.errors import Unauthorized
from tillgate.merchants.errors import LoginEnded
from tillgate.merchants.models import Login
from tillgate.merchants.services.logins import Device, start_login


def test_an_access_token_leads_to_its_login(db):
    ada = make_user("ada")

    assert login_of(access_token(ada)).user == ada


def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_login(db):
    _, first = token_pair(start_login(make_user("ada"), Device()))
    access, second = refreshed(first)

    with pytest.raises(LoginEnded):
        refreshed(first)

    assert Login.objects.get().end_reason == "token_reused"
    with pytest.raises(Unauthorized):
        refreshed(second)
    with pytest.raises(Unauthorized):
        login_of(access)


@pytest.mark.parametrize("scheme", ["JWT", "Bearer", "jwt"])
def test_what_looks_like_a_token_and_is_none_is_told_so(merchant, scheme):
    answer = ApiClient().get(PAYMENTS, headers={"Authorization": f"{scheme} a.b.c"})

    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")
