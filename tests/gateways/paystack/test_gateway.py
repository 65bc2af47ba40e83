"""What Paystack could answer though its emulator never does."""

import json
from datetime import UTC, datetime

import pytest

from tests.gateways.contracts import example
from tests.gateways.raw_server import answer, raw_server
from tillgate.gateways import registry
from tillgate.gateways.declines import decline
from tillgate.gateways.errors import DuplicateReference, GatewayUnknown, Rejected, Unreachable
from tillgate.gateways.http import Patience
from tillgate.gateways.paystack.gateway import LONGEST_LIST, PaystackGateway
from tillgate.gateways.protocol import (
    AttemptRef,
    ChargeRequest,
    GatewayAccount,
    GatewayState,
    PaymentRequest,
    RefundRef,
)
from tillgate.money import Money

KEY = "sk_test_0123456789abcdef"
AMOUNT = Money(10_000, "NGN")
ATTEMPT = AttemptRef(gateway_reference="ATT_1", gateway_id="7")
REFUND = RefundRef(attempt=ATTEMPT, amount=AMOUNT, gateway_reference="REF_1", gateway_id="5")
REQUEST = PaymentRequest(
    gateway_reference="ATT_1",
    amount=AMOUNT,
    customer_email="ada@example.com",
    description="",
    return_url="https://shop.example/return",
    cancel_url="https://shop.example/cancel",
)


SINCE = datetime(2026, 1, 1, tzinfo=UTC)
CHARGE = ChargeRequest(
    gateway_reference="ATT_1",
    amount=AMOUNT,
    customer_email="ada@example.com",
    description="",
    token="AUTH_secret",
)


@pytest.fixture
def told():
    """Call with an answer and a question; returns what the adapter makes of it."""

    def tell(body, ask, *, status=200):
        with raw_server(answer(json.dumps(body).encode(), status=status)) as server:
            account = GatewayAccount(
                gateway="paystack", mode="test", base_url=server.url, credentials={"secret_key": KEY}
            )
            return ask(registry.connect(account, Patience(total_s=5, slot_s=0)))

    return tell


def start(gateway):
    return gateway.start_payment(REQUEST)


def fetch(gateway):
    return gateway.fetch_payment(ATTEMPT)


def send_back(gateway):
    return gateway.refund(ATTEMPT, AMOUNT, key="REF_1")


def listed(gateway):
    return gateway.list_refunds(ATTEMPT, since=SINCE)


def contested(gateway):
    return gateway.list_disputes(ATTEMPT, since=SINCE)


def charge(gateway):
    return gateway.charge_saved(CHARGE)


def looked_up(gateway):
    return gateway.fetch_refund(REFUND)


def row(**changes):
    return {"id": 5, "status": "pending", "amount": 10_000, "currency": "NGN", "transaction": 7, **changes}


def ok(data):
    return {"status": True, "message": "Fine", "data": data}


@pytest.mark.parametrize("ask", [start, fetch, send_back, listed, looked_up, contested, charge])
@pytest.mark.parametrize(
    "body",
    [
        {},
        ok(None),
        ok("text"),
        ok({}),
        {"status": True},
        {"status": False, "message": "No"},
        {"status": False, "message": {"a": ["\ud800"]}},
    ],
)
def test_an_answer_that_accepts_nothing_is_unknown(told, ask, body):
    with pytest.raises(GatewayUnknown):
        told(body, ask)


@pytest.mark.parametrize("accepted", [False, None, 1, "true", [True]])
def test_a_call_is_accepted_by_true_and_nothing_like_it(told, accepted):
    assert told(ok(row()), send_back).gateway_id == "5"

    with pytest.raises(GatewayUnknown, match="without accepting"):
        told({**ok(row()), "status": accepted}, send_back)


