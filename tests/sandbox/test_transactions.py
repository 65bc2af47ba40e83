"""Opening, asking about and listing transactions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import LIVE_KEY, Client


def test_a_new_session_is_abandoned_until_somebody_pays(client: Client) -> None:
    session = client.initialize()

    data = client.verify()

    assert session["authorization_url"] == f"{client.sandbox.url}/paystack/checkout/{session['access_code']}"
    assert (data["status"], data["paid_at"], data["fees"], data["authorization"]) == (
        "abandoned",
        None,
        None,
        {},
    )
    assert data["id"] > 2**32
    assert data["plan"] is None


def test_a_payment_shows_money_fees_and_card(client: Client) -> None:
    client.initialize()
    client.pay()

    data = client.verify()

    assert (data["status"], data["amount"], data["requested_amount"], data["fees"]) == (
        "success",
        500_000,
        500_000,
        17_500,
    )
    assert data["paid_at"] == data["paidAt"] is not None
    assert data["domain"] == "test"
    assert data["authorization"]["reusable"] is True
    assert data["authorization"]["card_type"] == "visa "
    assert data["authorization"]["signature"].startswith("SIG_")


def test_cards_of_two_customers_share_the_signature_not_the_code(client: Client) -> None:
    client.saved_card("ada@example.com", "r-1")
    client.saved_card("bob@example.com", "r-2")

    ada, bob = client.verify("r-1")["authorization"], client.verify("r-2")["authorization"]

    assert ada["signature"] == bob["signature"]
    assert ada["authorization_code"] != bob["authorization_code"]


@pytest.mark.parametrize(
    ("amount", "fees"), [(100_000, 1_500), (249_999, 3_750), (250_000, 13_750), (100_000_000, 200_000)]
)
def test_naira_fees_waive_the_flat_part_below_and_cap_above(client: Client, amount: int, fees: int) -> None:
    client.initialize(amount=amount)
    client.pay()

    assert client.verify()["fees"] == fees


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ({"order": 7, "deep": {"n": [1]}}, {"order": "7", "deep": {"n": ["1"]}}),
        ('{"order": 7}', {"order": 7}),
        ("just words", "just words"),
        ("", ""),
        (0, 0),
        (None, None),
    ],
)
def test_metadata_comes_back_the_odd_way_it_does(client: Client, sent: Any, echoed: Any) -> None:
    client.initialize(metadata=sent)

    assert client.verify()["metadata"] == echoed


def test_a_form_is_read_like_json(client: Client) -> None:
    form = {"email": "ada@example.com", "amount": "1000", "reference": "form-1"}
    reply = client.http.post("/paystack/transaction/initialize", data=form, headers=client.auth)

    assert reply.status_code == 200
    assert client.verify("form-1")["amount"] == 1_000


@pytest.mark.parametrize("currency", ["NGN", "GHS", "KES", "ZAR", "USD", "XOF"])
def test_enabled_currencies_are_taken(client: Client, currency: str) -> None:
    client.initialize(currency=currency)

    assert client.verify()["currency"] == currency


@pytest.mark.parametrize(
    ("change", "message", "code"),
    [
        ({"currency": "JPY"}, "Currency not supported by merchant", "unsupported_currency"),
        ({"currency": 5}, "Currency not supported by merchant", "unsupported_currency"),
        ({"email": "nobody"}, "Invalid Email Address Passed", "invalid_email_address"),
        ({"email": None}, "Invalid Email Address Passed", "invalid_email_address"),
        ({"amount": 0}, "Invalid Amount Sent", "invalid_amount"),
        ({"amount": -5}, "Invalid Amount Sent", "invalid_amount"),
        ({"amount": 10.5}, "Invalid Amount Sent", "invalid_amount"),
        ({"amount": "1000"}, "Invalid Amount Sent", "invalid_amount"),
        ({"amount": True}, "Invalid Amount Sent", "invalid_amount"),
        ({"reference": "a b"}, None, "invalid_reference"),
        ({"reference": 7}, None, "invalid_reference"),
        ({"callback_url": "javascript:alert(1)"}, None, "invalid_params"),
        ({"callback_url": "http://x.test/\r\nSet-Cookie: a=b"}, None, "invalid_params"),
        ({"channels": [1]}, None, "invalid_params"),
        ({"metadata": [1]}, None, "invalid_params"),
        ({"plan": "PLN_1"}, None, "plan_not_found"),
    ],
)
def test_bad_input_is_refused_and_creates_nothing(
    client: Client, change: dict[str, Any], message: str | None, code: str
) -> None:
    body = {"email": "ada@example.com", "amount": 1_000, "currency": "NGN", "reference": "bad-1", **change}

    reply = client.post("/transaction/initialize", body)

    error = reply.json()
    assert (reply.status_code, error["status"], error["type"]) == (400, False, "validation_error")
    assert error["code"] == code
    assert message in (None, error["message"])
    assert client.get("/transaction").json()["meta"]["total"] == 0


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"amount": NaN}', b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_object_is_refused(client: Client, body: bytes) -> None:
    headers = {**client.auth, "Content-Type": "application/json"}

    assert (
        client.http.post("/paystack/transaction/initialize", content=body, headers=headers).status_code == 400
    )


def test_a_reference_is_used_up_paid_or_not(client: Client) -> None:
    client.initialize("twice")

    reply = client.post(
        "/transaction/initialize", {"email": "ada@example.com", "amount": 9, "reference": "twice"}
    )

    assert reply.status_code == 400
    assert (reply.json()["message"], reply.json()["code"]) == (
        "Duplicate Transaction Reference",
        "duplicate_reference",
    )


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer sk_test_wrong"}, {"Authorization": "Basic x"}]
)
def test_a_wrong_key_is_401(client: Client, header: dict[str, str]) -> None:
    reply = client.http.get("/paystack/transaction/verify/x", headers=header)

    assert (reply.status_code, reply.json()["message"], reply.json()["code"]) == (
        401,
        "Invalid key",
        "invalid_Key",
    )


def test_an_unknown_reference_is_not_found(client: Client) -> None:
    reply = client.get("/transaction/verify/nobody")

    assert reply.status_code == 400
    assert (reply.json()["message"], reply.json()["code"]) == (
        "Transaction reference not found.",
        "transaction_not_found",
    )


def test_test_and_live_data_never_mix(client: Client) -> None:
    client.initialize("same")
    body = {"email": "ada@example.com", "amount": 700, "reference": "same"}

    assert client.get("/transaction/verify/same", key=LIVE_KEY).status_code == 400
    assert client.post("/transaction/initialize", body, key=LIVE_KEY).status_code == 200
    live = client.get("/transaction/verify/same", key=LIVE_KEY).json()["data"]
    assert (live["domain"], live["amount"]) == ("live", 700)
    assert client.verify("same")["amount"] == 500_000


def test_one_transaction_by_its_numeric_id(client: Client) -> None:
    client.initialize()
    number = client.verify()["id"]

    assert client.get(f"/transaction/{number}").json()["data"]["reference"] == "r-1"
    assert client.get("/transaction/r-1").json()["code"] == "transaction_not_found"


def test_the_list_is_newest_first_and_pages(client: Client) -> None:
    for number in range(5):
        client.initialize(f"r-{number}")

    page = client.get("/transaction", perPage=2, page=2).json()

    assert [row["reference"] for row in page["data"]] == ["r-2", "r-1"]
    assert page["meta"] == {
        "total": 5,
        "total_volume": 2_500_000,
        "skipped": 2,
        "perPage": 2,
        "page": 2,
        "pageCount": 3,
    }


def test_the_list_filters(client: Client) -> None:
    client.initialize("paid", email="bob@example.com")
    client.pay("paid")
    client.initialize("open")
    bob = client.verify("paid")["customer"]["id"]

    def references(**query: Any) -> list[str]:
        return [row["reference"] for row in client.get("/transaction", **query).json()["data"]]

    assert references(status="success") == ["paid"]
    assert references(customer=bob) == ["paid"]
    assert references(**{"from": "2100-01-01"}) == []
    assert references(to="2100-01-01T00:00:00.000Z") == ["open", "paid"]
    assert references(status="reversed") == []


@pytest.mark.parametrize("query", [{"perPage": "0"}, {"page": "x"}, {"from": "yesterday"}])
def test_the_list_refuses_nonsense(client: Client, query: dict[str, str]) -> None:
    assert client.get("/transaction", **query).status_code == 400


def test_unknown_paths_answer_like_paystack(client: Client) -> None:
    assert client.get("/plan").json() == {"status": False, "message": "Entity not found"}
    assert client.get("/transaction/initialize/more/and/more").status_code == 404
