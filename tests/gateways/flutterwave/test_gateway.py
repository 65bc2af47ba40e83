"""What Flutterwave could answer though its emulator never does."""

import json
from datetime import UTC, datetime

import pytest

from tests.gateways.contracts import example
from tests.gateways.raw_server import answer, in_turn, raw_server
from tillgate.gateways import registry
from tillgate.gateways.errors import (
    DuplicateReference,
    GatewayError,
    GatewayUnknown,
    Rejected,
    Unreachable,
)
from tillgate.gateways.flutterwave.gateway import MOST_PAGES, FlutterwaveGateway
from tillgate.gateways.http import Patience
from tillgate.gateways.protocol import (
    AttemptRef,
    ChargeRequest,
    GatewayAccount,
    GatewayState,
    PaymentRequest,
    RefundRef,
)
from tillgate.money import Money

KEY, HASH = "FLWSECK_TEST-0123456789abcdef-X", "a-hash-of-our-own-5f2c9e81"
SINCE = datetime(2026, 1, 31, 12, tzinfo=UTC)
AMOUNT = Money(10_050, "NGN")
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
CHARGE = ChargeRequest(
    gateway_reference="ATT_1",
    amount=AMOUNT,
    customer_email="ada@example.com",
    description="",
    token="flw-t1nf-secret",
)
NOT_FOUND = {"status": "error", "message": "No transaction was found for this id", "data": None}


@pytest.fixture
def told():
    """Call with an answer, or one after another, and a question; returns what the adapter makes of it."""

    def tell(body, ask, *, status=200, requests=None):
        bodies = body if isinstance(body, tuple) else (body,)
        says = [answer(json.dumps(one).encode(), status=status) for one in bodies]
        with raw_server(in_turn(*says)) as server:
            account = GatewayAccount(
                gateway="flutterwave",
                mode="test",
                base_url=server.url,
                credentials={"secret_key": KEY, "webhook_hash": HASH},
            )
            try:
                return ask(registry.connect(account, Patience(total_s=5, slot_s=0)))
            finally:
                if requests is not None:
                    requests += server.requests

    return tell


def start(gateway):
    return gateway.start_payment(REQUEST)


def fetch(gateway):
    return gateway.fetch_payment(ATTEMPT)


def found(gateway):
    return gateway.fetch_transaction("7")


def send_back(gateway):
    return gateway.refund(ATTEMPT, AMOUNT, key="REF_1")


def listed(gateway):
    return gateway.list_refunds(ATTEMPT, since=SINCE)


def looked_up(gateway):
    return gateway.fetch_refund(REFUND)


def charge(gateway):
    return gateway.charge_saved(CHARGE)


ASKS = [start, fetch, found, send_back, listed, looked_up, charge]


def transaction(**changes):
    data = {"id": 7, "tx_ref": "ATT_1", "status": "successful", "amount": 100.5, "charged_amount": 100.5}
    return {**data, "currency": "NGN", "app_fee": 1.4, "payment_type": "card", **changes}


def row(**changes):
    return {"id": 5, "tx_id": 7, "status": "completed", "amount_refunded": 100.5, **changes}


def ok(data):
    return {"status": "success", "message": "Fine", "data": data}


def page(rows, number=1, pages=1):
    return {**ok(rows), "meta": {"page_info": {"current_page": number, "total_pages": pages}}}


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(
    "body",
    [
        {},
        ok(None),
        ok("text"),
        ok({}),
        ok([]),
        {"status": "success"},
        {"status": "error", "message": "No"},
        {"status": "error", "message": {"a": ["\ud800"]}},
    ],
)
def test_an_answer_that_accepts_nothing_is_unknown(told, ask, body):
    with pytest.raises(GatewayUnknown):
        told(body, ask)


@pytest.mark.parametrize("accepted", ["error", "Success", "successful", True, None, 1, ["success"]])
def test_a_call_is_accepted_by_one_word_and_nothing_like_it(told, accepted):
    assert told(ok(row()), send_back).gateway_id == "5"

    with pytest.raises(GatewayUnknown, match="without accepting"):
        told({**ok(row()), "status": accepted}, send_back)


