"""Payments and what hangs below them; in two files, for they are many."""

from tillgate.payments.models.payment import Attempt, Payment, PaymentQuerySet
from tillgate.payments.models.returns import Dispute, Refund, Surplus

__all__ = ["Attempt", "Dispute", "Payment", "PaymentQuerySet", "Refund", "Surplus"]
