"""Subscriptions that a gateway collected itself are taken over: never collected twice, none lost."""

import time
from datetime import timedelta
from functools import partial
from io import StringIO
from threading import Event

import httpx2
import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from tests.builders import make_method, make_subscription
from tests.environment import FLUTTERWAVE_TEST_HASH, FLUTTERWAVE_TEST_KEY
from tests.races.conftest import race
from tests.subscriptions.shelf import Killed, Shelf, ShelfGateway
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.customers.models import Consent, PaymentMethod
from tillgate.customers.services.methods import Payer, customer_for, hold_method, token_of
from tillgate.gateways import registry
from tillgate.gateways.errors import GatewayUnknown
from tillgate.money import Money
from tillgate.subscriptions.errors import NotPossible
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services.cycles import open_due
from tillgate.subscriptions.services.importing import CannotTakeOver, Source, candidates, take_over
from tillgate.subscriptions.services.stop import (
    cancel_subscription,
    pause_subscription,
    resume_subscription,
)

needs_row_locks = pytest.mark.skipif(
    "not __import__('django').db.connection.features.has_select_for_update", reason="SQLite has no row locks"
)


def wait_until_one_waits_for_us():
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    with connection.cursor() as cursor:
        for _ in range(500):
            if cursor.execute(waiting).fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits for us")


@pytest.fixture
def shelf(merchant, monkeypatch):
    shelf = Shelf()
    monkeypatch.setitem(registry.GATEWAYS, "paystack", type("Fake", (ShelfGateway,), {"shelf": shelf}))
    return shelf


@pytest.fixture
def source(merchant):
    return Source(merchant=merchant, mode="test", gateway="paystack")


def run(*words):
    out = StringIO()
    call_command("import_subscriptions", *words, stdout=out, stderr=out)
    return out.getvalue()


def begun(shelf, source):
    """One that the gateway does not stop: ours waits for that."""
    shelf.deaf = True
    with pytest.raises(CannotTakeOver):
        take_over(source, shelf.put().gateway_id)
    return Subscription.objects.get(import_unfinished=True)


def test_what_is_taken_over_is_charged_here_from_its_next_date_on(shelf, source):
    plan = shelf.put(payments_left=5)

    ours = take_over(source, plan.gateway_id)

    assert (ours.status, ours.amount, ours.customer_email) == ("active", plan.amount, "ada@example.com")
    assert (ours.anchor_at, ours.next_opens_at) == (plan.next_payment_at, plan.next_payment_at)
    assert (ours.interval, ours.interval_count, ours.cycles_left) == ("monthly", 1, 5)
    assert (ours.collection, ours.imported_from, ours.metadata) == ("charge", "paystack:SUB_0", {})
    assert shelf.plans["SUB_0"].is_stopped
    assert shelf.calls == ["fetch", "stop", "fetch"]


def test_its_card_is_kept_with_a_consent_that_says_where_it_comes_from(shelf, source):
    ours = take_over(source, shelf.put().gateway_id)

    method = PaymentMethod.objects.get()
    assert ours.payment_method == method
    assert (token_of(method), method.charged_as, method.last4) == ("AUTH_1", "ada@example.com", "4081")
    assert Consent.objects.get(subject=ours.reference).given_by == "import"


def test_without_a_card_a_payment_link_is_sent(shelf, source):
    ours = take_over(source, shelf.put(saved_method=None).gateway_id)

    assert (ours.status, ours.collection, ours.payment_method) == ("active", "send_link", None)
    assert not Consent.objects.exists()


def test_a_link_that_is_due_soon_is_not_left_out(shelf, source):
    plan = shelf.put(saved_method=None, next_payment_at=clock.now() + timedelta(days=1))

    take_over(source, plan.gateway_id)
    open_due()

    assert Cycle.objects.get().due_at == plan.next_payment_at


def test_no_date_is_collected_by_both(shelf, source):
    plan = shelf.put()
    take_over(source, plan.gateway_id)

    open_due()
    before = Cycle.objects.count()
    clock.advance(11 * 86_400)
    open_due()

    assert (before, Cycle.objects.get().due_at) == (0, plan.next_payment_at)


