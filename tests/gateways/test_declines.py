"""Why a payment was declined: a gateway's sentence becomes one of our codes, or is kept for a person."""

import pytest

from tillgate.gateways.declines import decline, decline_by, unmapped

CODES = {"declined by bank": "do_not_honor", "declined": "declined"}


@pytest.mark.parametrize(
    ("sentence", "code"),
    [("Declined", "declined"), (" DECLINED, sorry", "declined"), ("Declined by bank 05", "do_not_honor")],
)
def test_the_first_start_that_fits_decides(sentence, code):
    assert decline_by(sentence, CODES) == decline(code)


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [("Was declined", "Was declined"), ("", "nothing"), (None, "nothing"), (5, "nothing")],
)
def test_a_sentence_that_is_in_no_table_is_kept(sentence, kept):
    assert decline_by(sentence, CODES) == unmapped(kept)
    assert decline_by(sentence, CODES).code == "unknown"
