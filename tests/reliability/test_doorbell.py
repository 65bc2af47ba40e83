"""Gateways' events: too many, too few, too early, out of order, strange and forged."""

import random
from functools import partial
from itertools import permutations

import pytest
from django.db import OperationalError, connection

from tests.builders import make_inbound_event
from tests.races.conftest import race
from tests.reliability.matrix import cases
from tests.reliability.signing import about_transaction, changed, rearranged
from tests.reliability.truth import assert_in_order, is_listed
from tests.reliability.world import DAY_S, status_of
from tillgate.common.references import new_reference
from tillgate.events.models import Event
from tillgate.gateways.http import IN_WORKER
from tillgate.gateways.protocol import AttemptRef, CapturesApproved, PaymentRequest
from tillgate.inbox.models import InboundEvent
from tillgate.inbox.services import waiting_for_a_person
from tillgate.ledger.models import Entry
from tillgate.merchants.services.accounts import connect, listeners
from tillgate.payments.models import Payment, Refund

COPIES = 50
NOBODYS = {"paystack": 999_999_999_999, "flutterwave": 999_999_999_999, "paypal": "9ZZ99999ZZ999999Z"}
SECRETS = {
    "paystack": ("PAYSTACK_SECRET_KEY", "sk_test_another_key_0123456789abcdef"),
    "flutterwave": ("FLUTTERWAVE_WEBHOOK_HASH", "another-hash-0123456789"),
    "paypal": ("PAYPAL_WEBHOOK_ID", "1AB23456CD789012E"),
}


@pytest.fixture
def keys(tmp_path):
    """Where the emulated PayPal keeps the keys that it signs with."""
    return tmp_path / "sandbox"


def paid_unheard(world):
    """An attempt that is paid at the gateway, of which we have no answer yet."""
    attempt = world.session()
    world.pay(attempt)
    if world.way.captures:
        world.fault(world.way.take, "500_after")
        world.wait(20)
        world.calm()
    return attempt


def claim_of(world, attempt):
    """The event that says that the money came."""
    mine = [event for event in world.events() if event["reference"] == attempt.gateway_reference]
    return mine[-1]


def states():
    return list(InboundEvent.objects.order_by("pk").values_list("state", flat=True))


@cases("W-01")
def test_an_event_that_comes_fifty_times_has_one_effect(world):
    attempt = paid_unheard(world)
    event = claim_of(world, attempt)

    statuses = {world.ring(event) for _ in range(COPIES)}
    world.work()

    assert (statuses, states()) == ({200}, ["applied"])
    assert Event.objects.filter(subject=attempt.payment.reference, type="payment.completed").count() == 1
    assert Entry.objects.values("journal").distinct().count() == 1
    assert_in_order(world)


@cases("W-01")
@pytest.mark.django_db(transaction=True)
def test_an_event_that_comes_many_times_at_once_has_one_effect(transactional_db, world, doors):
    attempt = paid_unheard(world)
    event = claim_of(world, attempt)

    statuses = race(*(partial(door.ring, event) for door in doors(6)))
    world.work()

    assert (set(statuses), states()) == ({200}, ["applied"])
    assert_in_order(world)
    assert Event.objects.filter(type="payment.completed").count() == 1


@cases("W-02")
def test_an_event_that_overtakes_the_answer_to_its_session_is_applied_once(world):
    payment = world.order()
    world.fault(world.way.start, "500_after")
    assert world.open(payment).status_code == 504

    world.pay(payment.attempts.get())
    world.ring_all()
    world.work()

    assert_in_order(world)
    # Without its answer nobody could have been sent to PayPal's page, and what is agreed to is no money.
    expected = ("failed", 0) if world.way.captures else ("completed", 1)
    assert (status_of(payment), world.charges()) == expected


@cases("W-03")
def test_events_in_any_order_end_the_same(world):
    _, told = partly_refunded_unheard(world)
    assert 2 <= len(told) <= 4
    ends = set()

    for order in permutations(range(len(told))):
        attempt, told = partly_refunded_unheard(world)
        for place in order:
            assert world.ring(told[place]) == 200
            world.work()
        world.wait(4_000)
        ends.add((status_of(attempt.payment), attempt.payment.refunded_minor, attempt.refunds.count()))

    # Paystack says of such a payment that money is on its way back: hearing that first needs a person.
    status = "review" if world.gateway == "paystack" else "partially_refunded"
    assert ends == {(status, 2_000, 1)}
    assert_in_order(world)


def partly_refunded_unheard(world):
    """An attempt that was paid and partly refunded, and all that its gateway has to tell of it."""
    attempt = world.session()
    world.pay(attempt)
    if world.way.captures:
        world.wait(20)
    world.refund_at_gateway(attempt, amount_minor=2_000, outcome="success")
    return attempt, [event for event in world.events() if event["reference"] == attempt.gateway_reference]


@cases("W-04")
def test_an_event_about_a_payment_that_is_not_ours_is_kept_for_a_person(world):
    gateway = connect(listeners(world.gateway)[0].account, IN_WORKER)
    request = PaymentRequest(
        gateway_reference=new_reference("ATT"),
        amount=world.order().amount,
        customer_email="eve@example.com",
        description="",
        return_url="https://shop.example/",
        cancel_url="https://shop.example/",
    )
    started = gateway.start_payment(request)
    name = {"gateway": world.gateway, "reference": request.gateway_reference}
    world.control("pay", {**name, "outcome": "success"})
    if isinstance(gateway, CapturesApproved):
        ref = AttemptRef(gateway_id=None, session_id=started.session_id, gateway_reference=name["reference"])
        gateway.capture_approved(ref)

    world.ring_all()
    world.work()

    assert set(states()) == {"parked"}
    assert any(request.gateway_reference in sentence for sentence in waiting_for_a_person())
    assert_in_order(world)
    assert set(Payment.objects.values_list("status", flat=True)) == {"pending"}


