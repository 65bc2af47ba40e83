"""Public ids: a prefix and 130 random bits in Crockford's base32, so that none can be guessed."""

import re
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26  # 26 x 5 bits = 130
PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)


def new_reference(prefix: str) -> str:
    """Return a new public id such as `PAY-7Q2W…`."""
    return f"{prefix}-{new_token()}"


def new_token() -> str:
    """Return 130 random bits as 26 characters that can be read aloud."""
    bits = secrets.randbits(5 * LENGTH)  # Once: a call for each character costs 20 times as much.
    return "".join([PAIRS[bits >> shift & 1023] for shift in range(0, 5 * LENGTH, 10)])


def is_reference(text: str, prefix: str) -> bool:
    """Say whether `text` has the form of a public id with this prefix."""
    return re.fullmatch(rf"{prefix}-[{ALPHABET}]{{{LENGTH}}}", text, re.ASCII) is not None