@pytest.mark.parametrize("status", [201, 202, 204, 301, 307])
@pytest.mark.parametrize("ask", [start, send_back, charge])
def test_another_status_than_200_is_unknown(told, ask, status):
    with pytest.raises(GatewayUnknown):
        told(ok({}), ask, status=status)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
@pytest.mark.parametrize("ask", [start, send_back, listed, contested, charge])
def test_a_refusal_is_told_in_paystacks_words(told, ask, status):
    with pytest.raises(Rejected, match=r"^Not likeddone$"):
        told({"status": False, "message": "Not liked\n\x00done"}, ask, status=status)


def test_a_refusal_without_words_names_its_status(told):
    with pytest.raises(Rejected, match="403"):
        told({}, start, status=403)


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize(
    "body",
    [
        {"code": "transaction_not_found"},
        {"message": "Transaction reference not found."},
        {"message": "Transaction reference not found"},
    ],
)
def test_an_unknown_reference_is_absent_by_400_or_404(told, status, body):
    assert told({"status": False, **body}, fetch, status=status).state == GatewayState.ABSENT


@pytest.mark.parametrize("status", [200, 401, 403])
def test_not_found_by_another_status_is_not_absent(told, status):
    with pytest.raises((GatewayUnknown, Rejected)):
        told({"status": False, "code": "transaction_not_found"}, fetch, status=status)


@pytest.mark.parametrize("status", [400, 404])
def test_another_refusal_of_a_question_is_not_absent(told, status):
    with pytest.raises(Rejected):
        told({"status": False, "message": "Something else"}, fetch, status=status)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_not_found_by_a_broken_gateway_is_not_absent(told, status):
    with pytest.raises(Unreachable):
        told({"status": False, "code": "transaction_not_found"}, fetch, status=status)


def test_their_duplicate_is_a_duplicate(told):
    with pytest.raises(DuplicateReference):
        told(example("paystack/error_duplicate_reference_400.json"), start, status=400)


@pytest.mark.parametrize(
    "body", [{"code": "duplicate_reference"}, {"message": "Duplicate Transaction Reference"}]
)
def test_the_code_or_the_sentence_is_enough_for_a_duplicate(told, body):
    with pytest.raises(DuplicateReference):
        told({"status": False, **body}, start, status=400)


@pytest.mark.parametrize("change", [{"transaction": 8}, {"transaction": {"id": 8}}, {"transaction": None}])
def test_a_refund_of_another_transaction_is_never_ours(told, change):
    for ask, data in (
        (send_back, row(**change)),
        (looked_up, row(**change)),
        (listed, [row(), row(**change)]),
    ):
        with pytest.raises(GatewayUnknown, match="another transaction"):
            told(ok(data), ask)


def test_a_refund_of_another_amount_is_unknown(told):
    with pytest.raises(GatewayUnknown, match=r"100\.01"):
        told(ok(row(amount=10_001)), send_back)


def test_another_refund_than_the_one_asked_about_is_unknown(told):
    with pytest.raises(GatewayUnknown, match="another refund"):
        told(ok(row(id=6)), looked_up)


@pytest.mark.parametrize("status", [400, 404])
def test_a_refund_that_paystack_does_not_know_is_none(told, status):
    assert told({"status": False, "message": "Refund not found"}, looked_up, status=status) is None


@pytest.mark.parametrize("rows", [None, {}, "text", [None], ["text"], [[]], [row()] * LONGEST_LIST])
@pytest.mark.parametrize("ask", [listed, contested])
def test_a_list_that_is_not_the_whole_list_is_unknown(told, rows, ask):
    with pytest.raises(GatewayUnknown):
        told(ok(rows), ask)


@pytest.mark.parametrize("transaction", [8, {"id": 8}, None])
def test_a_dispute_of_another_transaction_is_never_ours(told, transaction):
    with pytest.raises(GatewayUnknown, match="another transaction"):
        told(ok([{"id": 5, "transaction": transaction}]), contested)


