"""Everybody who may call the API: guests, keys of each scope, staff of each role, a customer, a stranger."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tillgate.api.accounts.tokens import token_pair
from tillgate.merchants.models import Merchant, User
from tillgate.merchants.roles import KEY_SCOPES, Role
from tillgate.merchants.services.keys import NewKey, create_key
from tillgate.merchants.services.logins import Device, start_login
from tillgate.merchants.services.staff import put_on_staff

MOST_RENEWALS = 200


@dataclass
class Caller:
    """Somebody with what they send as Authorization; `renew` makes it anew when a request has ended it."""

    name: str
    make: Callable[[], str] | None = None
    is_known: bool = True
    renewals: int = 0
    authorization: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self.authorization = self.make() if self.make else ""

    @property
    def headers(self) -> dict[str, str]:
        """What goes with each of their requests."""
        return {"Authorization": self.authorization} if self.authorization else {}

    def renew(self) -> None:
        """Take what was ended (a key revoked, everybody signed out) for the wish of somebody else."""
        if self.make and self.is_known and self.renewals < MOST_RENEWALS:
            self.renewals += 1
            self.authorization = self.make()


def cast(merchant: Merchant) -> list[Caller]:
    """Return them all, in an order that does not change; those who may do much are there several times."""
    everybody = list(_cast(merchant))
    mighty = [caller for caller in everybody if caller.name in ("key", Role.OWNER, "customer")]
    return [*everybody, *mighty, *mighty, *mighty]


def _cast(merchant: Merchant) -> Iterator[Caller]:
    yield Caller("guest")
    yield Caller("publishable key", lambda: _key(merchant, NewKey(mode="test", is_publishable=True)))
    yield Caller("key", lambda: _key(merchant, NewKey(mode="test")))
    for scope in KEY_SCOPES:
        yield Caller(f"key to {scope}", _maker(merchant, NewKey(mode="test", scopes=[scope])))
    for role in Role:
        yield Caller(str(role), _staff_maker(merchant, role))
    yield Caller("customer", lambda: _token(_user()))
    yield Caller("wrong key", lambda: f"Bearer sk_test_{secrets.token_urlsafe(32)}", is_known=False)


def _maker(merchant: Merchant, new: NewKey) -> Callable[[], str]:
    return lambda: _key(merchant, new)


def _staff_maker(merchant: Merchant, role: Role) -> Callable[[], str]:
    def make() -> str:
        user = _user()
        put_on_staff(merchant, user, role)
        return _token(user)

    return make


def _key(merchant: Merchant, new: NewKey) -> str:
    return f"Bearer {create_key(merchant, new)[1]}"


def _user() -> User:
    name = f"fuzz-{secrets.token_hex(6)}"
    email = f"{name}@example.com"
    return User.objects.create_user(name, email, confirmed_email=email)


def _token(user: User) -> str:
    return f"JWT {token_pair(start_login(user, Device()))[0]}"
