"""Payers who are saved, so that they can be charged when they are not there."""

from __future__ import annotations

from sandbox.paypal.books import Books, new_token_id
from sandbox.paypal.errors import ApiError
from sandbox.paypal.models import Order, PaymentToken
from sandbox.paypal.webhooks import Courier
from sandbox.paypal.wire import Writer
from sandbox.world import World

# What the next charge of a saved payer comes to: the status of its capture, or the issue of a refusal.
OUTCOMES = {
    "success": "COMPLETED",
    "pending": "PENDING",
    "declined": "DECLINED",
    "failed": "FAILED",
    "insufficient_funds": "INSTRUMENT_DECLINED",
    "expired_card": "CARD_EXPIRED",
    "refused": "TRANSACTION_REFUSED",
    "compliance": "COMPLIANCE_VIOLATION",
    "deactivated": "AGREEMENT_ALREADY_CANCELLED",
    "paused": "paused",
}
PAUSED = OUTCOMES["paused"]  # The payer has to confirm this charge on the page.


class Vaulting:
    def __init__(self, world: World, books: Books, writer: Writer, courier: Courier) -> None:
        self._world, self._books, self._writer, self._courier = world, books, writer, courier

    def save_payer(self, order: Order) -> None:
        """Save the payer of a captured order, at once or some time later."""
        if not order.saves or order.vault_id:
            return
        if order.vault_after_s is None:
            self.save_payer_now(order)
        else:
            self._world.schedule("paypal", "vault", order.id, after_s=order.vault_after_s)

    def save_payer_now(self, order: Order) -> None:
        token = self.add(order.vault_customer, order.payer_email)
        order.vault_id = token.id
        self._books.save_order(order)
        self.tell(token, "CREATED", reference=order.reference)

    def add(self, customer_id: str | None, payer_email: str) -> PaymentToken:
        token = PaymentToken(
            id=new_token_id(),
            customer_id=customer_id or new_token_id(),
            payer_email=payer_email,
            created_at=self._world.clock.now(),
        )
        self._books.save_payment_token(token)
        return token

    def remove(self, token: PaymentToken) -> None:
        """Forget a payer, on the merchant's or the payer's wish."""
        token.active = False
        self._books.save_payment_token(token)
        self.tell(token, "DELETED", reference=token.id)

    def find(self, token_id: str) -> PaymentToken | None:
        token = self._books.payment_tokens.get(token_id)
        return token if token and token.active else None

    def charge(self, token_id: str) -> tuple[PaymentToken, str]:
        """The token to charge, and what this charge comes to. Raises ApiError."""
        token = self.find(token_id)
        if token is None:
            raise ApiError("TOKEN_ID_NOT_FOUND", field="/payment_source/paypal/vault_id")
        outcome = token.next.pop(0) if token.next else "success"
        self._books.save_payment_token(token)
        if outcome == "deactivated":
            self.remove(token)
        return token, OUTCOMES[outcome]

    def tell(self, token: PaymentToken, what: str, *, reference: str) -> None:
        self._courier.send(f"VAULT.PAYMENT-TOKEN.{what}", reference, self._writer.payment_token(token))
