"""Whether gateways can reach this installation, and whether they have."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Max
from django.urls import reverse

from tillgate.common.checks import LOOPBACK
from tillgate.common.doctor import Finding, broken, examination, look, ok, waiting
from tillgate.inbox.models import InboundEvent
from tillgate.inbox.services import waiting_for_a_person
from tillgate.merchants.doctor import accounts_in_use
from tillgate.payments.models import Attempt

NEWEST = 10_000  # Of all events, and of all attempts: no index leads to a gateway's.
LATE = timedelta(hours=1)  # By then an event has followed a payment, were it only its third delivery.


@examination("webhooks", reads=False)
def address() -> Iterator[Finding]:
    """Whether the address that gateways are given can be reached by them."""
    url = urlsplit(settings.TILLGATE_PUBLIC_URL)
    fix = "Set TILLGATE_PUBLIC_URL to the https address at which customers reach this installation."
    if url.hostname in LOOPBACK:
        seen = f"{settings.TILLGATE_PUBLIC_URL} is this machine's own: no gateway can send events to it."
        more = " The sandbox can; and without events payments are asked about all the same."
        yield ok(seen + more) if settings.IS_LOCAL else broken(seen, fix)
    elif url.scheme != "https":
        yield look(f"{settings.TILLGATE_PUBLIC_URL} is not https: gateways do not send events there.", fix)
    else:
        yield ok(f"Gateways and customers reach this installation at {settings.TILLGATE_PUBLIC_URL}.")


@examination("webhooks")
def arrivals() -> Iterator[Finding]:
    """When the last event of each gateway came that its signature has proved to be genuine."""
    for gateway, mode in sorted(accounts_in_use()):
        yield _arrival(gateway, mode)


@examination("money")
def unapplied_events() -> Iterator[Finding]:
    """What gateways told of, and what is not confirmed or not ours."""
    yield from waiting(waiting_for_a_person(), of="the gateways' events")


def _arrival(gateway: str, mode: str) -> Finding:
    url = settings.TILLGATE_PUBLIC_URL + reverse("inbound", args=[gateway])
    last, paid = _last_event(gateway, mode), _last_paid(gateway, mode)
    fix = f"Put {url} into {gateway}'s dashboard as the webhook URL of its {mode} mode."
    name = f"{gateway} ({mode})"
    if last is None and paid is None:
        return ok(f"{name}: no event yet, and no payment. Its webhook URL is {url}")
    if last is None:
        return look(f"{name}: payments came in, and no genuine event did.", fix)
    if paid is not None and paid > last + LATE:
        seen = f"{name}: the last genuine event came at {_told(last)}, and a payment later, at {_told(paid)}."
        return look(seen, f"{fix} If it is there, its log of webhooks says what this installation answered.")
    return ok(f"{name}: the last genuine event came at {_told(last)}, to {url}")


def _last_event(gateway: str, mode: str) -> datetime | None:
    last = InboundEvent.objects.aggregate(pk=Max("pk"))["pk"] or 0
    own = InboundEvent.objects.filter(pk__gt=last - NEWEST, gateway=gateway, mode=mode)
    return own.order_by("-pk").values_list("received_at", flat=True).first()


def _last_paid(gateway: str, mode: str) -> datetime | None:
    last = Attempt.objects.aggregate(pk=Max("pk"))["pk"] or 0
    own = Attempt.objects.filter(pk__gt=last - NEWEST, gateway=gateway, mode=mode, settles=True)
    return own.order_by("-pk").values_list("verified_at", flat=True).first()


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
