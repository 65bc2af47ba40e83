"""Guests kept from trying to pay at a merchant for a while: too many of their cards were declined.

Whoever tries out stolen cards needs many tries; the merchant's gateways count them against the merchant.
Payments are still made and can be paid later; keys, staff and pages that are open already go on.
"""

import math
from datetime import datetime, timedelta
from enum import Enum, auto

from django.db import transaction

from tillgate.common import clock
from tillgate.merchants.errors import GuestsPaused
from tillgate.merchants.models import Merchant
from tillgate.merchants.services.owner_mails import OwnersMail, mail_owners

PAUSE = timedelta(minutes=15)
ONE_WAVE = timedelta(hours=1)  # A pause so soon after another is more of the same: nobody gets a mail again.
FIELDS = {"live": "guests_paused_until", "test": "test_guests_paused_until"}


class Pause(Enum):
    """What a pause is to the owners: news, one more of the same wave, or one that holds already."""

    NEW = auto()
    ANOTHER = auto()
    HOLDS = auto()


def require_guests(merchant: Merchant, mode: str) -> None:
    """Return when guests may try to pay. Raises GuestsPaused while they may not. No statement."""
    until = _until(merchant, mode)
    left = (until - clock.now()).total_seconds() if until else 0
    if left > 0:
        raise GuestsPaused(
            f"Too many cards were declined here, so nobody without a key can try for {math.ceil(left / 60)} "
            "minutes. The payment stays open: try again then.",
            headers={"Retry-After": str(math.ceil(left))},
        )


@transaction.atomic
def pause_guests(merchant_id: int, mode: str) -> Pause:
    """Keep guests from trying to pay from now on, where that is not so already."""
    merchant = Merchant.objects.select_for_update().get(pk=merchant_id)
    before, now = _until(merchant, mode), clock.now()
    if before is not None and before > now:
        return Pause.HOLDS
    setattr(merchant, FIELDS[mode], now + PAUSE)
    merchant.save(update_fields=[FIELDS[mode]])
    return Pause.NEW if before is None or before < now - ONE_WAVE else Pause.ANOTHER


def mail_about(merchant_id: int, mode: str, news: str, facts: dict[str, int]) -> None:
    """Tell the owners of a pause; `facts` are how many tries were `answered` and `declined` in how many
    `minutes`. Raises what the mail server's refusal is, so that the job is tried again."""
    pause = int(PAUSE.total_seconds()) // 60
    mail = OwnersMail(
        name="guests_paused",
        subject=f"Guests cannot pay for {pause} minutes: many cards were declined",
        body="owners/mails/guests_paused.txt",
        words={**facts, "pause": pause},
        news=(news,),
        mark="" if mode == "live" else "[Test] ",
    )
    mail_owners(Merchant.objects.get(pk=merchant_id), mail)


def _until(merchant: Merchant, mode: str) -> datetime | None:
    until: datetime | None = getattr(merchant, FIELDS[mode])
    return until
