"""Send what is due, one endpoint at a time, and write down how it went.

An endpoint is a lane: one process holds it by a lease, takes a batch of what is due, sends, and writes all
outcomes in one transaction. Who loses the lease writes nothing, and the events are sent again: each at
least once, under the same id and with the same bytes.
"""

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from tillgate.common import clock
from tillgate.common.crypto import CannotDecrypt, decrypt
from tillgate.common.jobs.times import real_now
from tillgate.common.logs import CONTROL, redact
from tillgate.common.references import new_token
from tillgate.events.addresses import BadAddress, read_url
from tillgate.events.client import Answer, Connection
from tillgate.events.models import Delivery, DeliveryState, Endpoint
from tillgate.events.services.listeners import forget_listeners
from tillgate.events.signing import signed_headers

LADDER_S = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
JITTER = 10  # Percent that may come on top.
LONGEST_WAIT = timedelta(days=1)  # Whatever a receiver asks for.
FAILING_FOR = timedelta(days=5)
BATCH = 50
LEASE_S = 60
TURN_S = 5  # After that a lane begins no further send of its batch: others are waiting.
SLOW_S = 2
GONE = 410
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One delivery that is due: what is sent, under which id."""

    delivery_id: int
    tries: int
    id: str
    subject: str
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one try went, and how many seconds it took."""

    parcel: Parcel
    answer: Answer
    took_s: int


@dataclass(kw_only=True)
class Lane:
    """An endpoint that this process holds, with a batch of what is due, and what has come of it."""

    endpoint: Endpoint
    token: str
    parcels: list[Parcel]
    outcomes: list[Outcome] = field(default_factory=list)


def claim(limit: int, *, slow: bool) -> list[Lane]:
    """Take up to `limit` endpoints for which something is due, the longest not served first.

    The slow ones, which may take all the time that a call may, are asked for by themselves.
    """
    waiting = _free().filter(is_slow=slow).order_by(F("lane_until").asc(nulls_first=True), "pk")
    found = list(waiting.values_list("pk", flat=True)[:limit])
    return [lane for pk in found if (lane := _take(pk)) is not None]


def send(lane: Lane, parcels: Iterable[Parcel], *, until: float) -> list[Outcome]:
    """Send some of a lane's parcels, one after the other, by one connection; no database is asked.

    After `until`, a reading of the monotonic clock, no further one is begun.
    """
    outcomes: list[Outcome] = []
    try:
        connection, secrets = Connection(read_url(lane.endpoint.url)), _secrets(lane.endpoint)
    except (BadAddress, CannotDecrypt) as error:
        log.error("endpoint_unusable", endpoint=lane.endpoint.reference, reason=str(error))
        answer = Answer(status=None, error=str(error)[:200])
        return [Outcome(parcel=parcel, answer=answer, took_s=0) for parcel in parcels]
    try:
        for parcel in parcels:
            began = time.monotonic()
            if outcomes and began > until:
                break
            answer = connection.post(parcel.body, _headers(parcel, secrets))
            outcomes.append(Outcome(parcel=parcel, answer=answer, took_s=round(time.monotonic() - began)))
    finally:
        connection.close()
    return outcomes


def send_due(limit: int = 10_000) -> int:
    """Send what is due in the caller's thread, batch after batch; return how many tries were made."""
    tries = 0
    while tries < limit and (lanes := claim(1, slow=False) or claim(1, slow=True)):
        [lane] = lanes
        lane.outcomes = send(lane, lane.parcels, until=time.monotonic() + TURN_S)
        write(lane)
        tries += len(lane.outcomes)
    return tries


