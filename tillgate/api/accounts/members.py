"""What accounts are made of, member by member, on top of `fields`."""

from django.utils.encoding import punycode

from tillgate.api import fields
from tillgate.merchants.names import normal_username

LEAST, MOST = 3, 60


def username(value: str) -> str:
    """Read a username in any script. It holds no @: names that do are e-mails."""
    name = normal_username(fields.text(value, most=254))
    if "@" in name:
        raise fields.FieldError(
            "A username holds no @. Who has confirmed the e-mail can sign in with that, too.",
            "invalid_username",
        )
    if not LEAST <= len(name) <= MOST:
        raise fields.FieldError(f"Send {LEAST} to {MOST} characters.", "invalid_username")
    return name


def email(value: str) -> str:
    """Read an address that mail can be sent to, and that looks like no other one."""
    address = fields.email(value)
    local, _, host = address.rpartition("@")
    try:
        punycode(host)
    except UnicodeError:
        local = "ñ"
    if not local.isascii():
        raise fields.FieldError("No mail can be sent to this address.", "invalid_email")
    return address


def personal_name(value: str) -> str:
    """Read a first or last name."""
    return fields.text(value, most=100)
