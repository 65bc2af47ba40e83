"""Payers who are saved, and charged when they are not there."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.paypal.conftest import RETURN, PayPalClient, draft, issue, taken, wallet

SETUPS, TOKENS = "/v3/vault/setup-tokens", "/v3/vault/payment-tokens"
SETUP = {"payment_source": {"paypal": {"usage_type": "MERCHANT", "experience_context": RETURN}}}


def vault_of(order: dict[str, Any]) -> dict[str, Any]:
    return dict(order["payment_source"]["paypal"]["attributes"]["vault"])


def set_next(client: PayPalClient, *outcomes: str) -> None:
    client.control("methods", reference="first", next=list(outcomes))


def test_a_payer_is_saved_once_the_money_is_there(client: PayPalClient) -> None:
    created = client.create(payment_source=wallet(saves=True, customer="customer-7"))
    client.pay()
    before = client.order(created["id"])["payment_source"]["paypal"]

    vault = vault_of(client.capture(created["id"]).json())

    assert "attributes" not in before
    assert (vault["status"], vault["customer"]) == ("VAULTED", {"id": "customer-7"})
    assert client.get(f"{TOKENS}/{vault['id']}").json()["id"] == vault["id"]
    assert client.told()[-1] == "VAULT.PAYMENT-TOKEN.CREATED"


def test_a_pending_capture_saves_nobody_yet(client: PayPalClient) -> None:
    order = client.paid(outcome="pending", payment_source=wallet(saves=True))
    before = vault_of(order)
    client.pay(outcome="settle")

    assert before == {"status": "APPROVED"}
    assert vault_of(client.order(order["id"]))["status"] == "VAULTED"


def test_the_id_may_come_later_by_an_event(client: PayPalClient) -> None:
    client.fault("capture", "vault_later", after_s=60)
    order = client.paid(payment_source=wallet(saves=True))
    told_before = client.told()
    client.advance(61)

    assert vault_of(order) == {"status": "APPROVED"}
    assert "VAULT.PAYMENT-TOKEN.CREATED" not in told_before
    assert client.told()[-1] == "VAULT.PAYMENT-TOKEN.CREATED"
    assert vault_of(client.order(order["id"]))["status"] == "VAULTED"


def test_a_saved_payer_is_charged_in_one_step(client: PayPalClient) -> None:
    vault_id = client.saved()

    reply = client.charge(vault_id, value="7.00")

    order = reply.json()
    assert (reply.status_code, order["status"], taken(order)["status"]) == (201, "COMPLETED", "COMPLETED")
    entry = client.journal()[-1]
    assert (entry["amount_minor"], entry["initiated_by"], entry["reference"]) == (700, "merchant", "c-1")
    assert client.told()[-1] == "PAYMENT.CAPTURE.COMPLETED"


def test_one_request_id_charges_once_within_six_hours(client: PayPalClient) -> None:
    vault_id = client.saved()

    first, again = client.charge(vault_id), client.charge(vault_id)
    client.advance(6 * 3_600 + 1)
    late = client.charge(vault_id)

    assert (again.status_code, again.json() == first.json()) == (200, True)
    assert late.json()["id"] != first.json()["id"]  # Only our own ledger guards now.
    assert len(client.journal()) == 3


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        ("insufficient_funds", "INSTRUMENT_DECLINED"),
        ("expired_card", "CARD_EXPIRED"),
        ("refused", "TRANSACTION_REFUSED"),
        ("compliance", "COMPLIANCE_VIOLATION"),
    ],
)
def test_a_refused_charge_leaves_no_order(client: PayPalClient, outcome: str, name: str) -> None:
    vault_id = client.saved()
    set_next(client, outcome)

    refused = client.charge(vault_id)

    assert issue(refused) == (422, name)
    assert refused.json()["links"] == []
    assert "no order" in client.refusal("pay", reference="c-1", outcome="success")
    assert client.charge(vault_id).status_code == 201
    assert [ok for _, _, ok in client.moves()] == [True, False, True]


@pytest.mark.parametrize(("outcome", "status"), [("declined", "DECLINED"), ("failed", "FAILED")])
def test_a_charge_may_be_completed_and_yet_unpaid(client: PayPalClient, outcome: str, status: str) -> None:
    vault_id = client.saved()
    set_next(client, outcome)

    order = client.charge(vault_id).json()

    assert (order["status"], taken(order)["status"]) == ("COMPLETED", status)
    assert client.moves()[-1] == ("charge", 10_000, False)


def test_a_charge_may_take_its_time(client: PayPalClient) -> None:
    vault_id = client.saved()
    set_next(client, "pending")
    order = client.charge(vault_id).json()
    client.pay("c-1", "settle")

    assert taken(order)["status"] == "PENDING"
    assert client.journal()[-1]["initiated_by"] == "merchant"


def test_a_paused_charge_waits_for_the_payer(client: PayPalClient) -> None:
    vault_id = client.saved()
    set_next(client, "paused")

    order = client.charge(vault_id).json()
    moves_before = len(client.journal())
    client.pay("c-1")

    assert (order["status"], order["links"][1]["rel"]) == ("PAYER_ACTION_REQUIRED", "payer-action")
    assert moves_before == 1
    assert client.capture(order["id"]).status_code == 201
    assert client.journal()[-1]["initiated_by"] == "customer"


def test_a_payer_who_withdraws_is_charged_no_more(client: PayPalClient) -> None:
    vault_id = client.saved()
    set_next(client, "deactivated")

    assert issue(client.charge(vault_id)) == (422, "AGREEMENT_ALREADY_CANCELLED")
    assert issue(client.charge(vault_id)) == (422, "TOKEN_ID_NOT_FOUND")
    assert "VAULT.PAYMENT-TOKEN.DELETED" in client.told()
    assert "saved no payer" in client.refusal("methods", reference="first", next=["success"])


def test_a_deleted_payer_is_charged_no_more(client: PayPalClient) -> None:
    vault_id = client.saved()

    deleted = [client.call("DELETE", f"{TOKENS}/{vault_id}").status_code for _ in range(2)]

    assert deleted == [204, 204]
    assert issue(client.get(f"{TOKENS}/{vault_id}")) == (404, "INVALID_RESOURCE_ID")
    assert issue(client.charge(vault_id)) == (422, "TOKEN_ID_NOT_FOUND")
    assert client.told().count("VAULT.PAYMENT-TOKEN.DELETED") == 1


@pytest.mark.parametrize("outcomes", ["success", ["fly"], [["success"]]])
def test_unknown_outcomes_are_advised(client: PayPalClient, outcomes: Any) -> None:
    client.saved()

    assert "next must be" in client.refusal("methods", reference="first", next=outcomes)
    assert "saved no payer" in client.refusal("methods", reference="nobody", next=["success"])


def agreed(client: PayPalClient) -> str:
    setup = client.post(SETUPS, SETUP, "key-1").json()
    client.pay(setup["id"])
    return str(setup["id"])


def confirm(client: PayPalClient, setup_id: str, key: str = "key-2") -> httpx.Response:
    return client.post(TOKENS, {"payment_source": {"token": {"id": setup_id, "type": "SETUP_TOKEN"}}}, key)


def test_a_payer_can_be_saved_without_a_purchase(client: PayPalClient) -> None:
    setup = client.post(SETUPS, SETUP, "key-1").json()
    back = client.pay(setup["id"])["redirect_url"]
    token = confirm(client, setup["id"]).json()

    assert (setup["status"], setup["links"][1]["rel"]) == ("PAYER_ACTION_REQUIRED", "approve")
    assert f"approval_token_id={setup['id']}" in back
    assert client.get(f"{SETUPS}/{setup['id']}").json()["status"] == "VAULTED"
    assert client.charge(token["id"]).json()["status"] == "COMPLETED"
    assert client.journal()[0]["initiated_by"] == "merchant"
    assert client.control("methods", reference=token["id"], next=["success"])["vault_id"] == token["id"]


def test_the_page_of_a_setup_token_lets_the_payer_agree(client: PayPalClient) -> None:
    setup = client.post(SETUPS, SETUP, "key-1").json()
    url = setup["links"][1]["href"]

    shown = client.http.get(url)
    left = client.http.post(url, data={"outcome": "abandon"})
    between = client.get(f"{SETUPS}/{setup['id']}").json()["status"]
    pressed = client.http.post(url, data={"outcome": "success"})

    assert (shown.status_code, left.status_code, pressed.status_code) == (200, 303, 303)
    assert left.headers["Location"].startswith("https://shop.example/cancel?")
    assert between == "PAYER_ACTION_REQUIRED"
    assert client.get(f"{SETUPS}/{setup['id']}").json()["status"] == "APPROVED"


def test_the_page_refuses_what_is_not_on_it(client: PayPalClient) -> None:
    url = client.post(SETUPS, SETUP, "key-1").json()["links"][1]["href"]
    nowhere = "/paypal/agreements/approve?approval_session_id=X"

    assert client.http.post(url, data={"outcome": "decline"}).status_code == 400
    assert client.http.post(url, content=b"[").status_code == 400
    assert client.http.get(nowhere).status_code == 404
    assert client.http.post(nowhere, data={"outcome": "success"}).status_code == 404


def test_one_setup_token_makes_one_payment_token(client: PayPalClient) -> None:
    setup_id = agreed(client)

    first, again, other = (confirm(client, setup_id, key) for key in ("key-2", "key-2", "key-3"))

    assert [reply.status_code for reply in (first, again, other)] == [201, 200, 201]
    assert first.json() == again.json() == other.json()


def test_vault_request_ids_are_required_and_kept_three_hours(client: PayPalClient) -> None:
    without = client.post(SETUPS, SETUP)
    first = client.post(SETUPS, SETUP, "key-1").json()["id"]
    client.advance(3 * 3_600 - 5)
    within = client.post(SETUPS, SETUP, "key-1").json()["id"]
    client.advance(10)

    assert issue(without) == (400, "MISSING_REQUIRED_PARAMETER")
    assert (within == first, client.post(SETUPS, SETUP, "key-1").json()["id"] == first) == (True, False)


@pytest.mark.parametrize(
    ("path", "body", "status", "name"),
    [
        (SETUPS, {}, 400, "MISSING_REQUIRED_PARAMETER"),
        (SETUPS, {"payment_source": {"card": {}}}, 422, "NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE"),
        (SETUPS, {**SETUP, "customer": {"id": "a b"}}, 400, "INVALID_PARAMETER_SYNTAX"),
        (TOKENS, {"payment_source": {"card": {}}}, 422, "NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE"),
        (
            TOKENS,
            {"payment_source": {"token": {"id": "X", "type": "SETUP_TOKEN"}}},
            404,
            "INVALID_RESOURCE_ID",
        ),
    ],
)
def test_wrong_vault_calls_are_refused(
    client: PayPalClient, path: str, body: Any, status: int, name: str
) -> None:
    assert issue(client.post(path, body, "key-1")) == (status, name)


def test_a_setup_token_needs_the_payers_consent(client: PayPalClient) -> None:
    setup_id = client.post(SETUPS, SETUP, "key-1").json()["id"]

    assert issue(confirm(client, setup_id)) == (422, "SETUP_TOKEN_NOT_APPROVED")
    assert issue(client.get(f"{SETUPS}/NOBODY")) == (404, "INVALID_RESOURCE_ID")


def test_a_customers_tokens_are_listed_in_pages(client: PayPalClient) -> None:
    for number in range(3):
        client.paid(f"s-{number}", payment_source=wallet(saves=True, customer="customer-7"))
    client.saved()

    page = client.get(f"{TOKENS}?customer_id=customer-7&page_size=2&page=2&total_required=true").json()

    assert (page["total_items"], page["total_pages"], len(page["payment_tokens"])) == (3, 2, 1)
    assert client.get(f"{TOKENS}?customer_id=customer-8").json()["payment_tokens"] == []
    assert client.get(f"{TOKENS}?customer_id=short").status_code == 400
    assert client.get(f"{TOKENS}?customer_id=customer-7&page=x").status_code == 400


def test_a_charge_needs_a_request_id(client: PayPalClient) -> None:
    source = {"paypal": {"vault_id": client.saved()}}

    assert issue(client.post("/v2/checkout/orders", draft(payment_source=source))) == (
        400,
        "PAYPAL_REQUEST_ID_REQUIRED",
    )