@pytest.mark.parametrize("killed_after", [1, 2, 3])
def test_whoever_is_killed_goes_on_where_it_was(shelf, source, killed_after):
    plan = shelf.put()
    shelf.killed_after = killed_after

    with pytest.raises(Killed):
        take_over(source, plan.gateway_id)
    between = set(Subscription.objects.values_list("status", flat=True))
    ours = take_over(source, plan.gateway_id)

    assert between <= {"paused"}
    assert Subscription.objects.get() == ours
    assert (ours.status, ours.next_opens_at) == ("active", plan.next_payment_at)
    assert shelf.plans["SUB_0"].is_stopped
    assert shelf.calls.count("stop") == 1


@pytest.mark.parametrize("killed_after", [2, 3])
def test_a_date_that_passed_in_between_is_collected_by_nobody_here(shelf, source, killed_after):
    plan = shelf.put(payments_left=5)
    shelf.killed_after = killed_after
    with pytest.raises(Killed):
        take_over(source, plan.gateway_id)

    clock.advance(11 * 86_400)
    ours = take_over(source, plan.gateway_id)
    open_due()

    skipped = Cycle.objects.get()
    assert (skipped.status, skipped.due_at, skipped.payment) == ("skipped", plan.next_payment_at, None)
    assert (ours.status, ours.next_opens_at) == ("active", ours.rhythm.due_at(1))


def test_what_the_gateway_went_on_collecting_is_not_collected_again(shelf, source):
    plan = shelf.put(payments_left=5)
    shelf.deaf = True
    with pytest.raises(CannotTakeOver):
        take_over(source, plan.gateway_id)

    later = plan.next_payment_at + timedelta(days=31)
    shelf.change(plan.gateway_id, next_payment_at=later, payments_left=4)
    clock.advance(11 * 86_400)
    shelf.deaf = False
    ours = take_over(source, plan.gateway_id)

    assert (ours.anchor_at, ours.next_opens_at, ours.cycles_left) == (later, later, 4)
    assert not Cycle.objects.exists()


def test_ours_stays_paused_while_the_gateway_does_not_confirm(shelf, source):
    shelf.deaf = True

    with pytest.raises(CannotTakeOver, match="still 'active'"):
        take_over(source, shelf.put().gateway_id)

    ours = Subscription.objects.get()
    assert (ours.status, ours.next_opens_at) == ("paused", None)


def test_nobody_else_lets_go_on_what_the_gateway_may_collect_still(shelf, source):
    ours = begun(shelf, source)

    with pytest.raises(NotPossible):
        resume_subscription(ours.pk)
    clock.advance(11 * 86_400)

    assert open_due() == 0
    assert Subscription.objects.get().status == "paused"


@pytest.mark.parametrize("status", ["active", "past_due"])
def test_the_database_lets_no_two_collect(shelf, source, status):
    begun(shelf, source)

    with pytest.raises(IntegrityError):
        Subscription.objects.update(status=status)


def test_the_database_takes_a_plan_once(merchant, shelf, source):
    take_over(source, shelf.put().gateway_id)

    with pytest.raises(IntegrityError):
        make_subscription(merchant, imported_from="paystack:SUB_0")


def test_the_customer_is_told_once_it_goes_on(shelf, source):
    begun(shelf, source)
    run_due_jobs()
    before = len(mail.outbox)

    shelf.deaf = False
    take_over(source, "SUB_0")
    run_due_jobs()

    assert before == 0
    assert [letter.subject for letter in mail.outbox] == [
        f"[Test] Your recurring payment to {source.merchant.name} is set up"
    ]


def test_what_a_merchant_writes_into_its_metadata_takes_nothing_over(merchant, shelf, source):
    own = {"imported_from": "paystack:SUB_0", "import": "unfinished"}
    other = make_subscription(merchant, status="paused", metadata=own)

    ours = take_over(source, shelf.put().gateway_id)

    other.refresh_from_db()
    assert (ours.status, other.status, other.metadata) == ("active", "paused", own)


def test_a_name_that_is_too_long_is_cut(shelf, source):
    assert take_over(source, shelf.put(customer_name="A" * 250).gateway_id).customer_name == "A" * 200


def test_a_repeat_returns_what_was_taken_over(shelf, source):
    first = take_over(source, shelf.put().gateway_id)
    again = take_over(source, "SUB_0")

    assert first == again
    assert shelf.calls.count("stop") == 1


