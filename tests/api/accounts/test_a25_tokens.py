"""A-25: every token that is not exactly one of ours is refused, with the same words, and nothing echoed."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as live

from tests.api.accounts.conftest import NEW_PASSWORD, sign_in
from tests.api.client import ApiClient
from tests.builders import PASSWORD, make_user
from tillgate.merchants.models import Login, User
from tillgate.merchants.services.logins import end_logins
from tillgate.merchants.services.passwords import change_password
from tillgate.merchants.services.users import disable_user, erase_user

ME = "/auth/users/me/"
Forge = Callable[[dict[str, Any]], str]


def signed(claims: dict[str, Any], key: Any = None, algorithm: str = "HS256", **header: Any) -> str:
    return jwt.encode(claims, key or live.TILLGATE_JWT_KEY, algorithm=algorithm, headers=header)


def without(*names: str) -> Forge:
    return lambda claims: signed({name: value for name, value in claims.items() if name not in names})


def saying(**changes: Any) -> Forge:
    return lambda claims: signed({**claims, **changes})


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, ""])


def by_rsa(claims: dict[str, Any]) -> str:
    return signed(claims, rsa.generate_private_key(public_exponent=65537, key_size=2048), "RS256")


def altered(claims: dict[str, Any]) -> str:
    head, _, signature = signed(claims).split(".")
    body = base64.urlsafe_b64encode(json.dumps({**claims, "user_id": "1"}).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


NOW = int(time.time())
FORGED: dict[str, Forge] = {
    "alg-none": unsigned,
    "alg-none-with-signature": lambda claims: unsigned(claims) + signed(claims).rpartition(".")[2],
    "hs512": lambda claims: signed(claims, algorithm="HS512"),
    "hs384": lambda claims: signed(claims, algorithm="HS384"),
    "rs256": by_rsa,
    "other-key": lambda claims: signed(claims, "k" * 64),
    "key-of-django": lambda claims: signed(claims, live.SECRET_KEY),
    "empty-key-by-kid": lambda claims: signed(claims, "x" * 32, kid="../../../../dev/null"),
    "kid-sql": lambda claims: signed(claims, "x" * 32, kid="x' UNION SELECT 'k'--"),
    "jku": lambda claims: signed(claims, "x" * 32, jku="https://evil.example/keys.json"),
    "jwk": lambda claims: signed(claims, "x" * 32, jwk={"kty": "oct", "k": "eHh4"}),
    "altered-claims": altered,
    "no-exp": without("exp"),
    "no-iat": without("iat"),
    "no-sid": without("sid"),
    "no-jti": without("jti"),
    "no-issuer": without("iss"),
    "no-audience": without("aud"),
    "no-user": without("user_id"),
    "no-type": without("token_type"),
    "no-password-mark": without("hash_password"),
    "expired": saying(exp=NOW - 60),
    "not-yet": saying(iat=NOW + 3600),
    "other-audience": saying(aud="another-product"),
    "other-issuer": saying(iss="https://evil.example"),
    "other-type": saying(token_type="sliding"),
    "other-user": saying(user_id="999999"),
    "other-login": saying(sid="LGN-" + "0" * 26),
    "sid-number": saying(sid=1),
    "sid-list": saying(sid=["LGN"]),
    "old-password": saying(hash_password="0" * 32),
    "garbage": lambda claims: "a.b.c",
    "dots": lambda claims: "..",
    "huge": lambda claims: "x" * 5_000 + ".y.z",
}


@pytest.fixture
def tokens(guest: ApiClient, ada: User) -> dict[str, str]:
    """A pair that is good."""
    return sign_in(guest).json()


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def opened(token: str, scheme: str = "Bearer") -> Any:
    return ApiClient().get(ME, headers={"Authorization": f"{scheme} {token}"})


def refused(answer: Any, token: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid"), answer.content
    assert answer["WWW-Authenticate"] == 'Bearer realm="tillgate"'
    for part in filter(None, token.split(".")):
        assert len(part) < 8 or part not in answer.content.decode()


def test_a25_the_control_a_token_that_is_ours_opens(tokens):
    claims = claims_of(tokens["access"])

    assert opened(tokens["access"]).status_code == 200
    assert opened(signed(claims)).status_code == 200
    assert {"iss", "aud", "exp", "iat", "jti", "token_type", "sid", "user_id"} <= set(claims)
    assert claims["exp"] - claims["iat"] == 600
    long = claims_of(tokens["refresh"])
    assert long["exp"] - long["iat"] == 7 * 86_400


@pytest.mark.parametrize("how", FORGED)
def test_a25_a_forged_access_token_is_refused(tokens, how):
    token = FORGED[how](claims_of(tokens["access"]))

    refused(opened(token), token)
    refused(opened(token, "JWT"), token)
    refused(ApiClient().post("/auth/jwt/verify/", {"token": token}), token)


@pytest.mark.parametrize("how", FORGED)
def test_a25_a_forged_refresh_token_is_refused_and_ends_nothing(tokens, how):
    token = FORGED[how](claims_of(tokens["refresh"]))

    refused(ApiClient().post("/auth/jwt/refresh/", {"refresh": token}), token)
    assert Login.objects.filter(ended_at__isnull=True).count() == 1
    assert ApiClient().post("/auth/jwt/refresh/", {"refresh": tokens["refresh"]}).status_code == 200


def test_a25_refresh_as_access_and_access_as_refresh(tokens):
    refused(opened(tokens["refresh"]), tokens["refresh"])
    refused(ApiClient().post("/api/token/refresh/", {"refresh": tokens["access"]}), tokens["access"])
    refused(ApiClient().post("/auth/jwt/logout/", {"refresh": tokens["access"]}), tokens["access"])


def test_a25_the_token_of_one_login_does_not_open_another_persons(tokens):
    other = ApiClient()
    make_user("eve")
    eve = claims_of(sign_in(other, "eve").json()["access"])
    mixed = signed({**claims_of(tokens["access"]), "sid": eve["sid"]})

    refused(opened(mixed), mixed)


ENDS: dict[str, Callable[[User], object]] = {
    "disabled-user": disable_user,
    "deleted-user": lambda user: erase_user(user.pk),
    "ended-login": lambda user: end_logins(user.logins.all(), reason="logout"),
    "changed-password": lambda user: change_password(user, PASSWORD, NEW_PASSWORD),
}


@pytest.mark.parametrize("how", ENDS)
def test_a25_s14_what_ends_a_login_ends_both_its_tokens_at_once(tokens, ada, how):
    ENDS[how](ada)

    refused(opened(tokens["access"]), tokens["access"])
    refused(ApiClient().post("/auth/jwt/refresh/", {"refresh": tokens["refresh"]}), tokens["refresh"])
    for token in (tokens["access"], tokens["refresh"]):
        refused(ApiClient().post("/auth/jwt/verify/", {"token": token}), token)
    assert not Login.objects.filter(ended_at__isnull=True).exists()


def test_s13_a_token_is_verified_while_it_is_good(tokens):
    for token in (tokens["access"], tokens["refresh"]):
        answer = ApiClient().post("/auth/jwt/verify/", {"token": token})
        assert (answer.status_code, answer.json()) == (200, {})

    renewed = ApiClient().post("/auth/jwt/refresh/", {"refresh": tokens["refresh"]}).json()

    refused(ApiClient().post("/auth/jwt/verify/", {"token": tokens["refresh"]}), tokens["refresh"])
    assert ApiClient().post("/auth/jwt/verify/", {"token": renewed["refresh"]}).status_code == 200
    assert opened(renewed["access"]).status_code == 200
