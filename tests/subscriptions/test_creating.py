"""A recurring payment is set up by its first payment, or with a method that is saved already."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import make_method, make_new_payment, make_snapshot
from tests.subscriptions.diary import Diary
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.customers.models import PaymentMethod
from tillgate.customers.services.consents import Agreement, give_consent
from tillgate.gateways.protocol import SavedMethod
from tillgate.merchants.errors import NoGateway
from tillgate.money import Money
from tillgate.payments.errors import ConsentRequired, KeyReused
from tillgate.payments.models import Payment
from tillgate.payments.services.cancel import cancel_payment
from tillgate.payments.services.expire import expire_due_payments
from tillgate.payments.services.sessions import open_session
from tillgate.subscriptions.errors import InvalidSchedule, MethodNotUsable
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services.create import (
    NewSubscription,
    Plan,
    create_subscription,
    create_with_first_payment,
)
from tillgate.subscriptions.states import Collection, Interval

CARD = SavedMethod(token="AUTH_secret", kind="card", brand="visa", last4="4081", expires_month="2030-01")
MONTHLY = Plan(interval=Interval.MONTHLY)
AGREED = Agreement(text="I agree.", text_version="1", given_by="checkout")


def first_payment(subscription):
    return Payment.objects.get(cycle__subscription=subscription, cycle__index=0)


def wanted(merchant, **fields):
    defaults = {
        "merchant": merchant,
        "mode": "test",
        "customer_name": "Ada",
        "customer_email": "John@example.com",
        "amount": Money(5_000, "NGN"),
        "plan": MONTHLY,
    }
    return NewSubscription(**{**defaults, **fields})


def begun(merchant, script, plan=MONTHLY):
    """A payment that is the first of several, and its subscription's diary."""
    payment, _ = create_with_first_payment(make_new_payment(merchant), plan)
    return payment, Diary(Subscription.objects.get(reference=payment.subscription_reference), script)


def test_a_first_payment_comes_with_an_incomplete_subscription(merchant, script):
    payment, diary = begun(merchant, script, Plan(interval=Interval.MONTHLY, cycles=12))

    assert diary.status() == "incomplete"
    assert (diary.subscription.cycles, diary.subscription.cycles_left) == (12, 11)
    assert first_payment(diary.subscription) == payment
    assert payment.method_saving == "required"
    assert diary.told() == ["created"]


def test_no_page_opens_before_the_payer_has_agreed(merchant, script):
    payment, _ = begun(merchant, script)

    with pytest.raises(ConsentRequired) as refused:
        open_session(payment, None)

    assert str(refused.value.members["checkout_url"]).endswith(payment.checkout_token)
    assert script.called("start_payment") == 0


def test_with_consent_the_gateway_is_asked_to_save_the_method(merchant, script):
    payment, _ = begun(merchant, script)
    give_consent(payment.reference, AGREED)

    open_session(payment, None)

    [(_, (request,))] = [call for call in script.calls if call[0] == "start_payment"]
    assert request.save_method


def test_the_first_payment_activates_it_and_leaves_the_method_to_charge(merchant, script):
    payment, diary = begun(merchant, script)
    give_consent(payment.reference, AGREED)

    diary.pay_by_hand(payment, saved_method=CARD)

    assert diary.status() == "active"
    method = diary.subscription.payment_method
    assert (method.last4, method.customer.email) == ("4081", payment.customer_email)
    assert "AUTH_secret" not in method.token
    payment.refresh_from_db()
    assert diary.subscription.anchor_at == payment.completed_at
    assert diary.told() == ["created", "activated"]


def test_the_second_cycle_is_charged_by_the_method_of_the_first(merchant, script):
    payment, diary = begun(merchant, script)
    give_consent(payment.reference, AGREED)
    diary.pay_by_hand(payment, saved_method=CARD)

    diary.pass_days(32)

    assert [request.token for request in diary.requests] == ["AUTH_secret"]


def test_without_consent_nothing_is_saved_whatever_the_gateway_says(merchant, script):
    payment, diary = begun(merchant, script)

    diary.pay_by_hand(payment, saved_method=CARD)

    assert PaymentMethod.objects.count() == 0
    assert diary.status() == "active"


def test_where_nothing_reusable_was_used_links_are_sent(merchant, script):
    payment, diary = begun(merchant, script)
    give_consent(payment.reference, AGREED)

    diary.pay_by_hand(payment)

    diary.status()
    assert diary.subscription.collection == "send_link"
    lead = diary.subscription.rhythm.due_at(1) - diary.subscription.next_opens_at
    assert lead == timedelta(days=3)


def test_a_method_that_the_gateway_tells_later_is_charged_from_then_on(merchant, script):
    payment, diary = begun(merchant, script)
    give_consent(payment.reference, AGREED)
    diary.pay_by_hand(payment)

    diary.tell_again(payment, saved_method=CARD)

    assert diary.status() == "active"
    assert (diary.subscription.collection, diary.subscription.payment_method.last4) == ("charge", "4081")


