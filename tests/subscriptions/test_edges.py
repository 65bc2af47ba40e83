"""Where two things happen at once: a page and a charge, a change and an answer, a pause and a decline."""

from datetime import timedelta

import pytest

from tests.builders import make_attempt, make_cycle, make_method, make_payment, make_snapshot
from tests.subscriptions.diary import DAY_S
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.customers.services.methods import Payer, customer_for
from tillgate.gateways.declines import decline
from tillgate.gateways.errors import GatewayUnknown, Unreachable
from tillgate.gateways.protocol import GatewayState, PaymentSnapshot
from tillgate.money import Money
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.charges import send_charge
from tillgate.payments.services.sync import apply_answer
from tillgate.subscriptions.errors import MethodInUse, MethodNotUsable
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services import audit
from tillgate.subscriptions.services.change import Change, change_subscription, preview
from tillgate.subscriptions.services.charge import charge_cycle, send_again
from tillgate.subscriptions.services.cycles import open_due
from tillgate.subscriptions.services.follow import follow_payment
from tillgate.subscriptions.services.methods import remove_unused
from tillgate.subscriptions.services.stop import pause_subscription, resume_subscription
from tillgate.subscriptions.states import Collection, Interval

ABSENT = PaymentSnapshot(state=GatewayState.ABSENT, gateway_reference="")
FAILED = GatewayState.FAILED


def due(diary):
    """The next cycle, opened and not tried yet."""
    clock.advance(31 * DAY_S)
    open_due()
    return diary.cycles()[-1]


def lose(diary):
    """A charge whose answer is lost, and the attempt of it."""
    cycle = due(diary)
    diary.script.says("charge_saved", diary.lost(GatewayUnknown("no answer")), diary.success)
    diary.script.says("fetch_payment", ABSENT)
    charge_cycle(cycle.pk, 1)
    return Attempt.objects.get(initiated_by="merchant")


def change(diary, **fields):
    return change_subscription(diary.subscription.pk, Change(**fields))


def test_a_page_that_declined_one_card_takes_the_next_so_we_wait(diary):
    cycle = due(diary)
    page = make_attempt(cycle.payment)
    apply_answer(page, make_snapshot(page, FAILED, failure=decline("declined")))

    charge_cycle(cycle.pk, 1)

    assert diary.requests == []


def test_a_page_that_was_handed_out_again_is_not_old(diary):
    cycle = due(diary)
    long_ago = clock.now() - timedelta(hours=5)
    make_attempt(cycle.payment, created_at=long_ago, handed_out_at=clock.now())
    Payment.objects.update(asked_at=clock.now())

    charge_cycle(cycle.pk, 1)

    assert diary.requests == []


def test_a_silent_gateway_is_no_answer_about_its_page(diary):
    cycle = due(diary)
    page = make_attempt(cycle.payment, created_at=clock.now() - timedelta(hours=5))
    apply_answer(page, Unreachable("down"))

    charge_cycle(cycle.pk, 1)

    assert diary.requests == []


def test_c_06_a_sender_that_stood_still_does_not_end_what_was_sent_again(diary):
    attempt = lose(diary)
    Attempt.objects.update(status="sent", sent_again_at=clock.now())
    diary.script.says("charge_saved", Unreachable("not sent"))

    send_charge(Attempt.objects.select_related("payment__merchant").get(pk=attempt.pk))

    attempt.refresh_from_db()
    assert attempt.status != "failed"
    assert Payment.objects.get(cycle__index=1).status == "processing"


def test_a_charge_by_the_old_card_does_not_bring_it_back(diary, merchant):
    attempt = lose(diary)
    other = make_method(merchant)
    change(diary, payment_method=other)

    apply_answer(attempt, make_snapshot(attempt))
    run_due_jobs()

    diary.status()
    assert diary.subscription.payment_method == other


def test_a_try_that_was_queued_before_a_change_to_links_is_not_made(diary):
    cycle = due(diary)
    change(diary, collection=Collection.SEND_LINK)

    charge_cycle(cycle.pk, 1)
    diary.pass_days(3)

    assert diary.requests == []


def test_the_customer_of_an_open_cycle_gets_a_link_and_a_day_before_any_reminder(diary):
    cycle = due(diary)

    change(diary, collection=Collection.SEND_LINK)

    cycle.refresh_from_db()
    assert cycle.next_try_at >= clock.now() + timedelta(hours=23)
    assert diary.status() == "active"


def test_a_lost_charge_is_not_sent_again_by_a_method_that_is_not_charged_any_more(diary):
    attempt = lose(diary)
    clock.advance(700)
    for _ in range(2):
        apply_answer(attempt, ABSENT)
    Subscription.objects.update(status="canceled")
    with pytest.raises(MethodInUse):
        remove_unused(attempt.payment_method_id)
    Subscription.objects.update(status="active", collection="send_link")

    send_again(attempt.pk)

    assert len(diary.requests) == 1


def test_a_first_payment_later_than_the_next_due_date_charges_nothing_at_once(monthly):
    start = clock.now() + timedelta(days=1)
    fields = {"status": "incomplete", "anchor_at": start, "next_opens_at": None, "payment_method": None}
    diary = monthly(interval="weekly", **fields)
    cycle = make_cycle(diary.subscription, index=0)
    clock.advance(20 * DAY_S)
    Payment.objects.update(expires_at=clock.now() + timedelta(days=1))

    diary.pay_by_hand(cycle.payment)

    diary.status()
    assert diary.subscription.next_opens_at > clock.now()
    assert [cycle.status for cycle in diary.cycles()] == ["paid", "skipped", "skipped"]