@transaction.atomic
def write(lane: Lane) -> None:
    """Write how a lane's turn went, and give it back; who has lost it writes nothing."""
    mine = Endpoint.objects.select_for_update(no_key=True).filter(pk=lane.endpoint.pk, lane_token=lane.token)
    endpoint = mine.first()
    if endpoint is None:
        log.warning("lane_lost", endpoint=lane.endpoint.reference, sent=len(lane.outcomes))
        return
    now = clock.now()
    endpoint.lane_token, endpoint.lane_until = "", real_now()
    delivered = [outcome for outcome in lane.outcomes if outcome.answer.is_success]
    failed = [outcome for outcome in lane.outcomes if not outcome.answer.is_success]
    _write_delivered(delivered, now)
    for outcome in failed:
        _write_failed(endpoint, outcome, now)
    endpoint.sends += len(lane.outcomes)
    endpoint.failures += len(failed)
    _judge(endpoint, delivered, failed, now)
    endpoint.save(
        update_fields=[
            "lane_token",
            "lane_until",
            "sends",
            "failures",
            "failing_since",
            "rest_until",
            "is_slow",
            "enabled",
            "disabled_at",
            "disabled_reason",
        ]
    )


def drop_pending(endpoint: Endpoint) -> int:
    """Give up what still waits for an endpoint to which nothing is sent any more; return how many."""
    waiting = Delivery.objects.filter(endpoint=endpoint, next_try_at__isnull=False)
    return waiting.update(state=DeliveryState.DROPPED, next_try_at=None)


def disable(endpoint: Endpoint, reason: Endpoint.Ended) -> None:
    """Send nothing more to a locked endpoint, whose fields the caller saves; events are still kept for it."""
    endpoint.enabled, endpoint.disabled_at, endpoint.disabled_reason = False, clock.now(), reason.value
    dropped = drop_pending(endpoint)
    forget_listeners()
    log.warning("endpoint_disabled", endpoint=endpoint.reference, reason=reason.value, dropped=dropped)


def _free() -> QuerySet[Endpoint]:
    now = clock.now()
    due = Delivery.objects.filter(endpoint=OuterRef("pk"), next_try_at__lte=now)
    return Endpoint.objects.filter(
        Exists(due),
        Q(lane_until__isnull=True) | Q(lane_token="") | Q(lane_until__lte=real_now()),
        Q(rest_until__isnull=True) | Q(rest_until__lte=now),
        enabled=True,
        deleted_at__isnull=True,
    )


def _take(endpoint_id: int) -> Lane | None:
    """Hold an endpoint, unless somebody was quicker: one statement, so that of all processes one does."""
    token = new_token()
    lease = real_now() + timedelta(seconds=LEASE_S)
    if not _free().filter(pk=endpoint_id).update(lane_token=token, lane_until=lease):
        return None
    endpoint = Endpoint.objects.get(pk=endpoint_id)
    due = Delivery.objects.filter(endpoint=endpoint).due(clock.now()).select_related("event")[:BATCH]
    return Lane(endpoint=endpoint, token=token, parcels=list(map(_parcel, due)))


def _parcel(delivery: Delivery) -> Parcel:
    event = delivery.event
    return Parcel(
        delivery_id=delivery.pk,
        tries=delivery.tries,
        id=event.reference,
        subject=event.subject,
        body=event.body.encode(),
    )


def _secrets(endpoint: Endpoint) -> list[str]:
    stored = [endpoint.secret]
    if endpoint.former_secret_ends_at is not None and endpoint.former_secret_ends_at > clock.now():
        stored.append(endpoint.former_secret)
    return list(map(decrypt, stored))


def _headers(parcel: Parcel, secrets: Sequence[str]) -> dict[str, str]:
    # The receiver holds the time against its own clock, which is the real one.
    return signed_headers(parcel.id, int(real_now().timestamp()), parcel.body, secrets)


def _write_delivered(outcomes: Sequence[Outcome], now: datetime) -> None:
    """Receivers say the same to every event, as a rule: then a batch is one statement."""
    alike: dict[tuple[int | None, str], list[int]] = defaultdict(list)
    for outcome in outcomes:
        alike[outcome.answer.status, _shown(outcome.answer.text)].append(outcome.parcel.delivery_id)
    for (status, text), pks in alike.items():
        Delivery.objects.filter(pk__in=pks).update(
            state=DeliveryState.DELIVERED,
            next_try_at=None,
            tries=F("tries") + 1,
            last_try_at=now,
            last_status=status,
            last_error="",
            last_answer=text,
        )


