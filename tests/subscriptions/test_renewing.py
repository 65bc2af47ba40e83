"""A cycle is opened when it is due, charged once, and its news reach the subscription."""

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.builders import make_attempt, make_cycle, make_ill, make_snapshot, make_subscription
from tests.subscriptions.diary import Diary
from tillgate.common import clock
from tillgate.common.jobs.models import Job
from tillgate.customers.models import PaymentMethod
from tillgate.gateways.errors import DuplicateReference, GatewayUnknown
from tillgate.gateways.protocol import GatewayState, PaymentSnapshot
from tillgate.payments.jobs import ask_gateway
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.cancel import cancel_payment
from tillgate.subscriptions.models import Cycle
from tillgate.subscriptions.services.charge import charge_cycle, queue_due_tries
from tillgate.subscriptions.services.cycles import open_due

ABSENT = PaymentSnapshot(state=GatewayState.ABSENT, gateway_reference="")


def test_a_due_cycle_is_charged_once_and_the_next_is_a_month_later(diary):
    first_due = diary.subscription.next_opens_at

    diary.pass_days(32)

    assert len(diary.requests) == 1
    [cycle] = diary.cycles()
    assert (cycle.index, cycle.due_at, cycle.status) == (1, first_due, "paid")
    assert diary.told() == ["renewed"]
    diary.subscription.refresh_from_db()
    assert diary.subscription.next_opens_at == diary.subscription.rhythm.due_at(2)


def test_nothing_is_charged_before_the_due_date(diary):
    clock.advance(round((diary.subscription.next_opens_at - clock.now()).total_seconds()) - 60)

    diary.look()

    assert diary.requests == []
    assert diary.cycles() == []


def test_a_year_is_twelve_charges_on_their_days(diary):
    diary.pass_days(366)

    due = [cycle.due_at for cycle in diary.cycles()]
    assert due == [diary.subscription.rhythm.due_at(index) for index in range(1, 13)]
    assert len(diary.requests) == len(diary.taken()) == 12


def test_the_gateways_reference_names_subscription_cycle_and_try(diary):
    diary.pass_days(32)

    assert diary.requests[0].gateway_reference == f"{diary.subscription.reference}-1-1"


def test_the_charge_is_made_with_the_saved_token_under_the_address_it_was_saved_under(diary):
    PaymentMethod.objects.update(charged_as="saved@example.com")

    diary.pass_days(32)

    [request] = diary.requests
    assert request.customer_email == "saved@example.com"
    assert request.amount == diary.subscription.amount
    assert request.token not in PaymentMethod.objects.get().token


def test_the_renewals_payment_is_completed_and_names_its_subscription(diary):
    diary.pass_days(32)

    payment = Payment.objects.get(cycle__index=1)
    assert (payment.status, payment.created_by) == ("completed", "schedule")
    assert payment.subscription_reference == diary.subscription.reference


def test_the_last_of_the_agreed_cycles_completes_it(monthly):
    diary = monthly(cycles=3, cycles_left=2)

    diary.pass_days(150)

    assert diary.status() == "completed"
    assert diary.told() == ["renewed", "renewed", "completed"]
    assert len(diary.requests) == 2


def test_a_cycle_is_opened_once_however_often_the_scheduler_looks(diary):
    clock.advance(31 * 86_400)

    for _ in range(3):
        open_due()

    assert len(diary.cycles()) == 1
    assert Payment.objects.filter(created_by="schedule").count() == 1


def test_a_job_that_runs_twice_charges_once(diary):
    clock.advance(31 * 86_400)
    open_due()
    [cycle] = diary.cycles()
    charge_cycle(cycle.pk, 1)
    diary.script.says("fetch_payment", ABSENT)

    charge_cycle(cycle.pk, 1)
    charge_cycle(cycle.pk, 2)

    assert len(diary.requests) == 1


def test_a_job_that_died_after_writing_the_charge_down_asks_and_does_not_charge(diary):
    clock.advance(31 * 86_400)
    open_due()
    [cycle] = diary.cycles()
    reference = f"{diary.subscription.reference}-1-1"
    method = diary.subscription.payment_method
    fields = {"status": "sent", "initiated_by": "merchant", "payment_method": method, "redirect_url": ""}
    make_attempt(cycle.payment, gateway_reference=reference, **fields)
    Payment.objects.filter(pk=cycle.payment_id).update(status="processing")
    Cycle.objects.filter(pk=cycle.pk).update(tries=1)
    diary.script.says("fetch_payment", ABSENT)

    charge_cycle(cycle.pk, 1)

    assert diary.requests == []
    assert diary.script.called("fetch_payment") == 1


def test_a_lost_answer_is_looked_up_and_not_charged_again(diary):
    diary.script.says("charge_saved", diary.lost(GatewayUnknown("no answer")))
    diary.script.says("fetch_payment", lambda ref: _found(diary, ref.gateway_reference))

    diary.pass_days(32)

    assert len(diary.requests) == 1
    assert diary.told() == ["renewed"]


def test_not_found_alone_is_no_leave_to_charge_again(diary):
    clock.advance(31 * 86_400)
    diary.script.says("charge_saved", diary.lost(GatewayUnknown("no answer")))
    diary.script.says("fetch_payment", ABSENT)
    diary.look()

    for _ in range(4):
        clock.advance(60)
        diary.look()

    assert len(diary.requests) == 1
    assert Payment.objects.get(cycle__index=1).status == "processing"


