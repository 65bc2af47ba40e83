"""What the worker does for payments. Each job takes ids, calls one service, and may run twice or late."""

from tillgate.common.jobs import periodic, task
from tillgate.merchants.services import pauses
from tillgate.payments.services import card_testing, expire, refund_calls, start, sync
from tillgate.payments.services import look_back as looking_back


# A question is never given up: as long as the attempt is open, its ladder has a next rung.
@task(max_attempts=1_000_000, backoff_s=(5, 15, 60, 300, 3600))
def ask_gateway(attempt_id: int, rung: int) -> None:
    """Ask the ladder's next question about an attempt."""
    sync.climb(attempt_id, rung)


@task(max_attempts=1_000_000, backoff_s=(5, 15, 60, 300, 3600))
def submit_refund(refund_id: int) -> None:
    """Send a reserved refund to its gateway."""
    refund_calls.submit(refund_id)


@task(max_attempts=1_000_000, backoff_s=(5, 15, 60, 300, 3600))
def look_for_refund(refund_id: int, rung: int) -> None:
    """Ask what became of a refund."""
    refund_calls.look(refund_id, rung)


@task(max_attempts=1_000_000, backoff_s=(5, 15, 60, 300, 3600))
def look_back(attempt_id: int) -> None:
    """Ask for the refunds and disputes of money that came in."""
    looking_back.look_back(attempt_id)


@periodic(every_s=15)
@task(max_attempts=3, backoff_s=(5,))
def look_back_where_due() -> None:
    """Queue the looks back whose time has come."""
    looking_back.queue_due()


@periodic(every_s=15)
@task(max_attempts=3, backoff_s=(5,))
def expire_payments() -> None:
    """Close payments that nobody paid in time."""
    expire.expire_due_payments()


@periodic(every_s=3600)
@task(max_attempts=3, backoff_s=(60,))
def release_idempotency_keys() -> None:
    """Forget idempotency keys that nobody can still mean."""
    start.release_keys()


@periodic(every_s=10)
@task(max_attempts=3, backoff_s=(5,))
def look_for_card_testing() -> None:
    """Pause the guests of merchants where stolen cards are tried out."""
    card_testing.look_for_card_testing()


@task(max_attempts=30, backoff_s=(10, 60, 300, 900, 3600))
def mail_about_pause(merchant_id: int, mode: str, news: str, facts: dict[str, int]) -> None:
    """Tell a merchant's owners that its guests are kept from paying."""
    pauses.mail_about(merchant_id, mode, news, facts)
