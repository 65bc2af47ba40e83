"""The one place that knows which adapters exist. To add a gateway, add its line here."""

from tillgate.gateways.http import Patience
from tillgate.gateways.paystack.gateway import PaystackGateway
from tillgate.gateways.protocol import Gateway, GatewayAccount, Mode

GATEWAYS: dict[str, type[PaystackGateway]] = {PaystackGateway.name: PaystackGateway}


def connect(account: GatewayAccount, patience: Patience) -> Gateway:
    """Return the adapter of an account; nothing is sent yet."""
    return GATEWAYS[account.gateway](account, patience)


def mode_of_key(gateway: str, key: str) -> Mode | None:
    """Return the mode that a gateway's key belongs to, or None when it is not a key of that gateway."""
    return GATEWAYS[gateway].mode_of_key(key)
