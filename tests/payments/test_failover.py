"""Several gateways: the next one is tried when one cannot open its page, and two sessions harm nobody."""

import time

import pytest

from tests.builders import make_attempt, make_ill, make_payment, make_snapshot
from tests.fakes import PAGE
from tillgate.common import clock
from tillgate.common.errors import GatewayTrouble
from tillgate.events.models import Event
from tillgate.gateways.errors import DuplicateReference, GatewayUnknown, Rejected, Unreachable
from tillgate.gateways.protocol import GatewayState, PaymentStarted
from tillgate.merchants.errors import GatewayResting, NoGateway
from tillgate.merchants.models import GatewayHealth
from tillgate.merchants.services.rules import add_rule
from tillgate.payments.errors import GatewayRefused, GatewayTimeout, StillRunning, TooManyAttempts
from tillgate.payments.models import Attempt, Payment, Surplus
from tillgate.payments.services import sessions
from tillgate.payments.services.sessions import Claim, open_session, ways_to_pay
from tillgate.payments.services.sync import apply_answer, ask
from tillgate.payments.services.verify import violations

KEY = Claim(idempotency_hash="a" * 64, request_hash="b" * 64)
LOST = GatewayUnknown("no answer in time")
TROUBLES = [LOST, DuplicateReference("known already"), Unreachable("refused"), Rejected("a wrong key")]


@pytest.fixture
def dollars(merchant, gateways) -> Payment:
    """A payment that all three can take: Paystack first, then Flutterwave, then PayPal."""
    return make_payment(merchant, amount_minor=10_000, currency="USD")


@pytest.fixture
def naira(merchant, gateways) -> Payment:
    """A payment that two can take: Flutterwave first, then Paystack."""
    return make_payment(merchant, amount_minor=500_000)


def page_of(gateway: str) -> PaymentStarted:
    return PaymentStarted(redirect_url=f"https://{gateway}.example/pay")


def break_down(gateways, *names: str, error: Exception = LOST) -> None:
    for name in names:
        gateways[name].says("start_payment", error)


def rest(*names: str) -> None:
    for name in names:
        make_ill(name)


def tried(payment: Payment) -> list[tuple[str, str]]:
    return list(payment.attempts.order_by("pk").values_list("gateway", "status"))


def pay(attempt: Attempt) -> None:
    apply_answer(attempt, make_snapshot(attempt))


@pytest.mark.parametrize("error", TROUBLES, ids=lambda error: type(error).__name__)
def test_g22_a_gateway_that_cannot_open_is_followed_by_the_next(dollars, gateways, error):
    break_down(gateways, "paystack", error=error)

    attempt, is_new = open_session(dollars, None)

    doubtful = isinstance(error, GatewayUnknown | DuplicateReference)
    dollars.refresh_from_db()
    assert (attempt.gateway, is_new, attempt.redirect_url) == ("flutterwave", True, PAGE.redirect_url)
    assert tried(dollars) == [
        ("paystack", "unknown" if doubtful else "failed"),
        ("flutterwave", "pending"),
    ]
    assert (dollars.status, dollars.gateway) == ("pending", "flutterwave")


def test_an_attempt_left_in_doubt_is_still_asked_and_ends(dollars, gateways):
    break_down(gateways, "paystack")
    open_session(dollars, None)
    lost = dollars.attempts.get(gateway="paystack")
    gateways["paystack"].says("fetch_payment", make_snapshot(lost, GatewayState.ABSENT))

    clock.advance(60)
    ask(lost.pk)
    ask(lost.pk)

    lost.refresh_from_db()
    assert (lost.status, dollars.attempts.get(gateway="flutterwave").status) == ("failed", "pending")


def test_money_by_an_attempt_left_in_doubt_is_a_surplus(dollars, gateways):
    break_down(gateways, "paystack")
    attempt, _ = open_session(dollars, None)
    pay(attempt)

    pay(dollars.attempts.get(gateway="paystack"))

    dollars.refresh_from_db()
    assert (dollars.status, dollars.surplus_minor) == ("completed", 10_000)


def test_when_all_are_down_the_caller_may_come_back(dollars, gateways):
    break_down(gateways, "paystack", error=Rejected("a wrong key"))
    break_down(gateways, "flutterwave", "paypal")

    with pytest.raises(GatewayTimeout) as refused:
        open_session(dollars, None)

    assert [status for _, status in tried(dollars)] == ["failed", "unknown", "unknown"]
    assert refused.value.headers["Retry-After"]
    assert "can also be paid" not in refused.value.message


def test_when_all_refuse_it_is_the_merchants_to_mend(dollars, gateways):
    break_down(gateways, *gateways, error=Rejected("a wrong key"))

    with pytest.raises(GatewayRefused):
        open_session(dollars, None)

    assert not GatewayHealth.objects.exists()


