"""What the customer is told in each state of a payment: one table, read by the page and its templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from tillgate.common.errors import GatewayTrouble, PayError
from tillgate.payments.errors import ConsentRequired

Tone = Literal["calm", "busy", "good", "bad"]

NEWS_S = 5  # How soon a page without JavaScript looks again while news is on its way,
SESSION_S = 15  # and while the customer may be paying in another tab.


class PageState(StrEnum):
    """What the page is about. Beyond the payment's own words: what the customer can do now."""

    WAITING = "waiting"
    OPEN = "open"  # A gateway's page is open for this payment, here or in another tab.
    UNAVAILABLE = "unavailable"
    CHECKING = "checking"
    PROCESSING = "processing"
    FAILED = "failed"
    PAID = "completed"
    REVIEW = "review"
    EXPIRED = "expired"
    CANCELED = "canceled"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    CHARGED_BACK = "charged_back"


@dataclass(frozen=True, kw_only=True)
class Face:
    """How a state looks. `tab` is the title's first word, `refresh_s` is 0 where no news is expected."""

    tab: str
    heading: str
    sentence: str = ""
    tone: Tone = "calm"
    icon: str = ""
    asks: bool = False
    receipt: bool = False
    refresh_s: int = 0


_S = PageState

FACES: dict[PageState, Face] = {
    _S.WAITING: Face(tab="Pay", heading="Choose how to pay", asks=True),
    _S.OPEN: Face(
        tab="Pay",
        heading="Continue your payment",
        sentence="You have opened the payment page already. If you have just paid there, wait a moment.",
        asks=True,
        refresh_s=SESSION_S,
    ),
    _S.UNAVAILABLE: Face(
        tab="Pay",
        heading="Paying is not possible just now",
        sentence="The shop has no way set up to take this payment. Please tell the shop.",
        tone="bad",
        icon="alert",
    ),
    _S.CHECKING: Face(
        tab="Checking",
        heading="We are checking your payment",
        sentence="This usually takes a few seconds. The page changes by itself.",
        tone="busy",
        icon="wait",
        refresh_s=NEWS_S,
    ),
    _S.PROCESSING: Face(
        tab="On its way",
        heading="Your money is on its way",
        sentence="Your bank is still working on it. You may close this page; you do not need to pay again.",
        tone="busy",
        icon="wait",
        refresh_s=NEWS_S,
    ),
    _S.FAILED: Face(
        tab="Try again",
        heading="The payment did not go through",
        sentence="Nothing was charged for this try. You can pay again.",
        tone="bad",
        icon="alert",
        asks=True,
    ),
    _S.PAID: Face(
        tab="Paid",
        heading="Payment received",
        sentence="Thank you. You can keep this page as your receipt.",
        tone="good",
        icon="check",
        receipt=True,
    ),
    _S.REVIEW: Face(
        tab="Received",
        heading="We received your payment",
        sentence="The shop is checking it. You do not need to pay again.",
        tone="busy",
        icon="clock",
    ),
    _S.EXPIRED: Face(
        tab="Expired",
        heading="This payment has expired",
        sentence="The time to pay is over. Ask the shop for a new link. If you have paid already, "
        "your payment is not lost: it will show here.",
        icon="clock",
    ),
    _S.CANCELED: Face(
        tab="Canceled",
        heading="This payment was canceled",
        sentence="There is nothing to pay. If you have paid already, the shop will see it and be in touch.",
        icon="cross",
    ),
    _S.PARTIALLY_REFUNDED: Face(
        tab="Partly refunded",
        heading="Part of your payment was refunded",
        sentence="Your bank may take a few days to show it.",
        tone="good",
        icon="back",
        receipt=True,
    ),
    _S.REFUNDED: Face(
        tab="Refunded",
        heading="Your payment was refunded",
        sentence="Your bank may take a few days to show it.",
        tone="good",
        icon="back",
        receipt=True,
    ),
    _S.DISPUTED: Face(
        tab="Disputed",
        heading="Your bank is looking into this payment",
        sentence="The payment is disputed. You do not need to do anything here.",
        icon="clock",
        receipt=True,
    ),
    _S.CHARGED_BACK: Face(
        tab="Returned",
        heading="Your bank returned this payment",
        sentence="The dispute was decided and the money goes back to you through your bank.",
        icon="back",
        receipt=True,
    ),
}

# The services speak to the shop's programmer; these are the same refusals, said to the customer.
REFUSALS: Mapping[str, str] = {
    "not_in_this_state": "Nothing was charged: the payment has changed in the meantime. "
    "This is where it stands now.",
    "no_gateway": "This way to pay is not available for this payment. Choose another one.",
    "too_many_attempts": "This payment was tried too often. Ask the shop for a new link.",
    "request_still_running": "The payment page is being opened already. Wait a moment, then try again.",
    "gateway_refused": "The payment page could not be opened. No money was taken.",
    "gateway_unavailable": "The payment page cannot be reached just now. No money was taken.",
    "gateway_timeout": "The payment page did not open in time. No money was taken.",
    "guests_paused": "Nothing was charged. Too many cards were declined at this shop, so paying is paused "
    "for some minutes. This page stays open: try again later.",
    "consent_required": "Nothing was opened yet. Read what you agree to, and tick its box: "
    "a recurring payment cannot start without it.",
    "consent_outdated": "Nothing was opened yet. What you agree to has changed in the meantime: "
    "read it again, and tick its box.",
}


def refusal(error: PayError, *, ways: int) -> str:
    """Return what the customer is told about a refusal, where `ways` to pay are on the page."""
    # Nobody is asked to tick what the page does not show any more.
    code = "not_in_this_state" if isinstance(error, ConsentRequired) and not ways else error.code
    told = REFUSALS.get(code, error.message)
    if not isinstance(error, GatewayTrouble) or not ways:
        return told
    return f"{told} {'Choose another way to pay, or try again.' if ways > 1 else 'Try again in a moment.'}"