def test_what_was_paused_after_it_was_taken_over_stays_paused(shelf, source):
    ours = take_over(source, shelf.put().gateway_id)
    pause_subscription(ours.pk)

    assert take_over(source, "SUB_0").status == "paused"


def test_what_was_canceled_here_does_not_come_back(shelf, source):
    shelf.killed_after = 2
    with pytest.raises(Killed):
        take_over(source, shelf.put().gateway_id)
    cancel_subscription(Subscription.objects.get().pk, reason="customer")

    with pytest.raises(CannotTakeOver, match="which is canceled"):
        take_over(source, "SUB_0")

    assert Subscription.objects.count() == 1
    assert "1 at paystack (test), 0 to be taken over." in run("paystack")


def test_one_that_was_started_again_at_the_gateway_is_stopped_there_again(shelf, source):
    ours = take_over(source, shelf.put().gateway_id)
    Subscription.objects.update(status="paused")
    shelf.change("SUB_0", status="active", is_stopped=False)

    assert take_over(source, "SUB_0") == ours
    assert shelf.plans["SUB_0"].is_stopped


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_take_it_over_once(shelf, source):
    for seed in range(5):
        plan = shelf.put()
        results = race(*[partial(take_over, source, plan.gateway_id)] * 3, seed=seed)

        assert not [result for result in results if isinstance(result, BaseException)]
        ours = Subscription.objects.get(imported_from=f"paystack:{plan.gateway_id}")
        assert (ours.status, ours.next_opens_at) == ("active", plan.next_payment_at)
        assert shelf.plans[plan.gateway_id].is_stopped


@needs_row_locks
@pytest.mark.django_db(transaction=True)
def test_a_subscription_of_the_same_customer_is_set_up_meanwhile(merchant, shelf, source):
    ada = customer_for(Payer(merchant=merchant, mode="test", email="ada@example.com", name="Ada"))
    method, plan = make_method(customer=ada), shelf.put()
    is_held = Event()

    def set_up():
        with transaction.atomic():
            hold_method(method.pk)
            is_held.set()
            wait_until_one_waits_for_us()
            make_subscription(merchant, payment_method=method)

    def take():
        is_held.wait()
        return take_over(source, plan.gateway_id)

    results = race(set_up, take)

    assert not [result for result in results if isinstance(result, BaseException)]
    assert Subscription.objects.filter(status="active").count() == 2


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"problem": "it is odd"}, "it is odd"),
        ({"is_stopped": True, "status": "completed"}, "does not collect it any more"),
        ({"interval": None, "words": "hourly"}, "due 'hourly', which is no interval here"),
        ({"customer_email": ""}, "e-mail address is not told"),
        ({"payments_left": 0}, "all its payments are made"),
        ({"amount": None}, "amount cannot be read"),
        ({"amount": Money(0, "NGN")}, "amount cannot be read"),
        ({"amount": Money(5, "EUR")}, "no gateway here takes EUR 0.05"),
        ({"next_payment_at": None}, "next date is not told"),
    ],
)
def test_what_cannot_be_taken_over_is_left_alone_and_says_why(shelf, source, changes, problem):
    shelf.put(**changes)

    with pytest.raises(CannotTakeOver, match=problem):
        take_over(source, "SUB_0")

    assert problem in candidates(source)[0].problem
    assert not Subscription.objects.exists()
    assert "stop" not in shelf.calls


@pytest.mark.parametrize("minutes", [-5, 0, 59])
def test_what_is_due_within_the_hour_may_be_charged_there_already(shelf, source, minutes):
    shelf.put(next_payment_at=clock.now() + timedelta(minutes=minutes))

    with pytest.raises(CannotTakeOver, match="due now"):
        take_over(source, "SUB_0")


def test_where_no_next_date_is_told_it_is_counted_from_the_start(shelf, source):
    begun = clock.now() - timedelta(days=45)
    shelf.put(next_payment_at=None, started_at=begun, interval="weekly", interval_count=2)

    assert candidates(source)[0].starts_at == begun + timedelta(days=56)


def test_a_gateway_without_plans_says_so(merchant, source, gateway):
    with pytest.raises(CannotTakeOver, match="does not tell of subscriptions"):
        candidates(source)


