"""How the names of accounts are compared: one account for a username in any case, and for a mailbox."""

import unicodedata
from contextlib import suppress

from django.utils.encoding import punycode


def normal_username(text: str) -> str:
    """Return a username as it is stored: equal letters are the same letter, and those outside ASCII small;
    the case of the others the database disregards, on every kind of database."""
    same = unicodedata.normalize("NFKC", text)
    return unicodedata.normalize("NFKC", "".join(c if c.isascii() else c.lower() for c in same))


def normal_email(text: str) -> str:
    """Return an address as mailboxes are compared: in small letters, and with the host's name that mail is
    sent to. (To mail servers, `straße.example` and `strasse.example` are the same.)

    For comparing only: mail goes to the address as it was given.
    """
    local, _, host = unicodedata.normalize("NFKC", text).strip().lower().rpartition("@")
    with suppress(UnicodeError):  # No host has such a name, and no account either.
        host = punycode(host)
    return f"{local}@{host}"