@pytest.mark.parametrize("status", [201, 202, 204, 301, 307])
@pytest.mark.parametrize("ask", [start, send_back, charge])
def test_another_status_than_200_is_unknown(told, ask, status):
    with pytest.raises(GatewayUnknown):
        told(ok({}), ask, status=status)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
@pytest.mark.parametrize("ask", [start, fetch, send_back, listed, charge])
def test_a_refusal_is_told_in_flutterwaves_words(told, ask, status):
    with pytest.raises(Rejected, match=r"^Not likeddone$"):
        told({"status": "error", "message": "Not liked\n\x00done"}, ask, status=status)


def test_a_refusal_without_words_names_its_status(told):
    with pytest.raises(Rejected, match="403"):
        told({}, start, status=403)


def test_their_refusal_without_a_key_is_read(told):
    with pytest.raises(Rejected, match="merchant secret key required"):
        told(example("flutterwave/error_missing_key.json"), start, status=401)


@pytest.mark.parametrize("status", [200, 400, 404])
@pytest.mark.parametrize("ask", [fetch, found])
def test_what_they_do_not_know_is_absent_by_any_status(told, status, ask):
    assert told(NOT_FOUND, ask, status=status).state == GatewayState.ABSENT


@pytest.mark.parametrize("status", [401, 403])
def test_not_found_by_another_refusal_is_not_absent(told, status):
    with pytest.raises(Rejected):
        told(NOT_FOUND, fetch, status=status)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_their_trouble_is_neither_absent_nor_a_refusal(told, status):
    trouble = {"status": "error", "message": "An error occurred. Please contact support", "data": None}

    for ask, error in ((fetch, Unreachable), (start, GatewayUnknown), (charge, GatewayUnknown)):
        with pytest.raises(error):
            told(trouble, ask, status=status)


def test_a_word_of_success_with_not_found_is_not_absent(told):
    with pytest.raises(GatewayUnknown):
        told({**NOT_FOUND, "status": "success"}, fetch)


@pytest.mark.parametrize("status", [200, 400, 409])
@pytest.mark.parametrize("message", ["Duplicate transaction reference", "duplicate transaction Reference."])
def test_a_used_reference_is_a_duplicate(told, status, message):
    with pytest.raises(DuplicateReference):
        told({"status": "error", "message": message, "data": None}, charge, status=status)


@pytest.mark.parametrize("ask", [fetch, charge])
def test_an_answer_about_another_reference_is_unknown(told, ask):
    with pytest.raises(GatewayUnknown, match="another reference"):
        told(ok(transaction(tx_ref="ATT_2")), ask)


def test_another_transaction_than_the_one_asked_about_is_unknown(told):
    with pytest.raises(GatewayUnknown, match="another transaction"):
        told(ok(transaction(id=8)), found)


def test_the_try_that_brought_money_answers_instead_of_the_one_told_of(told):
    rows = [
        {"id": "9", "tx_ref": "ATT_1", "status": "failed"},
        {"id": "8", "tx_ref": "ATT_1", "status": "pending"},
        {"id": "7", "tx_ref": "ATT_1", "status": "successful"},
    ]
    requests: list[bytes] = []

    snapshot = told(
        (ok(transaction(id=9, status="failed")), page(rows), ok(transaction())), fetch, requests=requests
    )

    assert (snapshot.state, snapshot.gateway_id) == (GatewayState.SUCCEEDED, "7")
    assert [request.split()[1] for request in requests] == [
        b"/v3/transactions/verify_by_reference?tx_ref=ATT_1",
        b"/v3/transactions?tx_ref=ATT_1&page=1",
        b"/v3/transactions/7/verify",
    ]


@pytest.mark.parametrize("status", ["failed", "pending"])
def test_where_no_try_brought_more_the_one_told_of_stands(told, status):
    rows = [
        {"id": "9", "tx_ref": "ATT_1", "status": "failed"},
        {"id": "6", "tx_ref": "B", "status": "success"},
    ]

    snapshot = told((ok(transaction(id=9, status=status)), page(rows)), fetch)

    assert (snapshot.gateway_id, snapshot.state) == (
        "9",
        GatewayState.FAILED if status == "failed" else GatewayState.PROCESSING,
    )


