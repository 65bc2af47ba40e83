"""What the recurring services refuse, and what the caller can do about it."""

from tillgate.common.errors import Conflict, InvalidRequest


class NotPossible(Conflict):
    """The subscription's status does not allow this; the message says what it allows."""

    code = "not_in_this_state"


class MethodNotUsable(Conflict):
    """The saved method is removed, another merchant's, or cannot take this amount."""

    code = "payment_method_not_usable"


class MethodInUse(Conflict):
    """A subscription is charged by this method; the message names it."""

    code = "payment_method_in_use"


class InvalidSchedule(InvalidRequest):
    """The dates asked for make no schedule; the message says why."""

    code = "invalid_schedule"
