"""Why a payment was declined: one list of reasons for all gateways, each with a sentence for the payer.

Every adapter's `wire.py` maps its gateway's words to these codes. A word that is in no table becomes
`unknown` and carries the word, so that somebody is told and adds it.
"""

from collections.abc import Mapping

from tillgate.gateways.protocol import Failure
from tillgate.gateways.reading import by_start, clean

# Code: (sentence for the payer, whether trying again, with this or another method, can help).
DECLINES: dict[str, tuple[str, bool]] = {
    "declined": ("The payment was declined. Try again or pay another way.", True),
    "insufficient_funds": ("The card or account does not have enough money.", True),
    "do_not_honor": ("The bank refused this payment. Ask the bank, or pay another way.", True),
    "expired_card": ("The card has expired. Use another one.", True),
    "invalid_card": ("The card's details were not accepted. Check them, or use another card.", True),
    "lost_or_stolen": ("The bank refused this card. Pay another way.", False),
    "restricted_card": ("The bank does not allow this payment with this card. Pay another way.", True),
    "limit_exceeded": ("This payment is above the limit of the card or account.", True),
    "authentication_failed": ("The bank could not confirm that it is you. Try again.", True),
    "fraud_suspected": ("The bank refused this payment. Pay another way.", False),
    "method_not_usable": ("This way to pay can not be used any more. Choose another one.", True),
    "customer_canceled": ("The payment was canceled before it was finished.", True),
    "session_expired": ("Nobody paid in this session in time.", True),
    "bank_unreachable": ("The bank did not answer. Try again in a few minutes.", True),
    "gateway_down": ("The payment service had a fault. Try again, or pay another way.", True),
    "compliance": ("This payment is not allowed by the payment service. Pay another way.", False),
    "unknown": ("The payment did not go through. Try again or pay another way.", True),
}

# Nobody looked at a card here.
NOT_ABOUT_A_CARD = frozenset({"customer_canceled", "session_expired", "bank_unreachable", "gateway_down"})


def decline(code: str) -> Failure:
    """Return the failure of a code in `DECLINES`."""
    message, retryable = DECLINES[code]
    return Failure(code=code, message=message, retryable=retryable)


def is_banks_answer(code: str) -> bool:
    """Say whether a failure's code says that what was paid with was refused."""
    return code in DECLINES and code not in NOT_ABOUT_A_CARD


def decline_by(sentence: object, codes: Mapping[str, str]) -> Failure:
    """Return the failure of a gateway's sentence, whose start decides; `codes` has the starts in small
    letters."""
    word = clean(sentence, 200).strip() if isinstance(sentence, str) else ""
    code = by_start(codes, word.lower())
    return decline(code) if code else unmapped(word)


def unmapped(word: str) -> Failure:
    """Return the failure for a gateway's word that its table does not have; `word` is fit for a log."""
    message, retryable = DECLINES["unknown"]
    return Failure(code="unknown", message=message, retryable=retryable, unmapped=word[:80] or "nothing")
