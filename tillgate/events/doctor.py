"""Whether merchants' software is told what happens."""

from collections.abc import Iterator

from tillgate.common.doctor import Finding, examination, ok, secrets_open, waiting
from tillgate.events.models import Endpoint
from tillgate.events.services import health


@examination("events")
def sending() -> Iterator[Finding]:
    """What is on its way to them, and what was given up."""
    now = health.figures()
    listening = Endpoint.objects.filter(deleted_at__isnull=True, enabled=True).count()
    on_the_way = f"{now.waiting} are on their way, {now.overdue} of them due"
    yield ok(f"{listening} endpoints are told of events; {on_the_way}.")
    yield from waiting(health.waiting_for_a_person(), of="the events to endpoints")


@examination("keys")
def endpoint_secrets() -> Iterator[Finding]:
    """Whether the encryption keys open what events are signed with."""
    stored = Endpoint.objects.filter(deleted_at__isnull=True).order_by("pk").values_list("secret", flat=True)
    yield from secrets_open("secrets of endpoints", stored)