@pytest.mark.parametrize("read_again", [transaction(tx_ref="ATT_2"), transaction(id=8)])
def test_a_listed_try_that_is_told_otherwise_by_its_id_is_unknown(told, read_again):
    rows = [{"id": "7", "tx_ref": "ATT_1", "status": "successful"}]

    with pytest.raises(GatewayUnknown):
        told((ok(transaction(id=9, status="failed")), page(rows), ok(read_again)), fetch)


def test_a_listed_try_with_an_unknown_status_is_unknown(told):
    rows = [{"id": "7", "tx_ref": "ATT_1", "status": "quantum"}]

    with pytest.raises(GatewayUnknown, match="quantum"):
        told((ok(transaction(id=9, status="failed")), page(rows)), fetch)


@pytest.mark.parametrize("change", [{"tx_id": 8}, {"tx_id": None}, {"tx_id": "x"}])
def test_a_refund_of_another_transaction_is_never_ours(told, change):
    for ask in (send_back, looked_up):
        with pytest.raises(GatewayUnknown, match="another transaction"):
            told(ok(row(**change)), ask)
    assert told(page([row(**change)]), listed) == ()


def test_a_refund_of_another_amount_is_unknown(told):
    with pytest.raises(GatewayUnknown, match=r"100\.51"):
        told(ok(row(amount_refunded="100.51")), send_back)


def test_another_refund_than_the_one_asked_about_is_unknown(told):
    with pytest.raises(GatewayUnknown, match="another refund"):
        told(ok(row(id=6)), looked_up)


@pytest.mark.parametrize("status", [400, 404])
def test_a_refund_that_flutterwave_does_not_know_is_none(told, status):
    assert told({"status": "error", "message": "No refund was found"}, looked_up, status=status) is None


def test_a_refund_needs_their_id_of_the_transaction_and_sends_nothing_without(told):
    requests: list[bytes] = []

    with pytest.raises(Rejected, match="id"):
        told(
            ok(row()),
            lambda gateway: gateway.refund(
                AttemptRef(gateway_reference="ATT_1", gateway_id=None), AMOUNT, key="REF_1"
            ),
            requests=requests,
        )

    assert requests == []


def test_a_refund_is_sent_to_the_last_kobo_with_our_name_for_it(told):
    requests: list[bytes] = []
    told(ok(row()), send_back, requests=requests)

    head, _, body = requests[0].partition(b"\r\n\r\n")

    assert head.startswith(b"POST /v3/transactions/7/refund ")
    assert f"Authorization: Bearer {KEY}".encode().lower() in head.lower()
    assert body == b'{"amount": 100.50, "comments": "REF_1"}'


def test_the_list_of_refunds_is_read_to_its_end_and_once(told):
    mine = [row(id=str(number), tx_id="7") for number in (30, 20, 10)]
    others = [row(id=str(number), tx_id="8") for number in (29, 19)]
    requests: list[bytes] = []

    # Between the pages somebody made a refund, and the last row of the first came again.
    refunds = told(
        (
            page([mine[0], others[0], mine[1]], 1, 2),
            page([mine[1], others[1], mine[2]], 2, 2),
            ok(transaction()),
        ),
        listed,
        requests=requests,
    )

    assert [refund.gateway_id for refund in refunds] == ["30", "20", "10"]
    assert [request.split()[1] for request in requests] == [
        b"/v3/refunds?from=2026-01-30&page=1",
        b"/v3/refunds?from=2026-01-30&page=2",
        b"/v3/transactions/7/verify",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {**page([]), "data": None},
        {**page([]), "data": {}},
        {**page([]), "meta": None},
        {**page([]), "meta": {"page_info": {"total_pages": "1"}}},
        {**page([]), "meta": {"page_info": {"total_pages": True}}},
        page([None]),
        page(["text"]),
        page([[]]),
        page([row(id=None)]),
        page([row()], pages=MOST_PAGES + 1),
    ],
)
def test_a_list_that_is_not_the_whole_list_is_unknown(told, body):
    with pytest.raises(GatewayUnknown):
        told(body, listed)


def test_refunds_of_a_transaction_that_they_do_not_know_are_unknown(told):
    with pytest.raises(GatewayUnknown, match="does not know"):
        told((page([row()]), NOT_FOUND), listed)


