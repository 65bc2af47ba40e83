"""See when stolen cards are tried out at a merchant, and pause its guests.

A normal shop has every second card declined on a bad day; who tries out cards has nearly all. Failures are
not counted per address: the gateway tells of them later than the request that could be refused, thousands
of customers share one address of a mobile network, and those who try out cards have as many as they like.
"""

from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import Count, Q

from tillgate.common import clock
from tillgate.common.references import new_token
from tillgate.merchants.services.pauses import Pause, pause_guests
from tillgate.payments.models import Attempt
from tillgate.payments.states import AttemptStatus

log = structlog.get_logger(__name__)
WINDOW = timedelta(minutes=10)
LEAST_DECLINED = 20
LEAST_PERCENT = 80


def look_for_card_testing() -> int:
    """Pause the guests of every merchant at which cards are tried out just now; return how many there are.

    One statement where all is well.
    """
    recent = Attempt.objects.filter(initiated_by="customer", answered_at__gt=clock.now() - WINDOW)
    declined = Count("pk", filter=Q(status=AttemptStatus.FAILED.value))
    per_shop = recent.values_list("payment__merchant_id", "payment__mode")
    counted = per_shop.annotate(answered=Count("pk"), declined=declined).filter(declined__gte=LEAST_DECLINED)
    return sum(
        _pause(merchant_id, mode, {"answered": answered, "declined": declined})
        for merchant_id, mode, answered, declined in counted
        if declined * 100 >= answered * LEAST_PERCENT
    )


@transaction.atomic
def _pause(merchant_id: int, mode: str, counted: dict[str, int]) -> bool:
    from tillgate.payments.jobs import mail_about_pause  # The job calls this module.

    paused = pause_guests(merchant_id, mode)
    if paused == Pause.HOLDS:
        return False
    log.error("guests_paused", merchant=merchant_id, mode=mode, **counted)
    if paused == Pause.NEW:
        facts = {**counted, "minutes": int(WINDOW.total_seconds()) // 60}
        mail_about_pause.enqueue(merchant_id, mode, new_token(), facts)
    return True
