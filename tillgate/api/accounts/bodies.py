"""The bodies of /auth and /api/token. What is answered there is the libraries' own."""

import msgspec


class SignInIn(msgspec.Struct, forbid_unknown_fields=True):
    """`username` may be the confirmed e-mail; `otp` is for who has a second factor."""

    username: str
    password: str
    otp: str | None = None


class RefreshIn(msgspec.Struct, forbid_unknown_fields=True):
    """A refresh token."""

    refresh: str


class VerifyIn(msgspec.Struct, forbid_unknown_fields=True):
    """A token of either kind."""

    token: str


class LogoutIn(msgspec.Struct, forbid_unknown_fields=True):
    """Any refresh token of the login; without one, the access token in the header says which."""

    refresh: str | None = None


class LinkIn(msgspec.Struct, forbid_unknown_fields=True):
    """What stands in the link of a mail."""

    uid: str
    token: str


class EmailIn(msgspec.Struct, forbid_unknown_fields=True):
    """An address."""

    email: str


class NewPasswordIn(msgspec.Struct, forbid_unknown_fields=True):
    """One password for another."""

    current_password: str
    new_password: str


class ResetIn(msgspec.Struct, forbid_unknown_fields=True):
    """What stands in the link, and the password to come."""

    uid: str
    token: str
    new_password: str


class DeleteIn(msgspec.Struct, forbid_unknown_fields=True):
    """That it is really them."""

    current_password: str
    otp: str | None = None
