"""Recurring payments and saved methods."""

from tillgate.api.operations.operation import ACTED_ON, Operation

OPERATIONS = {
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
}
