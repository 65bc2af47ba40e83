"""The whole number that a row of a history is known by here: the first eight characters of its `PAY-…`.

A primary key would tell each customer how many payments there are. This one tells nothing that the public
id does not, needs no column, and is short enough for every language's numbers: 40 bits.
"""

from tillgate.common.references import ALPHABET

PREFIX = "PAY-"
CHARACTERS = 8
MOST = len(ALPHABET) ** CHARACTERS - 1


def number_of(reference: str) -> int:
    """Return the number of a payment."""
    number = 0
    for character in reference.removeprefix(PREFIX)[:CHARACTERS]:
        number = number * len(ALPHABET) + ALPHABET.index(character)
    return number


def reference_start(number: int) -> str:
    """Return how the public id begins of the payment that has this number, from 0 to MOST."""
    characters = ""
    for _ in range(CHARACTERS):
        number, place = divmod(number, len(ALPHABET))
        characters = ALPHABET[place] + characters
    return PREFIX + characters