def _write_failed(endpoint: Endpoint, outcome: Outcome, now: datetime) -> None:
    tries, answer = outcome.parcel.tries + 1, outcome.answer
    next_try_at = _next_try_at(outcome, now)
    state = DeliveryState.EXHAUSTED if next_try_at is None else DeliveryState.PENDING
    if next_try_at is None:
        log.error("event_exhausted", endpoint=endpoint.reference, event_id=outcome.parcel.id, tries=tries)
    Delivery.objects.filter(pk=outcome.parcel.delivery_id, state=DeliveryState.PENDING).update(
        state=state,
        next_try_at=next_try_at,
        tries=tries,
        last_try_at=now,
        last_status=answer.status,
        last_error=_shown(answer.error or f"the receiver answered {answer.status}")[:200],
        last_answer=_shown(answer.text),
    )


def _next_try_at(outcome: Outcome, now: datetime) -> datetime | None:
    """When an event is sent again after a failure; None after the last rung of the ladder."""
    tries = outcome.parcel.tries + 1
    if tries >= len(LADDER_S):
        return None
    # From the numbers of the delivery, so that a history can be replayed.
    digest = hashlib.blake2b(f"{outcome.parcel.delivery_id}/{tries}".encode(), digest_size=4).digest()
    jitter_ms = LADDER_S[tries] * 10 * JITTER * int.from_bytes(digest) // 2**32
    wait = timedelta(seconds=LADDER_S[tries], milliseconds=jitter_ms)
    return now + max(wait, _asked_for(outcome.answer) or wait)


def _asked_for(answer: Answer) -> timedelta | None:
    """What a receiver's Retry-After asks for, in seconds or as a date; nobody may ask for more than a day."""
    text = answer.retry_after
    if text.isascii() and text.isdigit():
        # Whoever answers may write any number: more digits than a week has seconds are not even read.
        return LONGEST_WAIT if len(text) > 6 else min(timedelta(seconds=int(text)), LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(text) - real_now()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


def _judge(
    endpoint: Endpoint, delivered: Sequence[Outcome], failed: Sequence[Outcome], now: datetime
) -> None:
    """Work out what a turn says of the endpoint: whether it rests, is slow, or is given up."""
    rests = [wait for outcome in failed if (wait := _asked_for(outcome.answer)) is not None]
    endpoint.rest_until = now + max(rests) if rests else None
    if delivered or not failed:
        endpoint.failing_since = None if delivered else endpoint.failing_since
    else:
        endpoint.failing_since = endpoint.failing_since or now
    took_s = max((outcome.took_s for outcome in (*delivered, *failed)), default=0)
    endpoint.is_slow = bool(failed and not delivered) or took_s >= SLOW_S
    if endpoint.enabled and any(outcome.answer.status == GONE for outcome in failed):
        _give_up(endpoint, Endpoint.Ended.GONE)
    elif endpoint.enabled and endpoint.failing_since and endpoint.failing_since <= now - FAILING_FOR:
        _give_up(endpoint, Endpoint.Ended.FAILING)


def _give_up(endpoint: Endpoint, reason: Endpoint.Ended) -> None:
    from tillgate.events.jobs import mail_owners  # The job's module imports this package.

    disable(endpoint, reason)
    mail_owners.enqueue(endpoint.pk)


def _shown(text: str) -> str:
    """Whatever a receiver says: nothing that forges lines, and no secret that it may have sent back."""
    escaped = CONTROL.sub(lambda char: char.group().encode("unicode_escape").decode(), redact(text))
    return escaped.encode(errors="replace").decode()[:1024]
