"""Whose account has signed an event decides about whose money it may speak."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from tests.builders import make_account, make_attempt, make_inbound_event, make_payment, make_snapshot
from tests.environment import FLUTTERWAVE_TEST_HASH, FLUTTERWAVE_TEST_KEY, PAYSTACK_TEST_KEY
from tests.inbox.conftest import SIGNATURE, charge, sign
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.inbox.jobs import apply_inbound_event
from tillgate.inbox.models import InboundEvent
from tillgate.inbox.services import apply_event, waiting_for_a_person
from tillgate.merchants.services.stored_accounts import forget_former, replace_secrets
from tillgate.payments.models import Attempt

KEY, NEXT_KEY = "sk_test_of_the_other_shop", "sk_test_of_the_other_shop_next"


@pytest.fixture
def account(other_merchant):
    return make_account(other_merchant, KEY)


@pytest.fixture
def theirs(other_merchant, account) -> Attempt:
    """An attempt of the other merchant."""
    return make_attempt(make_payment(other_merchant))


def status_of(attempt):
    attempt.payment.refresh_from_db()
    return attempt.payment.status


@pytest.mark.parametrize("key", [PAYSTACK_TEST_KEY, KEY])
def test_an_event_belongs_to_the_merchant_whose_account_signed_it(ring, account, merchant, key):
    body = charge("ATT-1")

    assert ring(body, {SIGNATURE: sign(body, key)}).status_code == 200

    expected = merchant if key == PAYSTACK_TEST_KEY else account.merchant
    assert InboundEvent.objects.get().merchant == expected


def test_w08_the_same_event_of_two_accounts_is_two(ring, account):
    body = charge("ATT-1")

    for key in (PAYSTACK_TEST_KEY, KEY, PAYSTACK_TEST_KEY, KEY):
        assert ring(body, {SIGNATURE: sign(body, key)}).status_code == 200

    assert InboundEvent.objects.count() == Job.objects.count() == 2


def test_w08_the_database_keeps_an_event_once_a_merchant(attempt, theirs):
    make_inbound_event(attempt, dedupe_key="1")
    make_inbound_event(theirs, dedupe_key="1")

    with pytest.raises(IntegrityError), transaction.atomic():
        make_inbound_event(theirs, dedupe_key="1")


@pytest.mark.parametrize("about", ["payment", "refund", "dispute", "plan"])
@pytest.mark.parametrize("named_by", ["gateway_reference", "gateway_id"])
def test_a04_an_event_that_another_merchants_account_signed_touches_nothing(
    attempt, other_merchant, gateway, named_by, about
):
    Attempt.objects.filter(pk=attempt.pk).update(gateway_id="5000000001")
    names = {"gateway_reference": "", "gateway_id": "", named_by: getattr(attempt, named_by) or "5000000001"}
    lie = make_inbound_event(attempt, merchant=other_merchant, about=about, **names)

    apply_event(lie.pk)

    lie.refresh_from_db()
    assert lie.state == ("kept" if about == "plan" else "parked")
    assert gateway.calls == []
    assert status_of(attempt) == "pending"


def test_a04_a_merchant_who_signs_for_another_is_heard_and_changes_nothing(ring, account, attempt):
    """With the key that is really theirs, about money that is not: no gateway is asked, none is there."""
    lie = charge(attempt.gateway_reference)

    assert ring(lie, {SIGNATURE: sign(lie, KEY)}).status_code == 200
    run_due_jobs()

    event = InboundEvent.objects.get()
    assert (event.merchant, event.state) == (account.merchant, "parked")
    assert status_of(attempt) == "pending"
    assert any(attempt.gateway_reference in told for told in waiting_for_a_person())


def test_a04_the_merchants_own_event_makes_us_ask(theirs, gateway):
    gateway.says("fetch_payment", make_snapshot(theirs))

    apply_event(make_inbound_event(theirs).pk)

    assert status_of(theirs) == "completed"


def test_a05_an_event_of_one_gateway_is_none_at_anothers_door(ring, account, settings):
    settings.FLUTTERWAVE_SECRET_KEY = FLUTTERWAVE_TEST_KEY
    settings.FLUTTERWAVE_WEBHOOK_HASH = FLUTTERWAVE_TEST_HASH
    body = charge("ATT-1")

    headers = {SIGNATURE: sign(body, KEY)}
    answer = Client().post(
        "/api/v1/webhooks/flutterwave", body, content_type="application/json", headers=headers
    )

    assert (answer.status_code, InboundEvent.objects.count()) == (401, 0)


def test_w12_both_secrets_are_heard_while_one_is_changed_and_the_old_one_not_after(ring, account):
    def answered(key: str) -> int:
        body = charge("ATT-1")
        return int(ring(body, {SIGNATURE: sign(body, key)}).status_code)

    assert (answered(KEY), answered(NEXT_KEY)) == (200, 401)
    replace_secrets(account.pk, {"PAYSTACK_SECRET_KEY": NEXT_KEY})
    assert (answered(KEY), answered(NEXT_KEY)) == (200, 200)
    forget_former(account.pk)
    assert (answered(KEY), answered(NEXT_KEY)) == (401, 200)


def test_w12_an_event_that_a_former_secret_signed_is_the_same_merchants(ring, account):
    replace_secrets(account.pk, {"PAYSTACK_SECRET_KEY": NEXT_KEY})
    body = charge("ATT-1")

    for key in (KEY, NEXT_KEY):
        ring(body, {SIGNATURE: sign(body, key)})

    assert InboundEvent.objects.get().merchant == account.merchant


def test_a_sick_event_of_one_merchant_stops_nobody_else(attempt, theirs, gateway):
    gateway.says("fetch_payment", lambda ref: make_snapshot(theirs) if ref == theirs.ref else 1 / 0)
    for one in (attempt, theirs):
        apply_inbound_event.enqueue(make_inbound_event(one).pk)

    run_due_jobs()

    assert (status_of(attempt), status_of(theirs)) == ("pending", "completed")
