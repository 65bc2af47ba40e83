import re
from collections import Counter

import pytest

from tillgate.common.references import ALPHABET, LENGTH, is_reference, new_reference, new_token


def test_a_reference_is_a_prefix_and_26_characters_that_can_be_read_aloud():
    assert re.fullmatch(r"PAY-[0-9A-HJKMNP-TV-Z]{26}", new_reference("PAY"))


def test_a20_a_token_has_130_bits_and_cannot_be_guessed():
    tokens = [new_token() for _ in range(2_000)]
    counts = Counter("".join(tokens))

    assert len(ALPHABET) ** LENGTH == 2**130
    assert len(set(tokens)) == 2_000
    assert set(counts) == set(ALPHABET)
    assert max(counts.values()) < 2 * min(counts.values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PAY-" + "7Q" * 13, True),
        ("ATT-" + "7Q" * 13, False),
        ("PAY-" + "7Q" * 13 + "7", False),
        ("PAY-" + "7Q" * 13 + "\n", False),
        ("PAY-" + "7q" * 13, False),
        ("PAY-" + "IL" * 13, False),
        ("PAY-" + "٧" * 26, False),
        (" PAY-" + "7Q" * 13, False),
        ("PAY-", False),
        ("", False),
    ],
)
def test_only_a_whole_reference_is_one(text, expected):
    assert is_reference(text, "PAY") == expected
