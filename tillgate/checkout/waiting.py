"""Wait a moment for news of a payment whose customer has just come back from a gateway."""

import threading
import time

from tillgate.payments.models import Payment
from tillgate.payments.services.sync import make_question_due

WAIT_S = 2.0
LOOK_EVERY_S = 0.1
# Each waiting customer holds a thread of the web server; with no seat free, the page says "checking" at once.
_seats = threading.BoundedSemaphore(4)


def wait_for_news(payment: Payment) -> Payment:
    """Let the worker ask now, wait at most two seconds for its answer, return the payment as it is then."""
    if not _seats.acquire(blocking=False):
        make_question_due(payment)
        return payment
    try:
        make_question_due(payment, max_age_s=1)
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline and not _has_news(payment):
            time.sleep(LOOK_EVERY_S)
    finally:
        _seats.release()
    return Payment.objects.select_related("merchant").get(pk=payment.pk)


def _has_news(payment: Payment) -> bool:
    # Every change of a payment has an event, and every event the next number.
    return not Payment.objects.filter(pk=payment.pk, sequence=payment.sequence).exists()
