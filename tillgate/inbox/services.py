"""A gateway's event is a doorbell, not a letter: verify, store, answer, then ask the gateway itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from tillgate.common import clock
from tillgate.common.errors import NotFound, PayError
from tillgate.gateways.errors import Unreachable
from tillgate.gateways.http import AT_THE_DOOR
from tillgate.gateways.plans import read_news
from tillgate.gateways.protocol import EventSubject, GatewayEvent
from tillgate.gateways.registry import GATEWAYS
from tillgate.inbox.models import InboundEvent
from tillgate.merchants.services.accounts import Listener, connect, listeners
from tillgate.money import Money
from tillgate.payments.models import Attempt
from tillgate.payments.services.look_back import look_back
from tillgate.payments.services.sync import MONEY_MOVED, ask
from tillgate.payments.states import AttemptStatus

log = structlog.get_logger(__name__)
RETRY_AFTER_S = 30
WAITED = timedelta(hours=1)
KEPT_HEADERS = frozenset({"content-type", "user-agent", "x-request-id"})


class BadSignature(PayError):
    """The event is not signed by any account of that gateway; nothing of it was kept."""

    code = "bad_signature"
    http_status = 401


class NoAccount(PayError):
    """There is no account whose key could verify the event; the gateway will send it again."""

    code = "no_gateway_account"
    http_status = 503


class NotVerifiable(PayError):
    """What it takes to verify the event cannot be had just now; the gateway will send it again."""

    code = "verification_unavailable"
    http_status = 503


class NotConfirmed(Exception):
    """The gateway's answer does not confirm its own event yet."""


def receive(gateway: str, headers: Mapping[str, str], body: bytes) -> None:
    """Store a signed event and queue it; a second delivery of the same news changes nothing.

    `headers` have lower-case names. Raises NotFound for a gateway we do not have, NoAccount,
    NotVerifiable, BadSignature.
    """
    if gateway not in GATEWAYS:
        raise NotFound(f"There is no gateway {gateway!r} here.")
    signer, event = _verify(gateway, headers, body)
    _store(signer, event, headers, body)


def apply_event(event_id: int) -> None:
    """Ask about what an event names: the payment, or what became of its money since. An event about
    nothing of ours is parked; one of a plan that the gateway itself collects is kept, and changes nothing.

    Raises NotConfirmed, so that the job is tried again, while the gateway does not answer, or does
    not (yet) confirm the money that its event told of.
    """
    event = InboundEvent.objects.get(pk=event_id)
    if event.about == EventSubject.OTHER:
        _finish(event, InboundEvent.State.APPLIED, "")
        return
    attempt = _attempt_of(event)
    if attempt is None:
        _lay_aside(event)
        return
    # What claims to be of a plan and carries a reference of ours is a payment of ours.
    is_payment = event.about in (EventSubject.PAYMENT, EventSubject.PLAN)
    if is_payment or not _came_in(event, attempt):
        _ask(event, attempt)
    if not is_payment and not look_back(attempt.pk):
        raise NotConfirmed(f"{event} tells of money that the gateway does not confirm")
    _finish(event, InboundEvent.State.APPLIED, "")


def waiting_for_a_person() -> Iterator[str]:
    """Yield what was rung and could not be laid aside: money nobody asked for, or confirms."""
    parked = InboundEvent.objects.filter(state=InboundEvent.State.PARKED, claims_money=True)
    for event in parked.order_by("pk").iterator():
        yield f"{event} tells of money under {event.gateway_reference!r}: {event.reason}."
    since = clock.now() - WAITED
    stored = InboundEvent.objects.filter(state=InboundEvent.State.STORED, received_at__lt=since)
    for event in stored.order_by("pk").iterator():
        yield f"{event} about {event.gateway_reference!r} is not confirmed by the gateway's answers."


def empty_events_of(username: str) -> None:
    """Keep of the events about a deleted account's payments no more than what they were about.

    `username` is the one that it has since. A repeat changes nothing.
    """
    own = Attempt.objects.filter(payment__account__username=username)
    for gateway, mode in set(own.values_list("gateway", "mode")):
        there = own.filter(gateway=gateway, mode=mode)
        ids = {
            *there.values_list("gateway_id", flat=True),
            *there.values_list("surpluses__gateway_id", flat=True),
        }
        named = Q(gateway_reference__in=list(there.values_list("gateway_reference", flat=True)))
        about = named | Q(gateway_id__in=list(filter(None, ids)))
        InboundEvent.objects.filter(about, gateway=gateway, mode=mode).update(body=b"", headers={})


