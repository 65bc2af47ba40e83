"""What the worker does for inbound events."""

from tillgate.common.jobs import task
from tillgate.inbox.services import apply_event


# An event that was answered 200 is never given up.
@task(max_attempts=1_000_000, backoff_s=(2, 10, 60, 300, 3600))
def apply_inbound_event(event_id: int) -> None:
    """Ask about what an event names."""
    apply_event(event_id)
