"""Payments, what goes back of them, and who takes them."""

from tillgate.api.operations.operation import Operation

OPERATIONS = {
    "create_payment": Operation(
        tag="payments",
        summary="Create a payment",
        description="Needs no key and calls no gateway: the answer carries checkout_url.",
        request="PaymentIn",
        success=(201,),
        refusals=(400, 409, 413, 415, 422, 429),
        idempotent=True,
        needs_key=False,
    ),
    "list_payments": Operation(
        tag="payments",
        summary="List payments",
        description="Newest first. `Accept: text/csv` streams all of them as CSV.",
        resource="payments",
        many=True,
        paged=True,
        refusals=(400,),
        query="PaymentFilter",
    ),
    "get_payment": Operation(
        tag="payments",
        summary="Get a payment",
        description="Whoever holds the id may read it. Send If-None-Match when polling.",
        empty=(304,),
        refusals=(404, 429),
        needs_key=False,
    ),
    "create_attempt": Operation(
        tag="payments",
        summary="Open a gateway's session",
        description="An open session of the same gateway is returned again.",
        request="AttemptIn",
        resource="attempt",
        shape="AttemptOut",
        success=(201, 200),
        refusals=(400, 404, 409, 413, 415, 422, 429, 502, 504),
        idempotent=True,
        needs_key=False,
    ),
    "cancel_payment": Operation(
        tag="payments", summary="Cancel a payment", refusals=(400, 404, 409, 413, 415)
    ),
    "resolve_payment": Operation(
        tag="payments",
        summary="Decide about a payment in review",
        description="`accept` takes what came as the payment, `refund` sends it back.",
        request="ResolveIn",
        refusals=(400, 404, 409, 413, 415),
    ),
    "get_timeline": Operation(
        tag="payments",
        summary="What happened to a payment",
        resource="events",
        shape="EventOut",
        many=True,
        refusals=(404,),
    ),
    "create_refund": Operation(
        tag="refunds",
        summary="Refund a payment",
        description="All that is left, or a part of it. The money goes back later: GET the refund. "
        "Idempotency-Key is required.",
        request="RefundIn",
        resource="refund",
        shape="RefundOut",
        success=(201,),
        refusals=(400, 404, 409, 413, 415, 422),
        needs_idempotency=True,
    ),
    "list_refunds": Operation(
        tag="refunds",
        summary="List a payment's refunds",
        description="Newest first, with those made in a gateway's dashboard.",
        resource="refunds",
        shape="RefundOut",
        many=True,
        refusals=(404,),
    ),
    "get_refund": Operation(
        tag="refunds", summary="Get a refund", resource="refund", shape="RefundOut", refusals=(404,)
    ),
    "refund_surplus": Operation(
        tag="refunds",
        summary="Send a surplus back",
        description="All of it, by the transaction it came in by. A repeat returns the same refund.",
        resource="refund",
        shape="RefundOut",
        success=(201, 200),
        refusals=(400, 404, 409, 413, 415),
    ),
    "keep_evidence": Operation(
        tag="disputes",
        summary="Keep a text about a dispute",
        description="For the merchant's own use: it is shown with the payment, and sent nowhere.",
        request="EvidenceIn",
        resource="dispute",
        shape="DisputeOut",
        refusals=(400, 404, 413, 415),
    ),
    "list_gateways": Operation(
        tag="gateways",
        summary="List usable gateways",
        description="With an amount and its currency: those that can take it, in the order in which they "
        "are tried; with a key also what would be received, as an estimate.",
        resource="gateways",
        shape="GatewayOut",
        many=True,
        refusals=(400, 429),
        query="GatewayFilter",
        needs_key=False,
    ),
}
