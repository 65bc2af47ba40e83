"""A charge that fails: tried again soon, some days later, or never; and how it ends."""

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tests.builders import make_attempt, make_cycle, make_method
from tillgate.common import clock
from tillgate.gateways.errors import MethodRefused, Rejected, Unreachable
from tillgate.payments.models import Payment
from tillgate.subscriptions.models import Cycle
from tillgate.subscriptions.services.change import payment_to_make
from tillgate.subscriptions.services.follow import follow_payment, use_method
from tillgate.subscriptions.services.moves import lock_subscription

HARD = ["expired_card", "lost_or_stolen", "fraud_suspected", "authentication_failed"]


def test_a_soft_decline_makes_it_past_due_and_the_next_try_renews_it(diary):
    diary.script.says("charge_saved", diary.declined(), diary.success)

    diary.pass_days(35)

    assert diary.told() == ["past_due", "renewed"]
    assert diary.status() == "active"
    assert [request.gateway_reference[-3:] for request in diary.requests] == ["1-1", "1-2"]


def test_soft_declines_are_tried_again_on_four_days_and_then_it_is_canceled(diary):
    diary.script.says("charge_saved", diary.declined())

    diary.pass_days(31 + 16)

    assert len(diary.requests) == 5
    assert diary.told() == ["past_due", "canceled"]
    diary.subscription.refresh_from_db()
    assert diary.subscription.end_reason == "unpaid"
    assert Payment.objects.get(cycle__index=1).status == "canceled"


def test_there_is_at_most_one_try_in_a_day_and_in_business_hours(diary):
    diary.script.says("charge_saved", diary.declined())

    diary.pass_days(31)
    diary.pass_hours(16 * 24)

    times = [attempt.created_at for attempt in diary.attempts()]
    assert all(later - earlier >= timedelta(hours=20) for earlier, later in pairwise(times))
    local = [time.astimezone(ZoneInfo("Africa/Lagos")) for time in times[1:]]
    assert len(local) == 4
    # The look that finds a due retry comes within the hour.
    assert all(9 <= time.hour <= 17 and time.weekday() < 5 for time in local)


def test_after_the_last_decline_nothing_is_charged_any_more(diary):
    diary.script.says("charge_saved", *[diary.declined()] * 5, diary.success)

    diary.pass_days(120)

    assert len(diary.requests) == 5
    assert diary.taken() == []


def test_an_installation_may_keep_what_is_past_due_and_charges_the_next_cycle(diary, settings):
    settings.TILLGATE_PAST_DUE = "keep"
    diary.script.says("charge_saved", *[diary.declined()] * 5, diary.success)

    diary.pass_days(66)

    assert [cycle.status for cycle in diary.cycles()] == ["unpaid", "paid"]
    assert diary.status() == "active"


@pytest.mark.parametrize("code", HARD)
def test_a_hard_decline_is_not_tried_again_by_the_same_method(diary, code):
    diary.script.says("charge_saved", diary.declined(code), diary.success)

    diary.pass_days(31 + 5)

    assert len(diary.requests) == 1
    assert diary.status() == "past_due"
    assert Cycle.objects.get(index=1).needs_customer


def test_a_hard_decline_that_nobody_answers_ends_it(diary):
    diary.script.says("charge_saved", diary.declined("expired_card"))

    diary.pass_days(31 + 16)

    assert len(diary.requests) == 1
    assert diary.told() == ["past_due", "canceled"]


def test_another_method_is_charged_at_once_for_what_is_owed(diary, merchant):
    diary.script.says("charge_saved", diary.declined("expired_card"), diary.success)
    diary.pass_days(31)
    use(diary, make_method(merchant))

    diary.look()

    assert len(diary.taken()) == 1
    assert diary.status() == "active"


