"""What Flutterwave keeps of a payment. Its published pages disagree; see the README of the sandbox."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """A share in basis points (200 is 2 %) plus a flat part in minor units."""

    basis_points: int
    flat: int = 0


TARIFFS = {
    # The other figure in print for Nigeria is 1.4 % with a cap of NGN 2,000.
    "NGN": Tariff(basis_points=200),
    "GHS": Tariff(basis_points=260),
    "KES": Tariff(basis_points=320),
    "UGX": Tariff(basis_points=320),
    "ZAR": Tariff(basis_points=290, flat=100),
}
ELSEWHERE = Tariff(basis_points=480)  # The share of an international card.
VAT_BASIS_POINTS = 750
STAMP_DUTY, STAMP_DUTY_FROM = 5_000, 1_000_000  # NGN 50 from NGN 10,000 on.


def fee(amount: int, currency: str) -> int:
    """The fee on a payment by a local card, rounded half up to a whole minor unit."""
    tariff = TARIFFS.get(currency, ELSEWHERE)
    return _share(amount, tariff.basis_points) + tariff.flat


def stamp_duty(amount: int, currency: str) -> int:
    return STAMP_DUTY if currency == "NGN" and amount >= STAMP_DUTY_FROM else 0


def settled(charged: int, kept: int, currency: str) -> int:
    """What reaches the merchant of `charged` once the fee `kept`, the VAT on it and stamp duty are off."""
    vat = _share(kept, VAT_BASIS_POINTS) if currency == "NGN" else 0
    return charged - kept - vat - stamp_duty(charged, currency)


def _share(amount: int, basis_points: int) -> int:
    return (amount * basis_points + 5_000) // 10_000
