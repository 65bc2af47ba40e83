"""PayPal's own client library works against the emulator as it does against PayPal."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.paypal.conftest import CLIENT_ID, CLIENT_SECRET, RETURN, PayPalClient, draft, wallet

sdk = pytest.importorskip("paypalserversdk.paypal_serversdk_client")
configuration = pytest.importorskip("paypalserversdk.configuration")
oauth = pytest.importorskip("paypalserversdk.http.auth.o_auth_2")
errors = pytest.importorskip("paypalserversdk.exceptions.error_exception")

WHOLE = "return=representation"


@pytest.fixture
def theirs(client: PayPalClient, monkeypatch: pytest.MonkeyPatch) -> Any:
    # The library takes no base URL from outside; its table of environments is the only way.
    servers = {configuration.Server.DEFAULT: f"{client.sandbox.url}/paypal"}
    environments = configuration.Configuration.environments
    monkeypatch.setitem(environments, configuration.Environment.SANDBOX, servers)
    return sdk.PaypalServersdkClient(
        client_credentials_auth_credentials=oauth.ClientCredentialsAuthCredentials(
            o_auth_client_id=CLIENT_ID, o_auth_client_secret=CLIENT_SECRET
        )
    )


def create(theirs: Any, key: str, **more: Any) -> Any:
    asked = {"body": draft(**more), "prefer": WHOLE, "paypal_request_id": key}
    return theirs.orders.create_order(asked)


def test_a_payment_from_start_to_refund(client: PayPalClient, theirs: Any) -> None:
    order = create(theirs, "key-1").body
    client.pay()
    captured = theirs.orders.capture_order({"id": order.id, "prefer": WHOLE, "paypal_request_id": "key-2"})
    capture = captured.body.purchase_units[0].payments.captures[0]
    seen = theirs.payments.get_captured_payment({"capture_id": capture.id}).body
    refund = theirs.payments.refund_captured_payment(
        {
            "capture_id": capture.id,
            "prefer": WHOLE,
            "paypal_request_id": "key-3",
            "body": {"amount": {"currency_code": "USD", "value": "30.00"}},
        }
    ).body
    fetched = theirs.payments.get_refund({"refund_id": refund.id}).body
    last = theirs.orders.get_order({"id": order.id}).body

    assert [link.rel for link in order.links] == ["self", "payer-action"]
    assert (captured.status_code, capture.status, seen.status) == (201, "COMPLETED", "COMPLETED")
    assert seen.seller_receivable_breakdown.paypal_fee.value == "3.98"
    assert (refund.status, fetched.amount.value) == ("COMPLETED", "30.00")
    assert (last.status, last.purchase_units[0].payments.refunds[0].id) == ("COMPLETED", refund.id)
    assert last.purchase_units[0].payments.captures[0].status == "PARTIALLY_REFUNDED"


def test_a_repeated_call_is_told_apart_by_its_status(theirs: Any) -> None:
    first, again = create(theirs, "key-1"), create(theirs, "key-1")

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.body.id == again.body.id


def test_a_refusal(client: PayPalClient, theirs: Any) -> None:
    order = create(theirs, "key-1").body

    with pytest.raises(errors.ErrorException) as refused:
        theirs.orders.capture_order({"id": order.id})

    assert (refused.value.response_code, refused.value.name) == (422, "UNPROCESSABLE_ENTITY")
    assert refused.value.details[0].issue == "ORDER_NOT_APPROVED"


def test_a_payer_saved_by_a_payment(client: PayPalClient, theirs: Any) -> None:
    order = create(theirs, "key-1", payment_source=wallet(saves=True)).body
    client.pay()
    captured = theirs.orders.capture_order({"id": order.id, "prefer": WHOLE}).body
    vault = captured.payment_source.paypal.attributes.vault

    charged = create(theirs, "key-2", payment_source={"paypal": {"vault_id": vault.id}}).body

    assert (vault.status, charged.status) == ("VAULTED", "COMPLETED")
    assert charged.purchase_units[0].payments.captures[0].status == "COMPLETED"


def test_a_payer_saved_without_a_payment(client: PayPalClient, theirs: Any) -> None:
    source = {"payment_source": {"paypal": {"usage_type": "MERCHANT", "experience_context": RETURN}}}
    setup = theirs.vault.create_setup_token({"body": source, "paypal_request_id": "key-1"}).body
    client.pay(setup.id)
    agreed = theirs.vault.get_setup_token(setup.id).body
    confirm = {"payment_source": {"token": {"id": setup.id, "type": "SETUP_TOKEN"}}}
    token = theirs.vault.create_payment_token({"body": confirm, "paypal_request_id": "key-2"}).body
    customer = {"customer_id": token.customer.id}
    listed = theirs.vault.list_customer_payment_tokens(customer).body
    theirs.vault.delete_payment_token(token.id)

    assert (setup.status, agreed.status) == ("PAYER_ACTION_REQUIRED", "APPROVED")
    assert [one.id for one in listed.payment_tokens] == [token.id]
    assert theirs.vault.list_customer_payment_tokens(customer).body.payment_tokens == []
