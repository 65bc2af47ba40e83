"""Refusals about endpoints and events."""

from tillgate.common.errors import Conflict


class EndpointExists(Conflict):
    """The merchant is told at this address already."""

    code = "endpoint_exists"


class TooManyEndpoints(Conflict):
    """The merchant has as many endpoints as one may have."""

    code = "too_many_endpoints"


class OfSettings(Conflict):
    """The environment says where this endpoint is and what it signs with; not the API."""

    code = "endpoint_of_settings"


class EndpointDisabled(Conflict):
    """Nothing is sent to a disabled endpoint."""

    code = "endpoint_disabled"


class NotSubscribed(Conflict):
    """No endpoint is there to send an event to."""

    code = "no_endpoint"
