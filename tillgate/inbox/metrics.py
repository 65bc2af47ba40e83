"""Figures of what gateways have sent: of the newest events alone, since no index leads to a state."""

from collections.abc import Iterator

from django.db.models import Count, Max

from tillgate.common.metrics import Figure, figures
from tillgate.inbox.models import InboundEvent

NEWEST = 2_000
STATES = (InboundEvent.State.STORED, InboundEvent.State.PARKED)


@figures
def events() -> Iterator[Figure]:
    """Events that are not applied."""
    last = InboundEvent.objects.aggregate(pk=Max("pk"))["pk"] or 0
    rows = InboundEvent.objects.filter(pk__gt=last - NEWEST, state__in=STATES).order_by()
    found = dict(rows.values_list("state").annotate(count=Count("pk")))
    yield Figure(
        name="inbound_events",
        says=f"Of the gateways' newest {NEWEST} events, those that wait (stored) or are not ours (parked)",
        labels=("state",),
        samples={(state.value,): found.get(state.value, 0) for state in STATES},
    )