def test_another_customers_method_is_refused(diary, merchant):
    eve = customer_for(Payer(merchant=merchant, mode="test", email="eve@example.com", name="Eve"))

    with pytest.raises(MethodNotUsable):
        change(diary, payment_method=make_method(merchant, customer=eve))


def test_what_is_refunded_out_of_review_was_never_paid(monthly):
    diary = monthly(status="incomplete", anchor_at=None, next_opens_at=None, payment_method=None)
    refunded = make_payment(status="refunded", review_reason="wrong_amount")
    cycle = make_cycle(diary.subscription, index=0, payment=refunded)

    follow_payment(refunded.reference)

    cycle.refresh_from_db()
    assert (diary.status(), cycle.status) == ("canceled", "unpaid")


def test_money_that_no_cycle_has_heard_of_is_listed(diary):
    completed_at = clock.now() - timedelta(hours=2)
    paid = make_payment(status="completed", completed_at=completed_at, received_minor=5_000)
    make_cycle(diary.subscription, index=1, payment=paid)

    assert any(paid.reference in sentence for sentence in audit.waiting_for_a_person())


def test_a_transfer_that_comes_to_nothing_leaves_the_reminders_going(monthly):
    diary = monthly(collection="send_link", payment_method=None)
    cycle = due(diary)
    page = make_attempt(cycle.payment)
    apply_answer(page, make_snapshot(page, GatewayState.PROCESSING))
    diary.look()
    diary.script.says("fetch_payment", make_snapshot(page, FAILED, failure=decline("declined")))
    apply_answer(page, make_snapshot(page, FAILED, failure=decline("declined")))
    run_due_jobs()

    diary.pass_days(4)

    assert Cycle.objects.get(index=1).setbacks > 0


def test_the_last_cycle_paid_in_a_pause_completes_it_when_that_ends(monthly):
    diary = monthly(cycles=2, cycles_left=1)
    attempt = lose(diary)
    pause_subscription(diary.subscription.pk)
    apply_answer(attempt, make_snapshot(attempt))
    run_due_jobs()

    resume_subscription(diary.subscription.pk)

    assert diary.status() == "completed"


def test_what_is_kept_past_due_ends_with_its_last_cycle(monthly, settings):
    settings.TILLGATE_PAST_DUE = "keep"
    diary = monthly(cycles=2, cycles_left=1)
    diary.script.says("charge_saved", diary.declined())

    diary.pass_days(31 + 16)

    assert diary.status() == "canceled"


def test_a_pause_is_no_way_around_the_days_between_two_tries(diary):
    diary.script.says("charge_saved", diary.declined())
    diary.pass_days(31)
    before = Cycle.objects.get(index=1).next_try_at

    pause_subscription(diary.subscription.pk)
    resume_subscription(diary.subscription.pk)
    diary.look()

    assert len(diary.requests) == 1
    assert Cycle.objects.get(index=1).next_try_at == before


def test_a_hard_decline_that_comes_in_a_pause_is_not_tried_again_after_it(diary):
    attempt = lose(diary)
    pause_subscription(diary.subscription.pk)
    apply_answer(attempt, make_snapshot(attempt, GatewayState.FAILED, failure=decline("lost_or_stolen")))
    run_due_jobs()

    resume_subscription(diary.subscription.pk)
    diary.pass_days(5)

    assert len(diary.requests) == 1
    assert Cycle.objects.get(index=1).needs_customer


def test_a_due_date_that_has_moved_stops_nobody_elses(diary, monthly):
    moved = monthly()
    clock.advance(31 * DAY_S)
    Subscription.objects.filter(pk=moved.subscription.pk).update(anchor_at=clock.now())

    diary.look()

    assert [cycle.status for cycle in diary.cycles()] == ["paid"]
    moved.subscription.refresh_from_db()
    assert moved.subscription.next_opens_at > clock.now()


def test_the_preview_of_a_change_in_a_pause_is_what_comes(diary):
    pause_subscription(diary.subscription.pk)
    clock.advance(100 * DAY_S)
    diary.subscription.refresh_from_db()
    said = preview(diary.subscription, Change(interval=Interval.YEARLY))[0].due_at

    change(diary, interval=Interval.YEARLY)
    resume_subscription(diary.subscription.pk)

    diary.subscription.refresh_from_db()
    assert diary.subscription.next_opens_at == said


def test_a_new_amount_that_no_gateway_takes_is_refused_for_links_too(monthly, monkeypatch):
    diary = monthly(collection="send_link", payment_method=None)
    monkeypatch.setattr("tests.fakes.FakeGateway.currencies", frozenset())

    with pytest.raises(Exception, match="NGN"):
        change(diary, amount=Money(6_000, "NGN"))


def test_charging_anew_by_a_removed_method_is_refused(diary):
    change(diary, collection=Collection.SEND_LINK)
    remove_unused(diary.subscription.payment_method_id)

    with pytest.raises(MethodNotUsable):
        change(diary, collection=Collection.CHARGE)


def test_i_20_a_reminder_that_fails_holds_back_no_charge(diary, monthly):
    broken = monthly(next_opens_at=None, collection="send_link").subscription
    make_cycle(broken, index=1, due_at=clock.now(), next_try_at=clock.now())
    Subscription.objects.filter(pk=broken.pk).update(zone="Nowhere/Land")
    clock.advance(31 * DAY_S)

    diary.look()

    assert [cycle.status for cycle in diary.cycles()] == ["paid"]
