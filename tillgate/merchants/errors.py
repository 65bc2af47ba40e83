"""What a merchant's set-up can refuse."""

from tillgate.common.errors import Conflict, GatewayTrouble, InvalidRequest, NotFound, PayError, TooMany


class NoGateway(Conflict):
    """No usable account at a gateway for this merchant, mode and currency."""

    code = "no_gateway"


class GatewayResting(GatewayTrouble):
    """The gateway has failed several times in a row and is not called for a moment; another may be."""


class AccountExists(Conflict):
    """The merchant has an account at this gateway in this mode already."""

    code = "account_exists"


class AccountTaken(Conflict):
    """The secret is another account's: whose an event is that is signed with it, nobody could tell."""

    code = "account_taken"


class AccountInUse(Conflict):
    """Money is on its way by this account, or is to be collected by it: the gateway has to be asked."""

    code = "account_in_use"


class GuestsPaused(TooMany):
    """Guests may not try to pay for a while; with a key it goes on."""

    code = "guests_paused"


class KeyEnded(Conflict):
    """The key was revoked, or its time has passed."""

    code = "key_ended"


class BeyondKey(PayError):
    """A key makes no key that may do more than it may or lives longer, nor one of another mode."""

    code = "insufficient_scope"
    http_status = 403


class AlreadyOnStaff(Conflict):
    """This person works for the merchant already; the message says as what, and how to change it."""

    code = "already_on_staff"


class NoSuchAccount(NotFound):
    """No account that could be put on the staff: none, one that has ended, or an e-mail not confirmed."""

    code = "account_not_found"


class SecondPersonRequired(PayError):
    """Nobody decides about what they asked for themselves while somebody else can."""

    code = "second_person_required"
    http_status = 403


class NotProved(PayError):
    """What they want needs that they show anew that it is them."""

    code = "reauthentication_required"
    http_status = 403


class ApprovalEnded(Conflict):
    """It was decided about, or its time has passed."""

    code = "approval_ended"


class LastOwner(Conflict):
    """A business is never left without an owner."""

    code = "last_owner"


class LoginEnded(PayError):
    """The sign-in that a token came of has ended."""

    code = "token_not_valid"
    http_status = 401


class WrongCredentials(PayError):
    """No account signs in with this name and password; the same answer, whatever is wrong with them."""

    code = "invalid_credentials"
    http_status = 401


class OtpRequired(PayError):
    """The password was right; this account asks for a second factor, too."""

    code = "otp_required"
    http_status = 401


class OtpInvalid(PayError):
    """The password was right, and the code is wrong, too old, or was used before."""

    code = "otp_invalid"
    http_status = 401


class OtpState(Conflict):
    """The second factor is in use already, or not yet."""

    code = "otp_state"


class LinkNotGood(InvalidRequest):
    """A mailed link that was used, is too old, or was never sent; nothing says which."""

    code = "invalid_token"


class EmailTaken(Conflict):
    """Another account has shown that the address is its own."""

    code = "email_taken"
