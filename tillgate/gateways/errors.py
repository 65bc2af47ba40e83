"""What may be done next after a gateway call went wrong; each error says it by its type."""


class GatewayError(Exception):
    """A gateway call did not give an answer that can be used."""

    def __init__(self, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Rejected(GatewayError):
    """The gateway refused the request as such (a wrong key, a field it does not take): our bug or our
    configuration. Nothing moved; the same request would be refused again."""


class MethodRefused(Rejected):
    """The gateway does not charge this saved method (any more): it was removed there, or never was one."""


class DuplicateReference(GatewayError):
    """The gateway knows this reference already: the earlier call may have done it. Ask, do not resend."""


class Unreachable(GatewayError):
    """Nothing was sent or nothing was done; the same call may be made again."""


class GatewayUnknown(GatewayError):
    """It may or may not have happened, or the answer cannot be read. Ask before any retry."""
