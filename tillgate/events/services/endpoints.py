"""Add, change and delete the addresses of a merchant's software."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from tillgate.common import clock
from tillgate.common.crypto import CannotDecrypt, Rotation, decrypt, encrypt, rotate
from tillgate.common.references import new_reference
from tillgate.events.addresses import BadAddress, Target, read_url
from tillgate.events.client import require_reachable
from tillgate.events.errors import EndpointDisabled, EndpointExists, OfSettings, TooManyEndpoints
from tillgate.events.models import Delivery, Endpoint, OutboxEvent
from tillgate.events.services.listeners import forget_listeners
from tillgate.events.services.outbox import new_event
from tillgate.events.services.sending import disable, drop_pending
from tillgate.events.signing import new_secret
from tillgate.events.types import ALL, TEST
from tillgate.merchants.models import Merchant
from tillgate.merchants.services.accounts import guest_mode
from tillgate.merchants.services.merchants import default_merchant

MOST = 20  # Endpoints of a merchant in a mode.
LOOK_AFTER = timedelta(seconds=10)  # By then every process knows of a change, and what began before is done.
OVERLAP = timedelta(days=1)
LOOK_UP_S = 5
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class NewEndpoint:
    """What an endpoint is to be; its URL was looked at by `reach`."""

    merchant: Merchant
    mode: str
    url: str
    description: str = ""
    events: Sequence[str] = (ALL,)
    enabled: bool = True
    added_by: str = ""
    secret: str = field(default="", repr=False)  # A new one is made where it is empty.


@dataclass(frozen=True, kw_only=True)
class Change:
    """What shall be different; None stays."""

    url: str | None = None
    description: str | None = None
    events: Sequence[str] | None = None
    enabled: bool | None = None


@dataclass(kw_only=True)
class Wanted:
    """What the settings say of endpoints."""

    mode: str
    url: str
    secret: str = field(repr=False)


def reach(url: str) -> Target:
    """Read a URL and look where it leads; nothing is sent. Raises BadAddress. Not for a transaction: a name
    may take seconds to be found."""
    try:
        target = read_url(url)
        require_reachable(target, within_s=LOOK_UP_S)
    except BadAddress as error:
        log.warning("endpoint_refused", reason=str(error))
        raise
    return target


@transaction.atomic
def create_endpoint(new: NewEndpoint) -> tuple[Endpoint, str]:
    """Store an endpoint; return it and its secret, which cannot be seen again.

    Raises EndpointExists for an address that the merchant has in this mode, and TooManyEndpoints.
    """
    Merchant.objects.select_for_update(no_key=True).get(pk=new.merchant.pk)
    own = Endpoint.objects.for_merchant(new.merchant, new.mode)
    _require_another(own.filter(url=new.url).first())
    if own.count() >= MOST:
        raise TooManyEndpoints(f"There are {MOST} endpoints already. Delete one that is not needed.")
    secret = new.secret or new_secret()
    return _store(new, secret), secret


@transaction.atomic
def change_endpoint(endpoint_id: int, change: Change) -> Endpoint:
    """Change an endpoint. Enabled again, it gets what happens from then on; `GET /events` has the rest.

    Raises EndpointExists for another one's address, OfSettings for an address that the settings say.
    """
    endpoint = lock_endpoint(endpoint_id)
    if change.url is not None and change.url != endpoint.url:
        _require_ours(endpoint)
        others = Endpoint.objects.for_merchant(endpoint.merchant, endpoint.mode).exclude(pk=endpoint.pk)
        _require_another(others.filter(url=change.url).first())
        endpoint.url, endpoint.failing_since, endpoint.is_slow = change.url, None, False
    if change.description is not None:
        endpoint.description = change.description
    if change.events is not None:
        endpoint.events = list(change.events)
    wants_other = change.events is not None or change.enabled not in (None, endpoint.enabled)
    if change.enabled and not endpoint.enabled:
        _enable(endpoint)
    elif change.enabled is False and endpoint.enabled:
        disable(endpoint, Endpoint.Ended.SWITCHED_OFF)
    if wants_other:
        endpoint.listens_since = clock.now()
    endpoint.save()
    if wants_other:
        _look_after(endpoint)
    return endpoint


@transaction.atomic
def delete_endpoint(endpoint_id: int) -> None:
    """Delete an endpoint: nothing more is sent to it, and its secrets are forgotten. Raises OfSettings."""
    endpoint = lock_endpoint(endpoint_id)
    _require_ours(endpoint)
    _delete(endpoint)


@transaction.atomic
def rotate_secret(endpoint_id: int, *, overlap: timedelta = OVERLAP) -> tuple[Endpoint, str]:
    """Give an endpoint a new secret and return both; until `overlap` has passed, events are signed with the
    former one, too. Raises OfSettings."""
    endpoint = lock_endpoint(endpoint_id)
    _require_ours(endpoint)
    secret = new_secret()
    _replace_secret(endpoint, secret, overlap)
    endpoint.save(update_fields=["secret", "former_secret", "former_secret_ends_at"])
    return endpoint, secret


@transaction.atomic
def send_test(endpoint_id: int) -> OutboxEvent:
    """Send an endpoint an event that tells of itself. Raises EndpointDisabled."""
    endpoint = lock_endpoint(endpoint_id)
    if not endpoint.enabled:
        raise EndpointDisabled(f"{endpoint.reference} is disabled. Enable it first.")
    before = OutboxEvent.objects.filter(subject=endpoint.reference).aggregate(last=Max("sequence"))["last"]
    now = clock.now()
    event = new_event(endpoint, TEST, sequence=(before or 0) + 1, at=now)
    event.save(force_insert=True)
    Delivery.objects.create(event=event, endpoint=endpoint, next_try_at=now)
    return event


def lock_endpoint(endpoint_id: int) -> Endpoint:
    """Return an endpoint with its row locked until the transaction ends."""
    # A lock that lets deliveries be written: who settles a payment must not wait for it.
    locked = Endpoint.objects.select_for_update(no_key=True, of=("self",)).select_related("merchant")
    return locked.get(pk=endpoint_id)


@transaction.atomic
def follow_settings() -> None:
    """Let the default merchant's endpoint be as TILLGATE_WEBHOOK_URL and TILLGATE_WEBHOOK_SECRET say.

    For whoever starts the product. A secret that was changed is followed for a day by the former one's
    signature; an address that was taken out is told no more.
    """
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=default_merchant().pk)
    wanted = Wanted(
        mode=guest_mode(), url=settings.TILLGATE_WEBHOOK_URL, secret=settings.TILLGATE_WEBHOOK_SECRET
    )
    for former in Endpoint.objects.of_settings().exclude(mode=wanted.mode if wanted.url else ""):
        _delete(former)
    if wanted.url:
        _follow(merchant, wanted)


def rotate_endpoint_secrets() -> Rotation:
    """Encrypt every secret anew with the first of TILLGATE_ENCRYPTION_KEYS; what no key opens stays."""
    done = unreadable = 0
    for pk in Endpoint.objects.exclude(secret="").values_list("pk", flat=True):
        with transaction.atomic():
            endpoint = lock_endpoint(pk)
            try:
                endpoint.secret = rotate(endpoint.secret)
                endpoint.former_secret = rotate(endpoint.former_secret) if endpoint.former_secret else ""
            except CannotDecrypt:
                unreadable += 1
                continue
            endpoint.save(update_fields=["secret", "former_secret"])
            done += 1
    return Rotation(done=done, unreadable=unreadable)


def _follow(merchant: Merchant, wanted: Wanted) -> None:
    own = Endpoint.objects.for_merchant(merchant, wanted.mode).select_for_update(no_key=True)
    at_url = own.filter(url=wanted.url).first()
    current = own.filter(from_settings=True).first()
    if current is not None and at_url is not None and current != at_url:
        _delete(current)
    endpoint = at_url or current
    if endpoint is None:
        new = NewEndpoint(merchant=merchant, mode=wanted.mode, url=wanted.url, added_by="settings")
        endpoint = _store(new, wanted.secret)
    elif decrypt(endpoint.secret) != wanted.secret:
        _replace_secret(endpoint, wanted.secret, OVERLAP)
    endpoint.url, endpoint.from_settings = wanted.url, True
    endpoint.save()
    forget_listeners()


def _store(new: NewEndpoint, secret: str) -> Endpoint:
    now = clock.now()
    endpoint = Endpoint.objects.create(
        reference=new_reference("WHE"),
        merchant=new.merchant,
        mode=new.mode,
        url=new.url,
        description=new.description,
        events=list(new.events),
        secret=encrypt(secret),
        added_by=new.added_by[:80],
        enabled=new.enabled,
        disabled_at=None if new.enabled else now,
        disabled_reason="" if new.enabled else Endpoint.Ended.SWITCHED_OFF,
        listens_since=now,
        created_at=now,
    )
    _look_after(endpoint)
    return endpoint


def _enable(endpoint: Endpoint) -> None:
    endpoint.enabled, endpoint.disabled_at, endpoint.disabled_reason = True, None, ""
    endpoint.failing_since, endpoint.rest_until, endpoint.is_slow = None, None, False


def _delete(endpoint: Endpoint) -> None:
    endpoint.deleted_at = clock.now()
    endpoint.secret = endpoint.former_secret = ""
    endpoint.former_secret_ends_at = None
    endpoint.save(update_fields=["deleted_at", "secret", "former_secret", "former_secret_ends_at"])
    drop_pending(endpoint)
    _look_after(endpoint)


def _replace_secret(endpoint: Endpoint, secret: str, overlap: timedelta) -> None:
    endpoint.former_secret, endpoint.secret = endpoint.secret, encrypt(secret)
    endpoint.former_secret_ends_at = clock.now() + overlap


def _look_after(endpoint: Endpoint) -> None:
    from tillgate.events.jobs import look_after_endpoint  # The job's module imports this one.

    forget_listeners()
    key = f"look-after-{endpoint.reference}"
    look_after_endpoint.using(unique_key=key, run_after=clock.now() + LOOK_AFTER).enqueue(endpoint.pk)


def _require_another(there: Endpoint | None) -> None:
    if there is not None:
        raise EndpointExists(f"{there.reference} has this address already. Change that one, or delete it.")


def _require_ours(endpoint: Endpoint) -> None:
    if endpoint.from_settings:
        raise OfSettings(
            f"{endpoint.reference} is as TILLGATE_WEBHOOK_URL and TILLGATE_WEBHOOK_SECRET say. Change those, "
            "and start again."
        )