@dataclass(frozen=True, kw_only=True)
class PlanEvent:
    """News of a plan that a gateway itself collects, for a person to read."""

    received_at: datetime
    gateway: str
    kind: str
    amount: Money | None
    customer_email: str


def plan_events(since: datetime | None = None) -> Iterator[PlanEvent]:
    """Yield what gateways told of their own plans, oldest first. Nothing of ours follows it."""
    kept = InboundEvent.objects.filter(state=InboundEvent.State.KEPT)
    if since is not None:
        kept = kept.filter(received_at__gte=since)
    for event in kept.order_by("received_at", "pk").iterator():
        news = read_news(event.gateway, bytes(event.body))
        yield PlanEvent(
            received_at=event.received_at,
            gateway=event.gateway,
            kind=event.kind,
            amount=news.amount,
            customer_email=news.customer_email,
        )


def _attempt_of(event: InboundEvent) -> Attempt | None:
    """Find the attempt by our name for it, else by the gateway's for one of its transactions.

    Of the merchant alone whose account has signed the event: nobody speaks of another's money.
    """
    attempts = Attempt.objects.filter(
        gateway=event.gateway, mode=event.mode, payment__merchant=event.merchant_id
    )
    named = attempts.filter(gateway_reference=event.gateway_reference).first()
    if named is not None or not event.gateway_id:
        return named
    by_id = Q(gateway_id=event.gateway_id) | Q(surpluses__gateway_id=event.gateway_id)
    return attempts.filter(by_id).first()


def _lay_aside(event: InboundEvent) -> None:
    if event.about == EventSubject.PLAN:
        _finish(event, InboundEvent.State.KEPT, "a plan that the gateway itself collects")
        return
    log.warning("event_parked", gateway=event.gateway, kind=event.kind, reference=event.gateway_reference)
    _finish(event, InboundEvent.State.PARKED, "no attempt of ours has this reference")


def _came_in(event: InboundEvent, attempt: Attempt) -> bool:
    """Say whether we know already of the money whose return an event tells of."""
    if event.gateway_id in ("", attempt.gateway_id):
        return attempt.status == AttemptStatus.SUCCEEDED
    return attempt.surpluses.filter(gateway_id=event.gateway_id).exists()


def _ask(event: InboundEvent, attempt: Attempt) -> None:
    said = ask(attempt.pk, gateway_id=event.gateway_id or None)
    if said is None or (event.claims_money and said not in MONEY_MOVED):
        raise NotConfirmed(f"{event} says more than the gateway's answer: {said}")


def _verify(gateway: str, headers: Mapping[str, str], body: bytes) -> tuple[Listener, GatewayEvent]:
    heard_by = listeners(gateway)
    if not heard_by:
        raise NoAccount(f"No {gateway} key is set, so no event of it can be verified.")
    unreachable: Unreachable | None = None
    for listener in heard_by:
        try:
            event = connect(listener.account, AT_THE_DOOR).read_event(headers, body)
        except Unreachable as error:
            unreachable = error
            continue
        if event is not None:
            return listener, event
    if unreachable is not None:
        log.warning("event_not_verifiable", gateway=gateway, reason=str(unreachable))
        retry = {"Retry-After": str(unreachable.retry_after_s or RETRY_AFTER_S)}
        raise NotVerifiable("The event cannot be verified just now. Send it again.", headers=retry)
    raise BadSignature("The signature does not match the body.")


@transaction.atomic
def _store(signer: Listener, event: GatewayEvent, headers: Mapping[str, str], body: bytes) -> None:
    from tillgate.inbox.jobs import apply_inbound_event  # The job calls this module.

    row, is_new = InboundEvent.objects.get_or_create(
        merchant_id=signer.merchant_id,
        gateway=signer.account.gateway,
        mode=signer.account.mode,
        dedupe_key=event.dedupe_key,
        defaults={
            "kind": event.kind,
            "gateway_reference": event.gateway_reference or "",
            "gateway_id": event.gateway_id or "",
            "claims_money": event.claims_money,
            "about": event.about,
            "headers": {name: value[:200] for name, value in headers.items() if name in KEPT_HEADERS},
            "body": body,
            "received_at": clock.now(),
        },
    )
    if is_new:
        apply_inbound_event.enqueue(row.pk)


def _finish(event: InboundEvent, state: str, reason: str) -> None:
    event.state, event.reason = state, reason
    event.save(update_fields=["state", "reason"])
