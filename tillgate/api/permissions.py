"""Who may call what. A view that says nothing admits nobody."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from tillgate.api.caller import MERCHANT_HEADER, Caller, caller_of
from tillgate.api.errors import Forbidden
from tillgate.common.errors import InvalidRequest
from tillgate.merchants.models import Login
from tillgate.merchants.roles import Role, Scope
from tillgate.merchants.services.accounts import accounts_for
from tillgate.merchants.services.logins import is_proved

if TYPE_CHECKING:
    from rest_framework.views import APIView  # It imports this module, by the settings.


class Nobody(BasePermission):
    """The default: a view has to say whom it admits."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return False


class Anyone(BasePermission):
    """No login, no key; listed by name in the tests."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return True


class MayCreate(BasePermission):
    """Whoever may create for the merchant, its publishable key, or a guest where guests may create."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        caller = caller_of(request)
        _require_choice(caller)  # Else what a till makes without its header would be another merchant's.
        if caller.is_merchant:
            _require(caller, (Scope.CREATE,))
        elif caller.key is None and settings.TILLGATE_GUEST_CREATE != "on":
            if caller.user is None:
                return False
            raise Forbidden("Only the business itself creates payments here: ask it for a payment link.")
        return True


class MayAttempt(BasePermission):
    """Whoever holds a payment's id; of those who act for the merchant, whoever may create."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        caller = caller_of(request)
        if caller.is_merchant:
            _require(caller, (Scope.CREATE,))
        return True


class Merchants(BasePermission):
    """A secret key, or staff, with one of these scopes."""

    def __init__(self, *scopes: Scope) -> None:
        self.scopes = scopes

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.auth is None:
            return False
        _require(caller_of(request), self.scopes)
        return True


class Guarded(Merchants):
    """Whoever may administer, for what an attacker would change first: a person has to have shown lately that
    it is them, since a token can be stolen. A look asks for no proof."""

    def __init__(self) -> None:
        super().__init__(Scope.ADMIN)

    def has_permission(self, request: Request, view: "APIView") -> bool:
        admitted = super().has_permission(request, view)
        _require_proof(request)
        return admitted


class Administrators(Guarded):
    """Whoever may administer, as `Guarded`. A key of test mode, which people guard less, may only until there
    is live money that would follow what it changes."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        admitted = super().has_permission(request, view)
        caller = caller_of(request)
        if admitted and caller.key and caller.mode == "test" and accounts_for(caller.merchant, "live"):
            raise Forbidden(
                "This business takes live payments: change it with a live key, or signed in.",
                code="live_key_required",
            )
        return admitted


class Operators(BasePermission):
    """Whoever answers for the installation: an owner or manager of its own business, or a key of it that may
    administer. Any other business here is a guest of the machine."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.auth is None:
            return False
        caller = caller_of(request)
        _require_choice(caller)
        if caller.role not in (Role.OWNER, Role.MANAGER):
            _require(caller, (Scope.ADMIN,))
        if not caller.merchant.is_default:
            raise Forbidden("This is about the whole installation: only its own business may see it.")
        return True


class SignedIn(BasePermission):
    """A person with an account, whoever they are."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.auth is None:
            return False
        if not isinstance(request.auth, Login):  # Not `caller_of`: staff of several merchants are one person.
            raise Forbidden("This is for a person who is signed in: send an access token, not a key.")
        return True


class MayPay(SignedIn):
    """A person with an account, where customers make payments themselves: an account is free to have, so
    what is closed to guests is closed to them."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if super().has_permission(request, view) and settings.TILLGATE_GUEST_CREATE != "on":
            raise Forbidden("Payments are made by the shop here: ask it for a link to pay.")
        return request.auth is not None


class Owners(BasePermission):
    """A person who owns the merchant: what no key may do. To change something they need a proof, as for
    `Guarded`."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.auth is None:
            return False
        caller = caller_of(request)
        _require_choice(caller)
        if caller.role != Role.OWNER:
            code = None if caller.is_merchant else "insufficient_scope"
            raise Forbidden("Only an owner of the business who is signed in may do this.", code=code)
        _require_proof(request)
        return True


def _require(caller: Caller, scopes: tuple[Scope, ...]) -> None:
    _require_choice(caller)
    if caller.scopes.isdisjoint(scopes):
        needed = " or ".join(scopes)
        raise Forbidden(f"This needs the scope {needed}. {_powers(caller)}", code="insufficient_scope")


def _require_choice(caller: Caller) -> None:
    if caller.unchosen:
        raise InvalidRequest(
            f"You work for several merchants: name one in the header {MERCHANT_HEADER}: "
            f"{', '.join(caller.unchosen)}.",
            code="merchant_required",
        )


def _require_proof(request: Request) -> None:
    is_look = request.method in SAFE_METHODS
    if not is_look and isinstance(request.auth, Login) and not is_proved(request.auth):
        raise Forbidden(
            "Show once more that it is you: POST /api/v1/me/proof with your password, and otp where a second "
            "factor is on. It is good for 15 minutes.",
            code="proof_required",
        )


def _powers(caller: Caller) -> str:
    if caller.key is not None and caller.key.is_publishable:
        return "A publishable key only creates payments."
    if not caller.is_merchant:
        return "You work for no business here."
    who = f"Your role is {caller.role}, which" if caller.role else "This key"
    return f"{who} has: {', '.join(sorted(caller.scopes))}."
