"""The operations of the API, as the OpenAPI page tells of them. `schema.documented` reads it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One row of the table below. `resource` names the member that carries `shape`."""

    tag: str
    summary: str
    description: str = ""
    request: str | None = None
    resource: str = "payment"
    shape: str = "PaymentOut"
    many: bool = False
    paged: bool = False
    success: tuple[int, ...] = (200,)
    empty: tuple[int, ...] = ()
    refusals: tuple[int, ...] = ()
    query: str | None = None
    idempotent: bool = False
    needs_idempotency: bool = False
    needs_key: bool = True


ACTED_ON = (400, 404, 409, 413, 415)
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
    "create_subscription": Operation(
        tag="subscriptions",
        summary="Create a subscription",
        description="With a saved method it is active at once. Without one, the customer makes the first "
        "payment at checkout_url and agrees there that what they pay with is charged again.",
        request="SubscriptionIn",
        resource="subscription",
        shape="SubscriptionOut",
        success=(201,),
        refusals=(400, 409, 413, 415, 422),
        idempotent=True,
    ),
    "list_subscriptions": Operation(
        tag="subscriptions",
        summary="List subscriptions",
        description="Newest first.",
        resource="subscriptions",
        shape="SubscriptionOut",
        many=True,
        paged=True,
        refusals=(400,),
        query="SubscriptionFilter",
    ),
    "get_subscription": Operation(
        tag="subscriptions",
        summary="Get a subscription",
        resource="subscription",
        shape="SubscriptionOut",
        empty=(304,),
        refusals=(404,),
    ),
    "change_subscription": Operation(
        tag="subscriptions",
        summary="Change what is to come",
        description="From the next cycle on; what is open stays as it was agreed. Ask for the preview with "
        "the same members first: it shows from when the change holds. The customer is told by mail.",
        request="ChangeIn",
        resource="subscription",
        shape="SubscriptionOut",
        refusals=ACTED_ON,
    ),
    "pause_subscription": Operation(
        tag="subscriptions",
        summary="Pause a subscription",
        description="No new charge starts until it is resumed, neither of what is to come nor of what is "
        "owed. A repeat changes nothing.",
        resource="subscription",
        shape="SubscriptionOut",
        refusals=ACTED_ON,
    ),
    "resume_subscription": Operation(
        tag="subscriptions",
        summary="Resume a subscription",
        description="It goes on with the next due date that lies ahead: those that passed in the pause "
        "are not collected. What was owed before is collected now.",
        resource="subscription",
        shape="SubscriptionOut",
        refusals=ACTED_ON,
    ),
    "cancel_subscription": Operation(
        tag="subscriptions",
        summary="Cancel a subscription",
        description="For good: no new charge starts. `in_flight` names a payment that is with a gateway "
        "already.",
        resource="subscription",
        shape="SubscriptionOut",
        refusals=ACTED_ON,
    ),
    "preview_subscription": Operation(
        tag="subscriptions",
        summary="The next twelve payments",
        description="As they are, or as they would be after the change that the query names. "
        "Nothing is changed by it.",
        resource="preview",
        shape="UpcomingOut",
        many=True,
        refusals=(400, 404),
        query="PreviewFilter",
    ),
    "list_subscription_payments": Operation(
        tag="subscriptions",
        summary="List a subscription's payments",
        description="Newest first.",
        resource="payments",
        many=True,
        paged=True,
        refusals=(400, 404),
        query="PageFilter",
    ),
    "get_subscription_timeline": Operation(
        tag="subscriptions",
        summary="What happened to a subscription",
        resource="events",
        shape="EventOut",
        many=True,
        refusals=(404,),
    ),
    "list_payment_methods": Operation(
        tag="payment methods",
        summary="List saved payment methods",
        description="Newest first, without those that were removed.",
        resource="payment_methods",
        shape="MethodOut",
        many=True,
        paged=True,
        refusals=(400,),
        query="MethodFilter",
    ),
    "remove_payment_method": Operation(
        tag="payment methods",
        summary="Remove a saved payment method",
        description="It is charged no more, and the gateway is told to forget it. Refused while a "
        "subscription that has not ended is charged by it.",
        success=(204,),
        refusals=(404, 409),
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