@cases("W-05")
def test_an_event_that_says_more_than_the_gateway_confirms_is_not_believed(world):
    attempt = paid_unheard(world)
    event = claim_of(world, attempt)
    world.fault(world.way.look, "pending", times=2)

    assert world.ring(event) == 200
    world.work()

    assert status_of(attempt.payment) in ("pending", "processing")
    assert states() == ["stored"]
    assert_in_order(world)
    assert (status_of(attempt.payment), states()[0]) == ("completed", "applied")


@cases("W-06")
@pytest.mark.parametrize("fault", ["timeout_before", "500_before", "reset_before"])
def test_an_event_is_acknowledged_before_the_gateway_is_asked(world, fault):
    attempt = paid_unheard(world)
    event = claim_of(world, attempt)
    world.fault(world.way.look, fault)

    assert world.ring(event) == 200
    world.work()

    assert states() == ["stored"]
    world.wait(20)
    assert (status_of(attempt.payment), states()) == ("completed", ["applied"])
    assert_in_order(world)


@cases("W-07")
def test_an_event_that_cannot_be_stored_is_not_acknowledged(world):
    attempt = paid_unheard(world)
    event = claim_of(world, attempt)

    def full(execute, sql, params, many, context):
        if sql.startswith("INSERT") and "inbox_inboundevent" in sql:
            raise OperationalError("the disk is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(full):
        assert world.ring(event) >= 500
    assert states() == []

    assert world.ring(event) == 200
    world.work()
    assert (status_of(attempt.payment), states()) == ("completed", ["applied"])
    assert_in_order(world)


@cases("W-08")
@pytest.mark.parametrize("id", [None, "9" * 10_000, "", {"a": 1}], ids=["none", "long", "empty", "object"])
def test_an_event_whose_id_is_none_is_told_apart_by_its_bytes(world, keys, id):
    attempt = paid_unheard(world)
    event = changed(claim_of(world, attempt), keys, id=id)
    other = changed(event, keys, padding="another event")

    statuses = [world.ring(one) for one in (event, other, event)]
    world.work()

    assert statuses == [200] * 3
    assert len(states()) == 2
    assert_in_order(world)
    assert status_of(attempt.payment) == "completed"


@cases("W-08")
def test_an_id_that_another_gateway_has_used_is_another_event(world):
    attempt = paid_unheard(world)
    event = claim_of(world, attempt)
    headers = {name.lower(): value for name, value in event["headers"].items()}
    told = connect(listeners(world.gateway)[0].account, IN_WORKER).read_event(headers, event["body"].encode())
    make_inbound_event(attempt, gateway="another", dedupe_key=told.dedupe_key, state="applied")

    assert world.ring(event) == 200
    world.work()

    assert states() == ["applied", "applied"]
    assert status_of(attempt.payment) == "completed"
    assert_in_order(world)


@cases("W-09")
def test_an_event_that_can_never_be_applied_holds_up_no_other(world, keys):
    poisoned, healthy = paid_unheard(world), paid_unheard(world)
    poison = about_transaction(claim_of(world, poisoned), NOBODYS[world.gateway], keys)

    assert [world.ring(poison), world.ring(claim_of(world, healthy))] == [200, 200]
    world.work()

    assert states() == ["stored", "applied"]
    assert status_of(healthy.payment) == "completed"
    assert_in_order(world)
    assert is_listed(poisoned.payment)


@cases("W-10")
def test_a_backlog_in_any_order_is_worked_off(world):
    attempts = [paid_unheard(world) for _ in range(12)]
    events = world.events()
    random.Random(7).shuffle(events)

    assert {world.ring(event) for event in events} == {200}
    world.work()

    assert {status_of(attempt.payment) for attempt in attempts} == {"completed"}
    assert set(states()) == {"applied"}
    assert_in_order(world)


@cases("W-11")
def test_without_any_event_everything_is_found_all_the_same(world):
    bought, paid = world.bought(), paid_unheard(world)
    world.refund_at_gateway(bought.attempts.get(), amount_minor=1_500, outcome="success")

    for seconds in (20, 40, 60, 3_600, DAY_S):
        world.wait(seconds)

    assert not InboundEvent.objects.exists()
    assert (status_of(paid.payment), status_of(bought)) == ("completed", "partially_refunded")
    assert Refund.objects.get().amount_minor == 1_500
    assert_in_order(world)


@cases("W-12")
def test_while_a_secret_is_changed_events_under_both_are_heard_and_later_only_the_new(world, settings):
    attempt = paid_unheard(world)
    event = claim_of(world, attempt)
    name, other = SECRETS[world.gateway]
    ours = getattr(settings, name)

    setattr(settings, name, other)
    assert (world.ring(event), states()) == (401, [])
    setattr(settings, f"{name}_PREVIOUS", ours)
    assert world.ring(event) == 200
    setattr(settings, f"{name}_PREVIOUS", "")
    assert world.ring(event) == 401
    setattr(settings, name, ours)  # Our questions need it, too.
    world.work()

    assert (status_of(attempt.payment), states()) == ("completed", ["applied"])
    assert_in_order(world)


@cases("W-13")
def test_the_same_news_in_other_bytes_is_the_same_event(world, keys):
    attempt = paid_unheard(world)
    event = claim_of(world, attempt)
    again = rearranged(event, keys)
    assert again["body"] != event["body"]

    assert [world.ring(event), world.ring(again)] == [200, 200]
    world.work()

    assert states() == ["applied"]
    assert Event.objects.filter(type="payment.completed").count() == 1
    assert_in_order(world)