def test_a_charge_that_waits_for_the_customer_charges_nothing(told):
    paused = {"paused": True, "reference": "ATT_1", "authorization_url": "https://checkout.example/a"}

    snapshot = told(ok(paused), charge)

    assert (snapshot.state, snapshot.mode, snapshot.gateway_reference) == ("failed", "test", "ATT_1")
    assert snapshot.failure == decline("authentication_failed")


@pytest.mark.parametrize(
    "data",
    [
        {"paused": True, "reference": "ATT_2"},
        {"paused": True},
        {"paused": "true", "reference": "ATT_1"},
        {"paused": 1, "reference": "ATT_1"},
    ],
)
def test_a_charge_that_is_not_surely_ours_and_paused_is_unknown(told, data):
    with pytest.raises(GatewayUnknown):
        told(ok(data), charge)


@pytest.mark.parametrize("gateway_id", [None, "", "ATT_1", "7/../8", "7&perPage=1", "٣", "-7", "7" * 30])
def test_an_id_that_is_none_is_not_asked_about(told, gateway_id):
    attempt = AttemptRef(gateway_reference="ATT_1", gateway_id=gateway_id)
    refund = RefundRef(attempt=ATTEMPT, amount=AMOUNT, gateway_reference="REF_1", gateway_id=gateway_id)

    for ask in (
        lambda gateway: gateway.fetch_transaction(gateway_id),
        lambda gateway: gateway.list_refunds(attempt, since=SINCE),
        lambda gateway: gateway.list_disputes(attempt, since=SINCE),
        lambda gateway: gateway.fetch_refund(refund),
    ):
        with pytest.raises(GatewayUnknown, match="not an id"):
            told(ok([]), ask)


def test_a_refund_before_the_id_is_known_goes_by_reference(told):
    attempt = AttemptRef(gateway_reference="ATT_1", gateway_id=None)

    refund = told(ok(row()), lambda gateway: gateway.refund(attempt, AMOUNT, key="REF_1"))

    assert (refund.gateway_id, refund.amount) == ("5", AMOUNT)


def made_from(key):
    return PaystackGateway.account_from(
        {"PAYSTACK_SECRET_KEY": key, "PAYSTACK_BASE_URL": "https://x.example"}
    )


@pytest.mark.parametrize(
    ("key", "mode"),
    [(KEY, "test"), ("sk_live_0123456789abcdef", "live"), (f" {KEY}\n", "test"), ("sk_live_0\x21", "live")],
)
def test_a_key_makes_an_account_of_its_mode(key, mode):
    account = made_from(key)

    assert (account.gateway, account.mode, account.base_url) == ("paystack", mode, "https://x.example")
    assert account.credentials == {"secret_key": key.strip()}


@pytest.mark.parametrize(
    "key", ["", " ", "sk_test_", "pk_test_0123", "sk_other_0123", "SK_TEST_0123", "sk_test_é", "sk_test_a b"]
)
def test_what_is_no_key_makes_no_account(key):
    assert made_from(key) is None


@pytest.mark.parametrize(
    ("key", "is_fine"), [("", True), (KEY, True), ("sk_test_short", False), ("oops", False)]
)
def test_a_key_that_is_none_is_a_problem_with_a_fix(key, is_fine):
    problems = list(PaystackGateway.problems_of({"PAYSTACK_SECRET_KEY": key, "PAYSTACK_BASE_URL": ""}))

    assert [problem.message.split()[0] for problem in problems] == [] if is_fine else ["PAYSTACK_SECRET_KEY"]
    assert all(
        "dashboard" in problem.hint and (not key or key not in problem.message) for problem in problems
    )


@pytest.mark.parametrize(
    ("currency", "taken"), [("NGN", True), ("XOF", True), ("KWD", False), ("EUR", False)]
)
def test_it_says_which_currencies_it_takes(currency, taken):
    assert PaystackGateway.takes(Money(5_000, currency)) is taken
