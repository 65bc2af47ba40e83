"""A business: its settings and its gateway accounts."""

from tillgate.api.operations.operation import ACTED_ON, Operation

PICTURES = ("image/png", "image/jpeg", "image/webp")

OPERATIONS = {
    "get_merchant": Operation(
        tag="merchant", summary="Get your business", resource="merchant", shape="MerchantOut"
    ),
    "change_merchant": Operation(
        tag="merchant",
        summary="Change your business",
        description="Members that are not sent stay as they are. New payments follow it; what was agreed "
        "stays. Where live payments are taken, send a live key.",
        request="MerchantIn",
        resource="merchant",
        shape="MerchantOut",
        refusals=(400, 413, 415),
    ),
    "set_logo": Operation(
        tag="merchant",
        summary="Set the logo of the checkout's pages",
        description="The body is the picture itself: at most 64 kB, at most 2,000 pixels a side.",
        uploads=PICTURES,
        resource="merchant",
        shape="MerchantOut",
        refusals=(400, 413, 415),
    ),
    "remove_logo": Operation(tag="merchant", summary="Take the logo away", success=(204,)),
    "list_gateway_accounts": Operation(
        tag="gateway accounts",
        summary="List your gateway accounts",
        description="Those of the environment first, which only the default merchant has. A key sees those "
        "of its own mode.",
        resource="gateway_accounts",
        shape="GatewayAccountOut",
        many=True,
    ),
    "create_gateway_account": Operation(
        tag="gateway accounts",
        summary="Store an account at a gateway",
        description="One for each gateway and mode. The secrets are encrypted, and never shown again. One "
        "that another account here has is refused: nobody could tell whose an event is.",
        request="GatewayAccountIn",
        resource="gateway_account",
        shape="GatewayAccountOut",
        success=(201,),
        refusals=(400, 409, 413, 415),
    ),
    "get_gateway_account": Operation(
        tag="gateway accounts",
        summary="Get a gateway account",
        resource="gateway_account",
        shape="GatewayAccountOut",
        refusals=(404,),
    ),
    "replace_gateway_secrets": Operation(
        tag="gateway accounts",
        summary="Replace the secrets of an account",
        description="By those of the same account at the gateway: payments that are on their way are asked "
        "about with them. While there are any, that has to be said by `same_account`, and another PayPal "
        "client is refused. Events that are signed with the former ones are heard until those are forgotten.",
        request="GatewaySecretsIn",
        resource="gateway_account",
        shape="GatewayAccountOut",
        refusals=ACTED_ON,
    ),
    "forget_former_secrets": Operation(
        tag="gateway accounts",
        summary="Forget the former secrets of an account",
        description="Once the gateway signs with the present ones, and its last retries have come.",
        request="ForgetFormerIn",
        resource="gateway_account",
        shape="GatewayAccountOut",
        refusals=(400, 404, 413, 415),
    ),
    "remove_gateway_account": Operation(
        tag="gateway accounts",
        summary="Remove a gateway account",
        description="Refused while payments or refunds are on their way by it, or subscriptions are charged "
        "by it. To refund what was paid by it, store it again.",
        success=(204,),
        refusals=(404, 409),
    ),
}
