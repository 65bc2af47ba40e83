"""What PayPal keeps of a checkout payment to a US account. Source: paypal.com/us, "Merchant fees"."""

from __future__ import annotations

BASIS_POINTS = 349  # 3.49 %
FIXED = {"USD": 49, "EUR": 39, "GBP": 39, "CAD": 59, "AUD": 59}  # Other currencies: none is known to us.


def fee(amount: int, currency: str) -> int:
    """The fee on a payment in minor units, never more than the payment."""
    return min(share(amount) + FIXED.get(currency, 0), amount)


def share(amount: int) -> int:
    """The part that follows the amount, rounded half up; a refund gives this part back."""
    return (amount * BASIS_POINTS + 5_000) // 10_000
