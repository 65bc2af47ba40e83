"""What the worker does for events beside sending. Each job calls one service, and may run twice or late."""

from tillgate.common.jobs import periodic, task
from tillgate.events.services import gaps, health, mails, redeliver


@task(max_attempts=30, backoff_s=(5, 30, 300))
def look_after_endpoint(endpoint_id: int) -> None:
    """Tell an endpoint what it missed while it was new."""
    gaps.look_after(endpoint_id)


@task(max_attempts=30, backoff_s=(10, 60, 300, 900, 3600))
def mail_owners(endpoint_id: int) -> None:
    """Tell the owners that an endpoint was given up."""
    mails.send_disabled(endpoint_id)


@periodic(every_s=60)
@task(max_attempts=3, backoff_s=(5,))
def look_for_stuck_events() -> None:
    """Log an error while events are due and nobody sends them."""
    health.look_for_stuck_events()


@periodic(every_s=3600)
@task(max_attempts=3, backoff_s=(60,))
def forget_old_events() -> None:
    """Delete what is older than 90 days."""
    redeliver.forget_old()