def test_a_gateway_that_told_no_method_is_asked_again(merchant, script):
    payment, diary = begun(merchant, script)
    give_consent(payment.reference, AGREED)
    diary.pay_by_hand(payment)
    attempt = payment.attempts.get()
    told = make_snapshot(attempt, gateway_id=attempt.gateway_id, saved_method=CARD)
    script.says("fetch_payment", told)

    clock.advance(400)
    diary.look()

    diary.status()
    assert diary.subscription.payment_method.last4 == "4081"


def test_starts_at_is_the_anchor_of_all_later_cycles(merchant, script):
    start = clock.now() + timedelta(days=10)
    payment, diary = begun(merchant, script, Plan(interval=Interval.WEEKLY, starts_at=start))
    give_consent(payment.reference, AGREED)

    diary.pay_by_hand(payment, saved_method=CARD)

    diary.status()
    assert diary.subscription.next_opens_at == start + timedelta(days=7)


def test_a_first_payment_that_nobody_makes_expires_it(merchant, script):
    _, diary = begun(merchant, script)
    clock.advance(2 * 86_400)
    expire_due_payments()
    run_due_jobs()

    assert diary.status() == "expired"
    assert diary.told() == ["created", "expired"]


def test_withdrawing_the_first_payment_cancels_it(merchant, script):
    payment, diary = begun(merchant, script)

    cancel_payment(payment.pk)
    run_due_jobs()

    assert diary.status() == "canceled"


def test_the_same_key_creates_one_payment_and_one_subscription(merchant, script):
    new = make_new_payment(merchant, idempotency_hash="a" * 64, request_hash="b" * 64)
    first, is_new = create_with_first_payment(new, MONTHLY)

    again, is_new_again = create_with_first_payment(new, MONTHLY)

    assert (first, is_new, is_new_again) == (again, True, False)
    assert Subscription.objects.count() == Payment.objects.count() == Cycle.objects.count() == 1


def test_with_a_saved_method_it_is_active_and_charged_now(merchant, script):
    subscription, _ = create_subscription(wanted(merchant, payment_method=make_method(merchant)))
    diary = Diary(subscription, script)
    assert diary.status() == "active"

    diary.look()

    assert [request.gateway_reference[-3:] for request in diary.requests] == ["0-1"]
    assert diary.told() == ["created", "activated", "renewed"]


def test_a_trial_is_charged_when_it_ends(merchant, script):
    plan = Plan(interval=Interval.MONTHLY, trial_days=14, cycles=2)
    subscription, _ = create_subscription(wanted(merchant, plan=plan, payment_method=make_method(merchant)))
    diary = Diary(subscription, script)
    diary.pass_days(13)
    assert diary.requests == []

    diary.pass_days(60)

    assert len(diary.requests) == 2
    assert diary.status() == "completed"


def test_links_that_start_later_need_no_first_payment(merchant, script):
    start = clock.now() + timedelta(days=30)
    plan = Plan(interval=Interval.MONTHLY, starts_at=start, collection=Collection.SEND_LINK)

    subscription, _ = create_subscription(wanted(merchant, plan=plan))

    assert subscription.status == "active"
    assert subscription.next_opens_at == start - timedelta(days=3)


def test_without_a_method_it_waits_for_its_first_payment(merchant, script):
    subscription, is_new = create_subscription(wanted(merchant))

    assert (subscription.status, is_new) == ("incomplete", True)
    assert first_payment(subscription).amount == Money(5_000, "NGN")


def test_a_key_creates_one_subscription_and_refuses_another_body(merchant, script):
    method = make_method(merchant)
    new = wanted(merchant, payment_method=method, idempotency_hash="a" * 64, request_hash="b" * 64)
    first, _ = create_subscription(new)

    assert create_subscription(new) == (first, False)
    with pytest.raises(KeyReused):
        create_subscription(wanted(merchant, idempotency_hash="a" * 64, request_hash="c" * 64))


def test_a_method_that_was_removed_or_is_anothers_is_refused(merchant, other_merchant, script):
    removed = make_method(merchant, removed_at=clock.now())

    for method in (removed, make_method(other_merchant)):
        with pytest.raises(MethodNotUsable):
            create_subscription(wanted(merchant, payment_method=method))
    assert Subscription.objects.count() == 0


def test_an_amount_that_no_gateway_takes_is_refused(merchant, script):
    with pytest.raises(NoGateway):
        create_subscription(wanted(merchant, amount=Money(5_000, "JPY")))


@pytest.mark.parametrize(
    "plan",
    [
        Plan(interval=Interval.MONTHLY, trial_days=3),
        Plan(interval=Interval.MONTHLY, starts_at=datetime(2020, 1, 1, tzinfo=UTC)),
    ],
)
def test_dates_that_make_no_schedule_are_refused(merchant, script, plan):
    with pytest.raises(InvalidSchedule):
        create_with_first_payment(make_new_payment(merchant), plan)
    assert Payment.objects.count() == 0


def test_a_start_and_a_trial_exclude_each_other(merchant, script):
    plan = Plan(interval=Interval.MONTHLY, trial_days=3, starts_at=clock.now() + timedelta(days=1))

    with pytest.raises(InvalidSchedule):
        create_subscription(wanted(merchant, plan=plan, payment_method=make_method(merchant)))
