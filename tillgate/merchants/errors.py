"""What a merchant's set-up can refuse."""

from tillgate.common.errors import Conflict, GatewayTrouble


class NoGateway(Conflict):
    """No usable account at a gateway for this merchant, mode and currency."""

    code = "no_gateway"


class GatewayResting(GatewayTrouble):
    """The gateway has failed several times in a row and is not called for a moment; another may be."""
