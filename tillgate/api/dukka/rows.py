"""The rows of the Dukka API's history."""

from tillgate.api.dukka.row_numbers import MOST, number_of, reference_start
from tillgate.api.shapes.dukka import DukkaPaymentOut
from tillgate.api.shapes.payments import payment_out
from tillgate.common.errors import NotFound
from tillgate.payments.models import Attempt, Payment, PaymentQuerySet
from tillgate.subscriptions.models import Subscription


def find_row(rows: PaymentQuerySet, number: int) -> Payment:
    """Return the row of this number. Raises NotFound; also in the one case in a million million in which
    two of them have it."""
    found = list(rows.filter(reference__startswith=reference_start(number))[:2]) if number <= MOST else []
    if len(found) != 1:
        raise NotFound(
            "There is no such row in your history: GET /dukka/api/payments-history/ shows its ids."
        )
    return found[0]


def rows_out(payments: list[Payment]) -> list[DukkaPaymentOut]:
    """A page of rows, with what each of them needs of other tables: two statements."""
    tries = Attempt.objects.filter(payment__in=payments).order_by("pk")
    newest = dict(tries.values_list("payment_id", "gateway_reference"))
    named = {payment.subscription_reference for payment in payments} - {""}
    plans = Subscription.objects.in_bulk(named, field_name="reference") if named else {}
    return [
        _row_out(payment, newest.get(payment.pk), plans.get(payment.subscription_reference))
        for payment in payments
    ]


def _row_out(payment: Payment, reference: str | None, plan: Subscription | None) -> DukkaPaymentOut:
    known = payment_out(payment, with_key=False)
    return DukkaPaymentOut(
        id=number_of(payment.reference),
        payment=known.id,
        reference=reference,
        email=known.customer_email,
        customer_name=known.customer_name,
        amount=known.amount,
        currency=known.currency,
        status=known.status,
        gateway=known.gateway,
        checkout_url=known.checkout_url,
        test=known.test,
        created_at=known.created_at,
        completed_at=known.completed_at,
        subscription_plan=plan is not None,
        payment_interval=None if plan is None else plan.interval,
        interval_count=None if plan is None else plan.interval_count,
        subscription=None if plan is None else plan.reference,
        subscription_status=None if plan is None else plan.status,
    )
