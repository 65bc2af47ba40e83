"""What the worker does for inbound events."""

from tillgate.common.jobs import task
from tillgate.inbox.services import apply_event, empty_events_of


# An event that was answered 200 is never given up.
@task(max_attempts=1_000_000, backoff_s=(2, 10, 60, 300, 3600))
def apply_inbound_event(event_id: int) -> None:
    """Ask about what an event names."""
    apply_event(event_id)


@task(max_attempts=100, backoff_s=(10, 60, 300, 3600))
def forget_person(username: str) -> None:
    """Empty what gateways told of somebody whose account was deleted."""
    empty_events_of(username)
