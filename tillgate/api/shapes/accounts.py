"""What a person who is signed in sees of the own account."""

import msgspec

from tillgate.api.shapes.common import Time, instant, instant_or_none
from tillgate.api.shapes.history import MySubscriptionOut
from tillgate.api.shapes.payments import PaymentOut
from tillgate.api.shapes.subscriptions import MethodOut
from tillgate.customers.models import Consent
from tillgate.merchants.models import Login, User


class OtpBeginIn(msgspec.Struct, forbid_unknown_fields=True):
    """The password, once more."""

    password: str


class OtpConfirmIn(msgspec.Struct, forbid_unknown_fields=True):
    """The code that the app shows now."""

    otp: str


class OtpRemoveIn(msgspec.Struct, forbid_unknown_fields=True):
    """Both factors, once more; `otp` may be a recovery code."""

    password: str
    otp: str | None = None


class ProofIn(msgspec.Struct, forbid_unknown_fields=True):
    """The password, once more, and a code where a second factor is on; it may be a recovery code."""

    password: str
    otp: str | None = None


class LoginOut(msgspec.Struct, kw_only=True):
    """Where somebody is signed in; `current` is the login that asks."""

    id: str
    address: str | None
    user_agent: str
    created_at: Time
    last_used_at: Time
    current: bool


class OtpOut(msgspec.Struct, kw_only=True):
    """What an authenticator app needs, as text and as the content of a QR code. Shown this once."""

    secret: str
    uri: str


class RecoveryCodesOut(msgspec.Struct, kw_only=True):
    """Each stands in once for a code of the app. Shown this once."""

    recovery_codes: list[str]


class PersonOut(msgspec.Struct, kw_only=True):
    """An account, in an export."""

    username: str
    email: str
    email_confirmed: bool
    first_name: str
    last_name: str
    otp: bool
    joined_at: Time


class ConsentOut(msgspec.Struct, kw_only=True):
    """That what a payment was made with may be charged again: what was agreed to, when, from where."""

    payment: str
    text: str
    text_version: str
    given_by: str
    address: str | None
    given_at: Time


class LoginRecordOut(msgspec.Struct, kw_only=True):
    """A login, in an export."""

    id: str
    address: str | None
    user_agent: str
    created_at: Time
    last_used_at: Time
    ended_at: Time | None
    end_reason: str | None


class ExportOut(msgspec.Struct, kw_only=True):
    """All that is kept of one person."""

    account: PersonOut
    payments: list[PaymentOut]
    subscriptions: list[MySubscriptionOut]
    payment_methods: list[MethodOut]
    consents: list[ConsentOut]
    logins: list[LoginRecordOut]


def login_out(login: Login, *, current: bool) -> LoginOut:
    """A login that goes on."""
    return LoginOut(
        id=login.reference,
        address=login.address,
        user_agent=login.user_agent,
        created_at=instant(login.created_at),
        last_used_at=instant(login.last_used_at),
        current=current,
    )


def login_record(login: Login) -> LoginRecordOut:
    """A login, also one that has ended."""
    return LoginRecordOut(
        id=login.reference,
        address=login.address,
        user_agent=login.user_agent,
        created_at=instant(login.created_at),
        last_used_at=instant(login.last_used_at),
        ended_at=instant_or_none(login.ended_at),
        end_reason=login.end_reason or None,
    )


def person_out(user: User) -> PersonOut:
    """An account."""
    return PersonOut(
        username=user.username,
        email=user.email,
        email_confirmed=user.confirmed_email is not None,
        first_name=user.first_name,
        last_name=user.last_name,
        otp=user.has_otp,
        joined_at=instant(user.date_joined),
    )


def consent_out(consent: Consent) -> ConsentOut:
    """A consent."""
    return ConsentOut(
        payment=consent.subject,
        text=consent.text,
        text_version=consent.text_version,
        given_by=consent.given_by,
        address=consent.address,
        given_at=instant(consent.given_at),
    )
