"""The contract of saved methods: charged once under one reference, refused as such, forgotten for good.

`contract` brings them into every adapter's tests; plain charges and their lost answers stand in
`contract_abilities`.
"""

from dataclasses import replace

import pytest

from tillgate.gateways.declines import decline
from tillgate.gateways.errors import DuplicateReference, GatewayUnknown, MethodRefused, Rejected
from tillgate.gateways.protocol import ChargesSaved, ForgetsSaved, GatewayState

STRANGE = "nobodys-token"


def test_the_same_charge_again_takes_nothing_more(emulated, gateway):
    emulated.need(ChargesSaved)
    _, method = emulated.saved()
    request = emulated.charge_of(method)
    first = gateway.charge_saved(request)

    if gateway.charge_key_kept is None:
        with pytest.raises(DuplicateReference):
            gateway.charge_saved(request)
    else:
        assert gateway.charge_saved(request).gateway_id == first.gateway_id

    assert len(emulated.journal("charge")) == 2


@pytest.mark.parametrize("outcome", ["insufficient_funds", "pending"])
def test_a_reference_is_used_up_whatever_became_of_its_charge(emulated, gateway, case, outcome):
    emulated.need(ChargesSaved)
    case.need("used references")
    first, method = emulated.saved()
    emulated.control("methods", first, next=[outcome])
    request = emulated.charge_of(method)
    gateway.charge_saved(request)

    with pytest.raises(DuplicateReference):
        gateway.charge_saved(request)


def test_a_token_that_is_none_is_refused_as_a_method(emulated, gateway):
    emulated.need(ChargesSaved)
    _, method = emulated.saved()

    with pytest.raises(MethodRefused) as caught:
        gateway.charge_saved(emulated.charge_of(method, token=STRANGE))

    assert STRANGE not in str(caught.value)
    assert len(emulated.journal()) == 1


def test_a_method_that_its_owner_withdrew_can_not_be_used(emulated, gateway, case):
    emulated.need(ChargesSaved)
    first, method = emulated.saved()
    emulated.control("methods", first, next=["deactivated"])

    assert refusal_of(emulated, method) == decline("method_not_usable").code
    with pytest.raises(MethodRefused):
        gateway.charge_saved(emulated.charge_of(method))
    assert not any(entry["ok"] for entry in emulated.journal()[1:])


def refusal_of(emulated, method):
    """Why a method is not charged: PayPal declines once and then knows it no more, the others refuse it."""
    try:
        return emulated.gateway.charge_saved(emulated.charge_of(method)).failure.code
    except MethodRefused:
        return "method_not_usable"


def test_a_method_is_charged_under_the_address_it_was_saved_with_only(emulated, gateway, case):
    emulated.need(ChargesSaved)
    case.need("address of a method")
    _, method = emulated.saved()

    with pytest.raises(MethodRefused):
        gateway.charge_saved(emulated.charge_of(method, customer_email="bob@example.com"))

    assert len(emulated.journal()) == 1


def test_a_wrong_key_says_nothing_about_the_method(emulated, case):
    emulated.need(ChargesSaved)
    _, method = emulated.saved()
    stranger = emulated.connect(case.wrong_credentials)

    with pytest.raises(Rejected) as caught:
        stranger.charge_saved(emulated.charge_of(method))

    assert not isinstance(caught.value, MethodRefused)
    assert method.token not in str(caught.value)


def test_the_same_card_has_the_same_signature(emulated, case):
    emulated.need(ChargesSaved)
    case.need("signature")
    _, method = emulated.saved()
    _, again = emulated.saved()
    first = emulated.started(save_method=True)
    emulated.pay(first, card="1234")
    other = emulated.outcome(first).saved_method

    assert method.signature == again.signature != other.signature
    assert (method.last4, other.last4) == ("4081", "1234")


def test_who_saves_a_method_may_still_pay_by_what_cannot_be_saved(emulated, gateway, case):
    emulated.need(ChargesSaved)
    case.need("other channels")
    attempt = emulated.started(save_method=True)
    emulated.pay(attempt, "pending")
    emulated.pay(attempt, "settle")

    snapshot = gateway.fetch_payment(attempt)

    assert (snapshot.state, snapshot.channel) == (GatewayState.SUCCEEDED, case.slow_channel)
    assert snapshot.saved_method is None


def test_a_method_that_was_forgotten_is_charged_no_more(emulated, gateway):
    emulated.need(ForgetsSaved)
    _, method = emulated.saved()

    gateway.forget_saved(method.token, "ada@example.com")

    with pytest.raises(MethodRefused):
        gateway.charge_saved(emulated.charge_of(method))
    assert len(emulated.journal()) == 1


def test_forgetting_leaves_other_methods_alone(emulated, gateway):
    emulated.need(ForgetsSaved)
    _, method = emulated.saved()
    _, other = emulated.saved()

    gateway.forget_saved(method.token, "ada@example.com")

    assert gateway.charge_saved(emulated.charge_of(other)).state == GatewayState.SUCCEEDED


def test_what_the_gateway_does_not_know_is_forgotten_already(emulated, gateway):
    emulated.need(ForgetsSaved)
    _, method = emulated.saved()

    for token in (method.token, method.token, STRANGE):
        gateway.forget_saved(token, "ada@example.com")


def test_a_wrong_key_forgets_nothing(emulated, gateway, case):
    emulated.need(ForgetsSaved)
    _, method = emulated.saved()

    with pytest.raises(Rejected) as caught:
        emulated.connect(case.wrong_credentials).forget_saved(method.token, "ada@example.com")

    assert method.token not in str(caught.value)
    assert gateway.charge_saved(emulated.charge_of(method)).state == GatewayState.SUCCEEDED


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("timeout_after", id="G-01-timeout_after"),
        pytest.param("reset_before", id="G-02-reset_before"),
        pytest.param("500_after", id="G-04-500_after"),
        pytest.param("500_before", id="G-05-500_before"),
    ],
)
def test_a_lost_answer_about_forgetting_is_unknown_and_a_repeat_is_harmless(emulated, gateway, case, fault):
    emulated.need(ForgetsSaved)
    _, method = emulated.saved()
    emulated.fault(case.forget, fault)

    with pytest.raises(GatewayUnknown) as caught:
        emulated.hasty.forget_saved(method.token, "ada@example.com")
    gateway.forget_saved(method.token, "ada@example.com")

    assert method.token not in str(caught.value)
    with pytest.raises(MethodRefused):
        gateway.charge_saved(emulated.charge_of(method))


def test_a_token_is_in_no_text_that_could_reach_a_log(emulated):
    emulated.need(ChargesSaved)
    attempt, method = emulated.saved()
    snapshot = emulated.gateway.fetch_payment(attempt)
    request = emulated.charge_of(method)

    for told in (method, request, snapshot, replace(snapshot, saved_method=method)):
        assert method.token not in f"{told!r} {told}"