@pytest.mark.parametrize("gateway_id", [None, "", "ATT_1", "7/../8", "7&page=1", "٣", "-7", "7" * 30])
def test_an_id_that_is_none_is_not_asked_about(told, gateway_id):
    attempt = AttemptRef(gateway_reference="ATT_1", gateway_id=gateway_id)
    refund = RefundRef(attempt=ATTEMPT, amount=AMOUNT, gateway_reference="REF_1", gateway_id=gateway_id)

    for ask in (
        lambda gateway: gateway.fetch_transaction(gateway_id),
        lambda gateway: gateway.list_refunds(attempt, since=SINCE),
        lambda gateway: gateway.fetch_refund(refund),
    ):
        with pytest.raises(GatewayUnknown, match="not an id"):
            told(ok([]), ask)


def test_a_token_and_a_key_are_in_no_error(told):
    for status in (200, 400, 401, 500):
        with pytest.raises(GatewayError) as caught:
            told({"status": "error", "message": "Invalid token"}, charge, status=status)
        assert not any(secret in repr(caught.value) for secret in (KEY, HASH, CHARGE.token))


def made_from(key, secret_hash=HASH):
    return FlutterwaveGateway.account_from(values(key, secret_hash))


def values(key, secret_hash):
    return {
        "FLUTTERWAVE_SECRET_KEY": key,
        "FLUTTERWAVE_WEBHOOK_HASH": secret_hash,
        "FLUTTERWAVE_BASE_URL": "https://x.example",
    }


@pytest.mark.parametrize(
    ("key", "mode"),
    [(KEY, "test"), ("FLWSECK-0123456789abcdef-X", "live"), (f" {KEY}\n", "test")],
)
def test_a_key_makes_an_account_of_its_mode(key, mode):
    account = made_from(key, f" {HASH}\n")

    assert (account.gateway, account.mode, account.base_url) == ("flutterwave", mode, "https://x.example")
    assert account.credentials == {"secret_key": key.strip(), "webhook_hash": HASH}


@pytest.mark.parametrize(
    "key",
    [
        *("", " ", "FLWSECK", "FLWSECK--X", "FLWSECK_TEST--X", "FLWPUBK_TEST-0123-X", "FLWSECK_TEST-0123"),
        *("flwseck_test-0123-X", "sk_test_0123456789", "FLWSECK_LIVE-0123-X", "FLWSECK-é-X", "FLWSECK-a b-X"),
    ],
)
def test_what_is_no_key_makes_no_account(key):
    assert made_from(key) is None


@pytest.mark.parametrize(
    ("key", "secret_hash", "named"),
    [
        ("", "", []),
        ("", "short", []),
        (KEY, HASH, []),
        ("oops", HASH, ["FLUTTERWAVE_SECRET_KEY"]),
        (KEY, "", ["FLUTTERWAVE_WEBHOOK_HASH"]),
        (KEY, " " * 20, ["FLUTTERWAVE_WEBHOOK_HASH"]),
        (KEY, "fifteen-letters", ["FLUTTERWAVE_WEBHOOK_HASH"]),
        (KEY, "changeme-changeme", ["FLUTTERWAVE_WEBHOOK_HASH"]),
        (KEY, "please-CHANGE-ME-now", ["FLUTTERWAVE_WEBHOOK_HASH"]),
        ("oops", "", ["FLUTTERWAVE_SECRET_KEY", "FLUTTERWAVE_WEBHOOK_HASH"]),
    ],
)
def test_what_is_wrong_with_the_settings_is_told_with_a_fix(key, secret_hash, named):
    problems = list(FlutterwaveGateway.problems_of(values(key, secret_hash)))

    assert [problem.message.split()[0] for problem in problems] == named
    assert all("dashboard" in problem.hint for problem in problems)
    assert not any(secret_hash.strip() and secret_hash in problem.message for problem in problems)


@pytest.mark.parametrize(
    ("currency", "taken"), [("NGN", True), ("XOF", True), ("JPY", False), ("SLE", False)]
)
def test_it_says_which_currencies_it_takes(currency, taken):
    assert FlutterwaveGateway.takes(Money(5_000, currency)) is taken
