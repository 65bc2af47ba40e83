"""Every fault that the emulators know, at every call on the way from the first session to the last refund."""

from importlib import import_module

import pytest

from sandbox.faults import FORM_FAULTS
from tests.reliability.matrix import WAYS
from tests.reliability.truth import assert_in_order, is_listed
from tests.reliability.world import DAY_S, UNTRUE, status_of
from tillgate.gateways.registry import GATEWAYS

ARGS = {
    "huge_body": {"bytes": 3_000_000},
    "gzip_bomb": {"bytes": 20_000_000},
    "wrong_amount": {"amount_minor": 4_000},
    "lookup_lag": {"seconds": 60},
    "then_reverse": {"after_s": 300},
}
# The others are about when events are sent, and these are only ever held for the test to deliver.
OF_EVENTS = ("event_dup", "event_forge")
OF_RECURRING = ("vault_later",)  # Saves a method, which no one-time payment does.


def sweep():
    """Each fault at each call, every night; else each fault at one of a gateway's calls, and each call with
    some of them."""
    for gateway in GATEWAYS:
        way, reach = WAYS[gateway], import_module(f"sandbox.{gateway}").REACH
        for place, fault in enumerate(sorted({*FORM_FAULTS, *reach.faults} - set(OF_RECURRING))):
            calls = [call for call in way.operations if f"{gateway}.{call}" in reach.of(fault)]
            for number, call in enumerate(calls):
                marks = () if number == place % len(calls) else pytest.mark.long
                yield pytest.param(gateway, call, fault, id=f"{gateway}-{call}-{fault}", marks=marks)
        for fault in OF_EVENTS:
            yield pytest.param(gateway, "event", fault, id=f"{gateway}-{fault}")


@pytest.mark.parametrize(("world", "operation", "fault"), list(sweep()), indirect=["world"])
def test_any_fault_at_any_call_ends_in_order(world, operation, fault):
    payment = world.order()
    world.fault(operation, fault, **ARGS.get(fault, {}))

    world.pay(world.session(payment))
    world.wait(20)
    world.ring_all()
    world.wait(100)
    if status_of(payment) != "completed":
        assert_in_order(world)
    answer = world.refund(payment, "20.00")
    for seconds in (0, 4_000, DAY_S):
        world.wait(seconds)

    assert_in_order(world)
    assert status_of(payment) in ends(world, payment, fault, answer.status_code)


def ends(world, payment, fault, refunding):
    """Where a payment may end under a fault: paid and partly refunded, unless something else is really so."""
    if refunding == 409:
        assert fault in (*UNTRUE, "decline", "then_reverse")
        return {"failed", "expired"} if fault == "decline" else {"review", "refunded"}
    assert refunding == 201
    if "reversal" in {move["kind"] for move in world.journal()}:
        assert is_listed(payment) or payment.refunded_minor == payment.received_minor
        return {"partially_refunded", "refunded"}
    unmade = payment.refunds.exclude(status="succeeded").exists()
    return {"completed"} if unmade else {"partially_refunded"}
