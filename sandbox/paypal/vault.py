"""The vault calls of PayPal's API: payers saved without a purchase, and what became of the saved ones."""

from __future__ import annotations

from sandbox.paypal import reading
from sandbox.paypal.books import DEFAULT_PAYER, Books, new_id, new_token_id
from sandbox.paypal.errors import ApiError, missing, not_found
from sandbox.paypal.models import PaymentToken, SetupToken
from sandbox.paypal.replays import Replays
from sandbox.paypal.vaulting import Vaulting
from sandbox.paypal.wire import Writer, wallet
from sandbox.web import Call, Json, Response, json_response
from sandbox.world import World

APPROVE_PATH = "/agreements/approve"
SHORTEST_CUSTOMER = 7


class Vault:
    def __init__(self, world: World, books: Books, writer: Writer, vaulting: Vaulting) -> None:
        self._books, self._writer, self._vaulting = books, writer, vaulting
        self._replays = Replays(world, books)

    def create_setup(self, call: Call) -> Response:
        body = _keyed_body(call)
        told, status = self._replays.once("setup_token", call, lambda: self._open(body))
        return json_response(told, status)

    def fetch_setup(self, call: Call) -> Response:
        token = self._books.setup_tokens.get(call.params["id"])
        if token is None:
            raise not_found()
        return json_response(self._setup(token))

    def create(self, call: Call) -> Response:
        """Turn an approved setup token into one that can be charged."""
        body = _keyed_body(call)
        told, status = self._replays.once("payment_token", call, lambda: self._save(body))
        return json_response(told, status)

    def list_page(self, call: Call) -> Response:
        query = call.request.query
        customer_id = query.get("customer_id", "")
        if len(customer_id) < SHORTEST_CUSTOMER:
            raise missing("customer_id")
        size, page = reading.read_page(query)
        active = (one for one in self._books.payment_tokens.values() if one.active)
        found = [one for one in active if one.customer_id == customer_id]
        shown = found[(page - 1) * size : page * size]
        totals = {"total_items": len(found), "total_pages": -(-len(found) // size)}
        return json_response(
            {
                **(totals if query.get("total_required") == "true" else {}),
                "customer": {"id": customer_id},
                "payment_tokens": [self._writer.payment_token(one) for one in shown],
                "links": [self._writer.link("self", f"/v3/vault/payment-tokens?customer_id={customer_id}")],
            }
        )

    def fetch(self, call: Call) -> Response:
        token = self._vaulting.find(call.params["id"])
        if token is None:
            raise not_found()
        return json_response(self._writer.payment_token(token))

    def delete(self, call: Call) -> Response:
        if token := self._vaulting.find(call.params["id"]):
            self._vaulting.remove(token)
        return Response(status=204)

    def _open(self, body: Json) -> Json:
        source = body["payment_source"].get("paypal")
        if not isinstance(source, dict):
            raise ApiError("NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE", field="/payment_source")
        context = source.get("experience_context")
        urls = context if isinstance(context, dict) else {}
        token = SetupToken(
            id=new_id(),
            customer_id=_customer(body) or new_token_id(),
            payer_email=DEFAULT_PAYER,
            return_url=reading.read_url(urls, "return_url"),
            cancel_url=reading.read_url(urls, "cancel_url"),
            status="PAYER_ACTION_REQUIRED",
        )
        self._books.save_setup_token(token)
        return self._setup(token)

    def _save(self, body: Json) -> Json:
        named = body["payment_source"].get("token")
        if not isinstance(named, dict) or named.get("type") != "SETUP_TOKEN":
            raise ApiError("NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE", field="/payment_source")
        setup = self._books.setup_tokens.get(str(named.get("id")))
        if setup is None:
            raise not_found()
        if setup.status == "PAYER_ACTION_REQUIRED":
            raise ApiError("SETUP_TOKEN_NOT_APPROVED")
        return self._writer.payment_token(self._token_of(setup))

    def _token_of(self, setup: SetupToken) -> PaymentToken:
        if setup.payment_token_id:
            return self._books.payment_tokens[setup.payment_token_id]
        token = self._vaulting.add(setup.customer_id, setup.payer_email)
        setup.status, setup.payment_token_id = "VAULTED", token.id
        self._books.save_setup_token(setup)
        self._vaulting.tell(token, "CREATED", reference=setup.id)
        return token

    def _setup(self, token: SetupToken) -> Json:
        open_ = token.status == "PAYER_ACTION_REQUIRED"
        links = [self._writer.link("self", f"/v3/vault/setup-tokens/{token.id}")]
        if open_:
            links.append(self._writer.link("approve", f"{APPROVE_PATH}?approval_session_id={token.id}"))
        return {
            "id": token.id,
            "status": token.status,
            "customer": {"id": token.customer_id},
            "payment_source": {"paypal": {} if open_ else wallet(token.payer_email)},
            "links": links,
        }


def _keyed_body(call: Call) -> Json:
    """The body of a call that PayPal takes under a PayPal-Request-Id only."""
    body = reading.read_body(call.request)
    if not reading.read_request_id(call.request):
        raise missing("PayPal-Request-Id")
    if not isinstance(body.get("payment_source"), dict):
        raise missing("/payment_source")
    return body


def _customer(body: Json) -> str | None:
    customer = body.get("customer")
    return reading.read_customer(customer) if isinstance(customer, dict) else None