def test_other_merchants_see_nothing_of_it(shelf, source, other_merchant):
    take_over(source, shelf.put().gateway_id)

    assert not Subscription.objects.for_merchant(other_merchant, "test").exists()


def test_the_list_changes_nothing_and_says_what_would_be_done(shelf, source):
    shelf.put()
    shelf.put(saved_method=None, customer_name="")
    shelf.put(interval=None, words="hourly")

    told = run("paystack")

    assert "SUB_0  Ada <ada@example.com>\n    NGN 5,000.00 every month, next date: " in told
    assert "method: visa 4081, active\n    would be charged here from" in told
    assert "SUB_1  ada@example.com\n" in told
    assert "by a payment link (send_link)" in told
    assert "cannot be taken over: it is due 'hourly'" in told
    assert "3 at paystack (test), 2 to be taken over." in told
    assert not Subscription.objects.exists()
    assert shelf.calls == ["list"]


def test_the_list_shows_what_was_begun_and_what_is_done(shelf, source):
    done = take_over(source, shelf.put().gateway_id)
    shelf.deaf = True
    with pytest.raises(CannotTakeOver):
        take_over(source, shelf.put().gateway_id)

    told = run("paystack")

    assert f"taken over as {done.reference}, active\n" in told
    assert "paused: not finished, take it over again" in told
    assert "2 at paystack (test), 1 to be taken over." in told


def test_all_takes_over_what_can_be_and_finishes_what_was_begun(shelf, source):
    shelf.put()
    shelf.put(interval=None, words="hourly")
    shelf.killed_after = 2
    with pytest.raises(Killed):
        take_over(source, "SUB_0")
    shelf.put()

    told = run("paystack", "--all")

    assert told.count(" now, active, next on ") == 2
    assert set(Subscription.objects.values_list("status", flat=True)) == {"active"}
    assert not shelf.plans["SUB_1"].is_stopped


def test_one_that_fails_does_not_stop_the_others_and_is_told(shelf, source):
    shelf.put(payments_left=0)
    shelf.put()

    with pytest.raises(CommandError, match="1 of 2 were not taken over"):
        run("paystack", "--take-over", "SUB_0", "SUB_1")

    assert Subscription.objects.get().imported_from == "paystack:SUB_1"


def test_a_gateway_that_does_not_answer_is_told(shelf, source, monkeypatch):
    def silent(self):
        raise GatewayUnknown("half a list")

    monkeypatch.setattr(registry.GATEWAYS["paystack"], "list_plan_subscriptions", silent)

    with pytest.raises(CommandError, match="half a list"):
        run("paystack")


def seed(sandbox, gateway, **body):
    answer = httpx2.post(f"{sandbox.url}/control/plans/{gateway}", json=body, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_plan_of_paystacks_is_taken_over_by_real_http(merchant, source, sandbox):
    due = f"{clock.now() + timedelta(days=9):%Y-%m-%dT07:00:00Z}"
    body = {"email": "ada@example.com", "amount_minor": 500_000, "interval": "annually"}
    code = seed(sandbox, "paystack", **body, next_payment_date=due)["subscription_code"]

    told = run("paystack", "--take-over", code)

    ours = Subscription.objects.get()
    assert f"{code} is {ours.reference} now, active" in told
    assert (ours.status, ours.interval, f"{ours.anchor_at:%Y-%m-%dT%H:%M:%SZ}") == ("active", "yearly", due)
    assert [one.plan.status for one in candidates(source)] == ["non-renewing"]


def test_a_plan_of_flutterwaves_is_taken_over_by_payment_links(merchant, settings, sandbox):
    settings.FLUTTERWAVE_SECRET_KEY = FLUTTERWAVE_TEST_KEY
    settings.FLUTTERWAVE_WEBHOOK_HASH = FLUTTERWAVE_TEST_HASH
    body = {"email": "ada@example.com", "name": "Ada", "amount": 5_000, "interval": "every 2 weeks"}
    number = seed(sandbox, "flutterwave", **body)["id"]

    told = run("flutterwave", "--all")

    ours = Subscription.objects.get()
    assert f"{number} is {ours.reference} now, active" in told
    assert (ours.collection, ours.interval, ours.interval_count) == ("send_link", "weekly", 2)
    assert "1 at flutterwave (test), 0 to be taken over." in run("flutterwave")