@pytest.mark.parametrize("error", [Unreachable("down"), Rejected("wrong key")])
def test_a_gateways_fault_is_no_decline_and_is_tried_again_within_the_hour(diary, error):
    diary.script.says("charge_saved", diary.lost(error), diary.success)

    clock.advance(31 * 86_400)
    diary.look()
    diary.pass_hours(1)

    assert diary.told() == ["renewed"]
    assert len(diary.requests) == 2


def test_faults_that_do_not_end_become_a_decline(diary):
    diary.script.says("charge_saved", diary.lost(Unreachable("down")))

    clock.advance(31 * 86_400)
    diary.pass_hours(30)

    assert diary.status() == "past_due"
    assert Cycle.objects.get(index=1).first_setback_at is not None


def test_a_method_that_the_gateway_no_longer_charges_needs_the_customer(diary):
    diary.script.says("charge_saved", diary.lost(MethodRefused("inactive")))

    diary.pass_days(31)

    assert Payment.objects.get(cycle__index=1).failure["code"] == "method_not_usable"
    assert Cycle.objects.get(index=1).needs_customer


def test_a_removed_method_is_not_charged_and_the_customer_is_asked(diary):
    method = diary.subscription.payment_method
    method.removed_at = clock.now()
    method.save()

    diary.pass_days(34)

    assert diary.requests == []
    assert diary.status() == "past_due"


def test_the_same_failure_is_acted_on_once(diary):
    diary.script.says("charge_saved", diary.declined())
    diary.pass_days(31)
    before = Cycle.objects.values().get(index=1)

    follow_payment(Payment.objects.get(cycle__index=1).reference)

    assert Cycle.objects.values().get(index=1) == before


def test_what_a_customer_tries_by_hand_in_vain_changes_no_schedule(diary):
    diary.script.says("charge_saved", diary.declined())
    diary.pass_days(31)
    payment = Payment.objects.get(cycle__index=1)
    before = Cycle.objects.values().get(index=1)
    make_attempt(payment, status="failed", failure={"code": "declined", "message": "No.", "retryable": True})

    follow_payment(payment.reference)

    assert Cycle.objects.values().get(index=1) == before


def test_a_customer_who_pays_what_is_owed_by_hand_is_active_again(diary):
    diary.script.says("charge_saved", diary.declined())
    diary.pass_days(31)
    payment = payment_to_make(diary.subscription.pk)
    assert payment is not None

    diary.pay_by_hand(payment)
    diary.pass_days(10)

    assert diary.status() == "active"
    assert len(diary.requests) == 1


def test_links_are_reminded_of_and_then_given_up(monthly):
    diary = monthly(collection="send_link")

    diary.pass_days(31 + 18)

    assert diary.requests == []
    assert diary.told() == ["past_due", "canceled"]


def test_a_link_that_is_paid_in_time_renews_it(monthly):
    diary = monthly(collection="send_link")
    diary.pass_days(29)
    [cycle] = diary.cycles()
    assert cycle.due_at > clock.now()

    diary.pay_by_hand(cycle.payment)
    diary.pass_days(20)

    assert diary.told() == ["renewed"]
    assert diary.status() == "active"


def test_a_charge_in_flight_is_not_reminded_of(diary):
    cycle = make_cycle(diary.subscription, index=1, needs_customer=True, next_try_at=clock.now())
    Payment.objects.filter(cycle=cycle).update(status="processing")

    diary.look()

    assert diary.told() == []


def use(diary, method):
    from django.db import transaction

    with transaction.atomic():
        use_method(lock_subscription(diary.subscription.pk), method.pk)


def test_the_api_says_when_what_failed_is_charged_again(diary, client, key):
    diary.script.says("charge_saved", diary.declined())
    diary.pass_days(31)
    url = f"/api/v1/subscriptions/{diary.subscription.reference}"

    told = client.get(url, headers={"authorization": f"Bearer {key}"}).json()["subscription"]

    at = diary.cycles()[0].next_try_at
    assert told["next_try_at"].startswith(f"{at:%Y-%m-%dT%H:%M}")
    assert told["next_payment_at"] > told["next_try_at"]
