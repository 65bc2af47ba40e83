"""What Paystack keeps of a local payment. Source: support.paystack.com, "Transactions pricing"."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """A share in basis points (150 is 1.5 %) plus a flat part in subunits."""

    basis_points: int
    flat: int = 0
    flat_from: int = 0
    cap: int | None = None


TARIFFS = {
    "NGN": Tariff(basis_points=150, flat=10_000, flat_from=250_000, cap=200_000),
    "GHS": Tariff(basis_points=195),
    "KES": Tariff(basis_points=290),
    "ZAR": Tariff(basis_points=290, flat=100),
    "USD": Tariff(basis_points=390),
    "XOF": Tariff(basis_points=320),
}
FREE = Tariff(basis_points=0)  # A fault may charge in a currency nobody prices here.


def fee(amount: int, currency: str) -> int:
    """The fee on a successful local payment, rounded half up to a whole subunit."""
    tariff = TARIFFS.get(currency, FREE)
    total = (amount * tariff.basis_points + 5_000) // 10_000
    if amount >= tariff.flat_from:
        total += tariff.flat
    return total if tariff.cap is None else min(total, tariff.cap)
