"""What a merchant's set-up can refuse."""

from tillgate.common.errors import Conflict


class NoGateway(Conflict):
    """No usable account at a gateway for this merchant, mode and currency."""

    code = "no_gateway"