def test_a_charge_that_the_gateway_surely_never_got_is_sent_again_under_its_reference(diary):
    clock.advance(31 * 86_400)
    diary.script.says("charge_saved", diary.lost(GatewayUnknown("no answer")), diary.success)
    diary.script.says("fetch_payment", ABSENT)
    diary.look()

    diary.pass_hours(4)

    first, second = diary.requests
    assert first.gateway_reference == second.gateway_reference
    assert diary.told() == ["renewed"]


def test_a_repeat_that_is_refused_as_known_is_looked_up(diary):
    clock.advance(31 * 86_400)
    lost, known = GatewayUnknown("no answer"), DuplicateReference("known")
    diary.script.says("charge_saved", diary.lost(lost), diary.lost(known))
    diary.script.says("fetch_payment", ABSENT)
    diary.look()
    diary.pass_hours(1)
    diary.script.says("fetch_payment", lambda ref: _found(diary, ref.gateway_reference))

    diary.pass_hours(5)

    assert len({request.gateway_reference for request in diary.requests}) == 1
    assert diary.told() == ["renewed"]


def test_a_stopped_subscriptions_lost_charge_is_not_sent_again(diary):
    clock.advance(31 * 86_400)
    diary.script.says("charge_saved", diary.lost(GatewayUnknown("no answer")), diary.success)
    diary.script.says("fetch_payment", ABSENT)
    diary.look()
    diary.stop()

    diary.pass_hours(48)

    assert len(diary.requests) == 1


def test_a_customer_who_is_paying_by_hand_is_not_charged_meanwhile(diary):
    clock.advance(31 * 86_400)
    open_due()
    [cycle] = diary.cycles()
    make_attempt(cycle.payment)
    Payment.objects.update(asked_at=clock.now())

    diary.look()

    assert diary.requests == []


def test_an_old_page_is_asked_about_before_we_charge(diary):
    clock.advance(31 * 86_400)
    open_due()
    [cycle] = diary.cycles()
    page = make_attempt(cycle.payment)
    ask_gateway.using(unique_key=page.question_key).enqueue(page.pk, 0)
    Payment.objects.update(asked_at=clock.now())
    diary.script.says("fetch_payment", make_snapshot(page))
    clock.advance(3_700)

    diary.look()
    diary.pass_hours(2)

    assert diary.requests == []
    assert diary.told() == ["renewed"]


def test_a_page_that_brought_nothing_does_not_keep_us_from_charging(diary):
    clock.advance(31 * 86_400)
    open_due()
    [cycle] = diary.cycles()
    page = make_attempt(cycle.payment)
    ask_gateway.using(unique_key=page.question_key).enqueue(page.pk, 0)
    Payment.objects.update(asked_at=clock.now())
    diary.script.says("fetch_payment", make_snapshot(page, GatewayState.PENDING))
    clock.advance(3_700)

    for _ in range(12):
        clock.advance(300)
        diary.look()

    assert len(diary.requests) == 1


def test_a_cycle_whose_payment_was_withdrawn_is_not_charged(diary):
    clock.advance(31 * 86_400)
    open_due()
    cancel_payment(diary.cycles()[0].payment_id)

    diary.look()

    assert diary.requests == []
    assert diary.cycles()[0].status == "unpaid"
    assert diary.status() == "active"


def test_a_gateway_that_rests_keeps_its_charges_waiting_and_others_go_on(diary, merchant):
    clock.advance(31 * 86_400)
    make_ill("paystack", open_until=clock.now() + timedelta(hours=1))

    diary.look()
    assert diary.requests == []
    clock.advance(3_700)
    diary.look()

    assert len(diary.requests) == 1


def test_no_more_charges_are_queued_at_once_than_a_gateway_is_to_get(merchant, script, settings):
    settings.TILLGATE_RENEWALS_PER_SECOND = 1
    for _ in range(8):
        make_subscription(merchant)
    clock.advance(31 * 86_400)
    open_due()

    queued = queue_due_tries()

    assert queued == 5
    times = sorted(Job.objects.filter(task__endswith="charge_cycle").values_list("run_at", flat=True))
    assert all(later - earlier >= timedelta(seconds=0.9) for earlier, later in pairwise(times))


@pytest.mark.parametrize("word", ["paid", "unpaid", "skipped"])
def test_a_cycle_that_has_ended_is_never_charged(diary, word):
    cycle = make_cycle(diary.subscription, index=1, status=word, next_try_at=clock.now())

    diary.look()
    charge_cycle(cycle.pk, 1)

    assert diary.requests == []


def test_two_subscriptions_of_one_customer_are_two_charges(merchant, script):
    first = make_subscription(merchant)
    make_subscription(merchant, payment_method=first.payment_method)
    diary = Diary(first, script)

    diary.pass_days(32)

    assert len({request.gateway_reference for request in diary.requests}) == 2
    assert Attempt.objects.filter(settles=True).count() == 2


def _found(diary, gateway_reference):
    request = next(r for r in diary.requests if r.gateway_reference == gateway_reference)
    diary.requests.remove(request)
    return diary.success(request)
