"""What an installation that was lost has done, as tests tell of it."""

from datetime import datetime, timedelta
from typing import Any

from tests.subscriptions.diary import Diary
from tillgate.common import clock, restoration
from tillgate.common.models import Restoration
from tillgate.gateways.protocol import AttemptRef, GatewayState, PaymentSnapshot
from tillgate.money import Money

ABSENT = PaymentSnapshot(state=GatewayState.ABSENT, gateway_reference="")


def restored(
    *, ago: timedelta = timedelta(hours=1), ran_until: datetime | None = None, released: bool = True
) -> None:
    """A backup was made `ago`, and is restored now."""
    now = clock.now()
    Restoration.objects.create(
        backed_up_at=now - ago, ran_until=ran_until or now, released_at=now if released else None
    )
    restoration.forget()


def known_as(state: GatewayState, **fields: Any) -> Any:
    """What the gateway says of the charge that was made before the database was lost."""

    def answer(attempt: AttemptRef) -> PaymentSnapshot:
        reference = attempt.gateway_reference
        return PaymentSnapshot(
            state=state, gateway_reference=reference, gateway_id="id-1", mode="test", channel="card", **fields
        )

    return answer


def paid(diary: Diary) -> Any:
    """It has taken the money."""
    return known_as(GatewayState.SUCCEEDED, amount=Money(diary.subscription.amount_minor, "NGN"))
