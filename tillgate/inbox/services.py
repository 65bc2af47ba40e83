"""A gateway's event is a doorbell, not a letter: verify, store, answer, then ask the gateway itself."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import structlog
from django.db import transaction

from tillgate.common import clock
from tillgate.common.errors import NotFound, PayError
from tillgate.gateways.http import IN_WORKER
from tillgate.gateways.protocol import GatewayAccount, GatewayEvent
from tillgate.gateways.registry import GATEWAYS
from tillgate.inbox.models import InboundEvent
from tillgate.merchants.services import accounts_at, connect
from tillgate.payments.models import Attempt
from tillgate.payments.services.sync import MONEY_MOVED, ask

log = structlog.get_logger(__name__)
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


class NotConfirmed(Exception):
    """The gateway's answer does not confirm its own event yet."""


def receive(gateway: str, headers: Mapping[str, str], body: bytes) -> None:
    """Store a signed event and queue it; a second delivery of the same news changes nothing.

    `headers` have lower-case names. Raises NotFound for a gateway we do not have, NoAccount,
    BadSignature.
    """
    if gateway not in GATEWAYS:
        raise NotFound(f"There is no gateway {gateway!r} here.")
    account, event = _verify(gateway, headers, body)
    _store(account, event, headers, body)


def apply_event(event_id: int) -> None:
    """Ask about the attempt that an event names. An event about nothing of ours is parked.

    Raises NotConfirmed, so that the job is tried again, while the gateway does not answer, or does
    not (yet) confirm the money that its event told of.
    """
    event = InboundEvent.objects.get(pk=event_id)
    attempt = Attempt.objects.filter(
        gateway=event.gateway, mode=event.mode, gateway_reference=event.gateway_reference
    ).first()
    if attempt is None:
        log.warning("event_parked", gateway=event.gateway, kind=event.kind, reference=event.gateway_reference)
        _finish(event, InboundEvent.State.PARKED, "no attempt of ours has this reference")
        return
    said = ask(attempt.pk, gateway_id=event.gateway_id or None)
    if said is None or (event.claims_money and said not in MONEY_MOVED):
        raise NotConfirmed(f"{event} says more than the gateway's answer: {said}")
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


def _verify(gateway: str, headers: Mapping[str, str], body: bytes) -> tuple[GatewayAccount, GatewayEvent]:
    accounts = accounts_at(gateway)
    if not accounts:
        raise NoAccount(f"No {gateway} key is set, so no event of it can be verified.")
    for account in accounts:
        event = connect(account, IN_WORKER).read_event(headers, body)
        if event is not None:
            return account, event
    log.warning("event_bad_signature", gateway=gateway)
    raise BadSignature("The signature does not match the body.")


@transaction.atomic
def _store(account: GatewayAccount, event: GatewayEvent, headers: Mapping[str, str], body: bytes) -> None:
    from tillgate.inbox.jobs import apply_inbound_event  # The job calls this module.

    row, is_new = InboundEvent.objects.get_or_create(
        gateway=account.gateway,
        mode=account.mode,
        dedupe_key=event.dedupe_key,
        defaults={
            "kind": event.kind,
            "gateway_reference": event.gateway_reference or "",
            "gateway_id": event.gateway_id or "",
            "claims_money": event.claims_money,
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
