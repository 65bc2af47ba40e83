"""What a stolen token must not do asks a person to show, within a quarter of an hour, that it is them."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from tests.api.client import PAYMENTS, ApiClient
from tests.builders import PASSWORD, access_token, make_endpoint, make_staff
from tests.throttling import StoppedClock
from tillgate.common import throttles
from tillgate.merchants.models import AuditEntry, Login, Membership
from tillgate.merchants.services.keys import NewKey, create_api_key, create_key
from tillgate.merchants.services.totp import begin_otp, confirm_otp

PROOF = "/api/v1/me/proof"
LIFE = timedelta(minutes=15)
GUARDED = [
    ("post", "keys"),
    ("post", "keys/{key}/rotate"),
    ("patch", "merchant"),
    ("put", "merchant/logo"),
    ("delete", "merchant/logo"),
    ("post", "gateway-accounts"),
    ("delete", "gateway-accounts/GAC-1"),
    ("post", "gateway-accounts/GAC-1/secrets"),
    ("post", "gateway-accounts/GAC-1/forget-former"),
    ("post", "staff"),
    ("patch", "staff/{staff}"),
    ("delete", "staff/{staff}"),
    ("post", "webhook-endpoints"),
    ("patch", "webhook-endpoints/{endpoint}"),
    ("delete", "webhook-endpoints/{endpoint}"),
    ("post", "webhook-endpoints/{endpoint}/rotate-secret"),
    ("post", "approvals/APR-1/approve"),
    ("post", "approvals/APR-1/reject"),
]


@pytest.fixture
def ada(merchant):
    return make_staff(merchant, "owner", "ada")


@pytest.fixture
def boss(ada):
    return ApiClient(access_token(ada))


def _age(by):
    Login.objects.update(proved_at=datetime.now(UTC) - by)


def _send(caller, method, path):
    return getattr(caller, method)(f"/api/v1/{path}", {"unknown": 1}, content_type="application/json")


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_without_a_proof_a_token_changes_nothing_that_an_attacker_wants(boss, ada, merchant, method, path):
    key, _ = create_key(merchant, NewKey(mode="test"))
    staff, endpoint = Membership.objects.get().reference, make_endpoint(merchant).reference
    path = path.format(key=key.reference, staff=staff, endpoint=endpoint)
    _age(LIFE)

    answer = _send(boss, method, path)

    assert (answer.status_code, answer.json()["code"]) == (403, "proof_required")
    assert PROOF in answer.json()["message"]
    assert not AuditEntry.objects.exists()
    _age(LIFE - timedelta(minutes=1))
    assert _send(boss, method, path).status_code != 403


def test_a_login_from_before_proofs_were_noted_has_none(boss):
    Login.objects.update(proved_at=None)

    assert _send(boss, "post", "keys").json()["code"] == "proof_required"


def test_everything_else_goes_on_without_one(boss, payment):
    _age(LIFE)

    looks = [boss.get(f"/api/v1/{path}").status_code for path in ("keys", "staff", "merchant", "audit")]

    assert looks == [200] * 4
    assert boss.create().status_code == 201
    assert boss.post(f"{PAYMENTS}/{payment.reference}/cancel", {}).status_code == 200


def test_a_key_that_leaks_is_ended_without_waiting_for_a_proof(boss, merchant):
    key, _ = create_key(merchant, NewKey(mode="test"))
    _age(LIFE)

    assert boss.delete(f"/api/v1/keys/{key.reference}").status_code == 204


def test_a_key_is_asked_for_none(merchant):
    caller = ApiClient(create_api_key(merchant, "test"))

    answer = caller.patch("/api/v1/merchant", {"color": "#123456"}, content_type="application/json")

    assert answer.status_code == 200


def test_the_password_is_a_proof_of_this_login_alone(boss, ada):
    elsewhere = ApiClient(access_token(ada))
    _age(LIFE)

    wrong = boss.post(PROOF, {"password": "wrong horse"})
    refused = _send(boss, "post", "keys").status_code
    proved = boss.post(PROOF, {"password": PASSWORD})

    assert (wrong.status_code, wrong.json()["code"], refused) == (400, "invalid_password", 403)
    assert proved.status_code == 204
    assert boss.post("/api/v1/keys", {"mode": "test", "scopes": ["read"]}).status_code == 201
    assert _send(elsewhere, "post", "keys").json()["code"] == "proof_required"


def test_with_a_second_factor_the_password_is_not_enough(boss, ada):
    secret, _ = begin_otp(ada.pk)
    confirm_otp(ada.pk, pyotp.TOTP(secret).now())
    _age(LIFE)

    half = [boss.post(PROOF, {"password": PASSWORD, **otp}) for otp in ({}, {"otp": "000000"})]

    assert [answer.json()["code"] for answer in half] == ["otp_required", "otp_invalid"]
    assert _send(boss, "post", "keys").status_code == 403
    later = pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30))
    assert boss.post(PROOF, {"password": PASSWORD, "otp": later}).status_code == 204
    assert _send(boss, "post", "keys").status_code == 400


def test_a_thief_cannot_guess_the_password_here(boss, monkeypatch, settings):
    settings.TILLGATE_WEB_PROCESSES = 1
    monkeypatch.setattr(throttles, "time", StoppedClock())

    wrong = [boss.post(PROOF, {"password": "wrong horse"}).status_code for _ in range(11)]

    assert wrong == [400] * 10 + [429]
