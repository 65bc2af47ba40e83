"""S-34, S-39: an attack leaves a trace for the operator, and whoever finds a hole knows whom to tell."""

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.attacks.conftest import at
from tests.builders import make_payment
from tests.inbox.conftest import SIGNATURE, charge, ring  # noqa: F401
from tests.reliability.world import status_of
from tillgate.common import clock
from tillgate.merchants.models import ApiKey
from tillgate.merchants.roles import Scope
from tillgate.merchants.services.keys import NewKey, create_key
from tools.paths import ROOT

POLICY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


@pytest.fixture
def traces(caplog):
    """The events that were logged, each with what it says."""
    caplog.set_level(logging.INFO)

    def found(event: str) -> list[dict[str, Any]]:
        told = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
        return [one for one in told if one["event"] == event]

    return found


@pytest.mark.parametrize(
    "secret", ["sk_test_guessed-0123456789", "sk_live_x", "pk_test_y", "eyJ.eyJ.x", "nonsense"]
)
def test_s34_a_key_that_is_none_is_noted_with_its_address_and_without_itself(
    merchant, traces, caplog, secret
):
    ApiClient(secret).get(PAYMENTS, REMOTE_ADDR="203.0.113.9")

    [note] = traces("credential_refused")
    assert note["code"] in ("unauthorized", "token_not_valid")
    assert (note["method"], note["route"]) == ("GET", PAYMENTS.removeprefix("/"))
    assert note["address"] == "203.0.113.9"
    assert secret not in caplog.text


@pytest.mark.parametrize("change", [{"revoked_at": timedelta(0)}, {"expires_at": timedelta(0)}])
def test_s34_a_key_that_has_ended_is_noted(key, traces, change):
    ApiKey.objects.update(**{name: clock.now() + wait for name, wait in change.items()})

    assert ApiClient(key).get(PAYMENTS).status_code == 401
    assert len(traces("credential_refused")) == 1


def test_s34_a_key_that_is_used_for_more_than_it_may_is_noted(merchant, traces):
    _, secret = create_key(merchant, NewKey(mode="test", scopes=[Scope.READ]))

    path = f"{PAYMENTS}/{make_payment(merchant).reference}/cancel"
    answer = Client().post(path, headers={"Authorization": f"Bearer {secret}"})

    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert [note["code"] for note in traces("credential_refused")] == ["insufficient_scope"]


def test_s34_whoever_has_no_key_and_needs_none_is_not_noted(merchant, key, traces):
    ApiClient().get(PAYMENTS)
    ApiClient(key).get(PAYMENTS)
    ApiClient(key).post(PAYMENTS, {**MINIMAL, "amount": 0})

    assert traces("credential_refused") == []


def test_s34_a_forged_event_is_noted(ring, traces):  # noqa: F811
    assert ring(charge("ATT-1"), {SIGNATURE: "0" * 128}).status_code == 401

    assert [note["gateway"] for note in traces("event_bad_signature")] == ["paystack"]


@at("paystack", "flutterwave")
def test_s34_money_that_does_not_match_is_noted(world, traces):
    attempt = world.session()
    world.pay(attempt, "other_amount", amount_minor=1)
    world.wait(20)

    [note] = traces("payment_in_review")
    assert (note["payment"], note["reason"]) == (attempt.payment.reference, "wrong_amount")
    assert status_of(attempt.payment) == "review"


def test_s39_a_finder_is_told_where_to_report_and_when_to_be_answered():
    assert re.search(r"Report a vulnerability", POLICY)
    assert re.search(r"\|\s*critical[^|]*\|[^|]*hours\s*\|\s*72 hours\s*\|", POLICY)
    assert re.search(r"newest minor version is supported", POLICY)