def test_all_tries_together_take_no_longer_than_one_request(dollars, gateways, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def wait_to_the_end(script):
        def hang(request):
            now[0] += script.patiences[-1].total_s
            raise LOST

        return hang

    for script in gateways.values():
        script.says("start_payment", wait_to_the_end(script))
    with pytest.raises(GatewayTimeout):
        open_session(dollars, None)

    waits = {name: script.patiences[0].total_s for name, script in gateways.items()}
    assert waits == {"paystack": 5, "flutterwave": 2.5, "paypal": 2.5}


def test_a_gateway_without_time_left_is_not_asked(dollars, gateways, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def hang(request):
        now[0] += 9.8  # The database was slow, too.
        raise LOST

    gateways["paystack"].says("start_payment", hang)
    with pytest.raises(GatewayTimeout):
        open_session(dollars, None)

    assert tried(dollars) == [("paystack", "unknown")]


def test_a_chosen_gateway_has_no_stand_in_and_the_others_are_named(dollars, gateways):
    break_down(gateways, "flutterwave", error=Unreachable("refused"))

    with pytest.raises(
        GatewayTrouble, match="also be paid with paystack or paypal; see GET /api/v1/gateways"
    ):
        open_session(dollars, "flutterwave")

    assert tried(dollars) == [("flutterwave", "failed")]


def test_a_pinned_payment_has_no_stand_in_and_none_is_named(merchant, gateways):
    payment = make_payment(merchant, currency="USD", gateway="paypal", gateway_pinned=True)
    break_down(gateways, "paypal", error=Unreachable("refused"))

    with pytest.raises(GatewayTrouble) as refused:
        open_session(payment, None)

    assert "also be paid" not in refused.value.message
    assert tried(payment) == [("paypal", "failed")]


def test_a_pinned_payment_is_not_opened_elsewhere(merchant, gateways):
    payment = make_payment(merchant, currency="USD", gateway="paypal", gateway_pinned=True)

    with pytest.raises(NoGateway, match="pinned to paypal"):
        open_session(payment, "paystack")


def test_what_the_merchant_excluded_is_refused_by_its_rule(dollars, merchant, gateways):
    add_rule(merchant, {"action": "exclude", "gateway": "paypal", "currency": "USD"})

    with pytest.raises(NoGateway, match="exclude paypal for USD"):
        open_session(Payment.objects.get(), "paypal")

    assert gateways["paypal"].calls == []


def test_g30_paypal_is_not_asked_for_naira(naira, gateways):
    with pytest.raises(NoGateway, match=r"paypal cannot take NGN. It takes EUR, GBP, USD"):
        open_session(naira, "paypal")

    assert (gateways["paypal"].calls, tried(naira)) == ([], [])


def test_g21_a_resting_gateway_is_passed_over_without_a_call(naira, gateways):
    rest("flutterwave")

    attempt, _ = open_session(naira, None)

    assert attempt.gateway == "paystack"
    assert tried(naira) == [("paystack", "pending")]


def test_g22_a_resting_gateway_that_was_chosen_is_answered_at_once(naira, gateways):
    rest("flutterwave")

    with pytest.raises(GatewayResting, match="also be paid with paystack") as refused:
        open_session(naira, "flutterwave")

    assert (refused.value.http_status, refused.value.code) == (503, "gateway_unavailable")
    assert 25 <= int(refused.value.headers["Retry-After"]) <= 30
    assert (gateways["flutterwave"].calls, tried(naira)) == ([], [])


def test_g22_when_all_rest_nobody_is_called_and_nothing_is_lost(naira, gateways):
    rest("flutterwave", "paystack")

    with pytest.raises(GatewayResting):
        open_session(naira, None)

    assert tried(naira) == []
    clock.advance(31)
    assert open_session(naira, None)[0].gateway == "flutterwave"


def test_g22_the_first_caller_after_the_rest_is_the_trial_and_its_success_ends_it(naira, gateways):
    rest("flutterwave")
    clock.advance(30)

    assert open_session(naira, None)[0].gateway == "flutterwave"
    assert GatewayHealth.objects.get().failures == 0


def test_g21_faults_at_one_payment_spare_the_next_one_the_wait(merchant, gateways):
    break_down(gateways, "flutterwave")
    for _ in range(5):
        open_session(make_payment(merchant, amount_minor=500_000), None)

    assert gateways["flutterwave"].called("start_payment") == 3
    assert gateways["paystack"].called("start_payment") == 5


def test_g22_an_outage_does_not_use_up_the_attempts(naira, gateways):
    break_down(gateways, "flutterwave", "paystack")
    for _ in range(sessions.MAX_ATTEMPTS):
        with pytest.raises(GatewayTrouble):
            open_session(naira, None)
        clock.advance(600)
    assert naira.attempts.count() > sessions.MAX_ATTEMPTS

    gateways["flutterwave"].says("start_payment", PAGE)

    assert open_session(naira, None)[0].status == "pending"


def test_there_is_an_end_to_attempts_without_a_page(naira, gateways):
    for _ in range(sessions.MAX_ROWS):
        make_attempt(naira, status="failed", redirect_url="")

    with pytest.raises(TooManyAttempts):
        open_session(naira, None)


def test_without_a_choice_any_open_session_will_do(naira, gateways):
    first, _ = open_session(naira, "paystack")

    assert open_session(naira, None) == (first, False)


def test_without_a_choice_a_page_of_a_resting_gateway_will_not_do(naira, gateways):
    open_session(naira, "flutterwave")
    rest("flutterwave")

    attempt, is_new = open_session(naira, None)

    assert (attempt.gateway, is_new) == ("paystack", True)


def test_m06_a_key_follows_its_request_to_the_gateway_that_opened(dollars, gateways):
    break_down(gateways, "paystack")
    first, _ = open_session(dollars, None, KEY)

    again, is_new = open_session(dollars, None, KEY)

    assert (again, again.gateway, is_new) == (first, "flutterwave", False)
    assert Attempt.objects.get(idempotency_hash=KEY.idempotency_hash) == first


def test_m03_another_request_that_comes_between_two_tries_is_waited_for(dollars, gateways):
    def lose(request):
        make_attempt(dollars, gateway="paypal", status="sent", redirect_url="")
        raise LOST

    gateways["paystack"].says("start_payment", lose)
    with pytest.raises(StillRunning):
        open_session(dollars, None)

    assert gateways["flutterwave"].calls == []


def test_the_timeline_tells_every_try(dollars, gateways):
    break_down(gateways, "paystack", error=Unreachable("refused"))
    open_session(dollars, None)

    told = Event.objects.filter(subject=dollars.reference).order_by("sequence")
    assert [(event.type, event.data.get("gateway")) for event in told] == [
        ("attempt.created", "paystack"),
        ("attempt.failed", None),
        ("attempt.created", "flutterwave"),
    ]


def test_opening_costs_a_fixed_number_of_statements(merchant, gateways, statements):
    payments = [make_payment(merchant, currency="USD") for _ in range(2)]
    with statements() as first:
        open_session(payments[0], None)
    with statements() as chosen:
        open_session(payments[1], "paystack")

    health = [sql for sql in first if "gatewayhealth" in sql]
    assert len(first) == len(chosen)
    # The order, and the leave to call: two readings, and no write while all is well.
    assert [sql.split()[0] for sql in health] == ["SELECT", "SELECT"]


def test_g24_paystack_then_paypal_both_paid_is_one_payment_and_one_surplus(dollars, gateways):
    first, _ = open_session(dollars, "paystack")
    second, _ = open_session(dollars, "paypal")
    first.refresh_from_db()
    assert (first.status, second.status) == ("superseded", "pending")

    pay(second)
    pay(first)

    dollars.refresh_from_db()
    surplus = Surplus.objects.get()
    assert (dollars.status, dollars.gateway) == ("completed", "paypal")
    assert (dollars.received_minor, dollars.surplus_minor) == (10_000, 10_000)
    assert (surplus.attempt, surplus.gateway, surplus.amount_minor) == (first, "paystack", 10_000)
    assert list(violations()) == []


def test_g24_what_was_only_agreed_to_is_not_taken_when_it_is_paid_already(dollars, gateways):
    second, _ = open_session(dollars, "paypal")
    first, _ = open_session(dollars, "paystack")
    pay(first)
    gateways["paypal"].says("fetch_payment", make_snapshot(second, GatewayState.APPROVED, gateway_id=None))

    ask(second.pk)

    dollars.refresh_from_db()
    assert gateways["paypal"].called("capture_approved") == 0
    assert (dollars.status, dollars.surplus_minor, Surplus.objects.count()) == ("completed", 0, 0)


def test_g24_going_back_and_forth_keeps_one_session_open(dollars, gateways):
    for name in ("paystack", "paypal", "paystack"):
        gateways[name].says("start_payment", page_of(name))
        open_session(dollars, name)

    assert tried(dollars) == [("paystack", "superseded"), ("paypal", "superseded"), ("paystack", "pending")]


def test_the_ways_to_pay_are_the_order_of_the_tries(dollars, merchant, gateways):
    add_rule(merchant, {"action": "prefer", "gateway": "paypal"})
    payment = Payment.objects.select_related("merchant").get()

    ways = [way.gateway for way in ways_to_pay(payment)]
    assert ways == ["paypal", "paystack", "flutterwave"]

    break_down(gateways, *ways)
    with pytest.raises(GatewayTrouble):
        open_session(payment, None)
    assert [name for name, _ in tried(payment)] == ways


def test_g22_the_only_way_to_pay_is_tried_now_and_then_while_it_rests(merchant, gateways):
    payment = make_payment(merchant, currency="USD", gateway="paypal", gateway_pinned=True)
    rest("paypal")

    with pytest.raises(GatewayResting) as refused:
        open_session(payment, None)
    clock.advance(int(refused.value.headers["Retry-After"]))

    assert open_session(payment, None)[0].gateway == "paypal"
    assert GatewayHealth.objects.get().open_until is None
