"""What gateways told of somebody who has left is emptied, and of nobody else."""

from typing import Any

import pytest

from tests.builders import (
    make_attempt,
    make_attempt_in,
    make_inbound_event,
    make_payment,
    make_snapshot,
    make_surplus,
    make_user,
)
from tillgate.inbox.models import InboundEvent
from tillgate.inbox.services import apply_event, empty_events_of
from tillgate.merchants.models import User

BODY = b'{"email": "ada@example.com"}'


@pytest.fixture
def gone(merchant) -> User:
    return make_user("deleted-ada")


def full() -> set[str]:
    return {event.dedupe_key for event in InboundEvent.objects.all() if bytes(event.body) or event.headers}


def test_events_are_found_by_our_name_by_the_gateways_and_by_a_surplus(gone):
    attempt = make_attempt_in("succeeded", make_payment(account=gone))
    surplus = make_surplus(attempt)
    about: list[dict[str, Any]] = [
        {"gateway_reference": attempt.gateway_reference},
        {"gateway_reference": "", "gateway_id": attempt.gateway_id},
        {"gateway_reference": "", "gateway_id": surplus.gateway_id},
    ]
    for n, names in enumerate(about):
        make_inbound_event(attempt, dedupe_key=str(n), body=BODY, headers={"user-agent": "x"}, **names)

    for _ in range(2):
        empty_events_of(gone.username)

    assert full() == set()
    assert InboundEvent.objects.count() == 3


def test_another_persons_events_stay_also_under_the_same_id_elsewhere(gone, merchant):
    mine = make_attempt_in("succeeded", make_payment(account=gone), gateway_id="77")
    theirs = make_attempt(make_payment(account=make_user("eve")))
    guests = make_attempt(make_payment())
    make_inbound_event(theirs, dedupe_key="theirs", body=BODY)
    make_inbound_event(guests, dedupe_key="guests", body=BODY)
    for gateway, mode in (("flutterwave", "test"), ("paystack", "live")):
        names = {"gateway": gateway, "mode": mode, "gateway_reference": "", "gateway_id": "77"}
        make_inbound_event(mine, dedupe_key=gateway + mode, body=BODY, **names)
    make_inbound_event(mine, dedupe_key="nothing", body=BODY, gateway_reference="", gateway_id="")

    empty_events_of(gone.username)

    assert full() == {"theirs", "guests", "flutterwavetest", "paystacklive", "nothing"}


def test_an_event_that_was_emptied_before_it_was_applied_is_applied_all_the_same(gone, gateway):
    attempt = make_attempt(make_payment(account=gone))
    gateway.says("fetch_payment", make_snapshot(attempt))
    event = make_inbound_event(attempt, body=BODY)
    empty_events_of(gone.username)

    apply_event(event.pk)

    event.refresh_from_db()
    assert event.state == InboundEvent.State.APPLIED
