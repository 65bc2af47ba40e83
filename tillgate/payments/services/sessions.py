"""Open a gateway's page for a customer: reserve, commit, call, then store the answer."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction

from tillgate.common import clock
from tillgate.common.errors import GatewayTrouble
from tillgate.common.references import new_reference
from tillgate.customers.services.consents import has_agreed_signed_in, has_consented
from tillgate.gateways.errors import DuplicateReference, GatewayError, GatewayUnknown, Unreachable
from tillgate.gateways.http import IN_REQUEST, Patience
from tillgate.gateways.protocol import Failure, GatewayAccount, PaymentRequest, PaymentStarted
from tillgate.merchants.errors import NoGateway
from tillgate.merchants.services.accounts import connect
from tillgate.merchants.services.choosing import Choice, choose, no_gateway
from tillgate.merchants.services.health import Entry, enter, note_outcome
from tillgate.merchants.services.pauses import require_guests
from tillgate.payments.errors import (
    ConsentRequired,
    GatewayRefused,
    GatewayTimeout,
    KeyReused,
    NotInThisState,
    StillRunning,
    TooManyAttempts,
)
from tillgate.payments.jobs import ask_gateway
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.moves import lock_payment, move_attempt, note
from tillgate.payments.services.sync import FRESH_S, LADDER_S, OPENING
from tillgate.payments.states import PAYABLE, AttemptStatus, MethodSaving

log = structlog.get_logger(__name__)
MAX_ATTEMPTS = 10
UNREACHABLE = "gateway_unreachable"
MAX_ROWS = 50  # With those that opened no page.
LEAST_S = 0.5  # No gateway is asked that has less time to answer.


@dataclass(frozen=True, kw_only=True)
class Claim:
    """An Idempotency-Key's claim on one attempt; both empty without a key."""

    idempotency_hash: str | None = None
    request_hash: str = ""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One gateway's turn to open the session; `reusable` are those whose open session will do as well,
    if it saves the method, or does not, as this one would. `by_merchant`: a key or staff asks for it."""

    account: GatewayAccount
    patience: Patience
    alone: bool
    reusable: frozenset[str]
    by_merchant: bool = False
    saves: bool = False


def ways_to_pay(payment: Payment) -> tuple[Choice, ...]:
    """Return the gateways by which a payment can be paid now, best first. Raises NoGateway."""
    only = payment.gateway if payment.gateway_pinned else None
    return choose(payment.merchant, payment.mode, payment.amount, only=only)


def open_session(
    payment: Payment,
    gateway: str | None,
    claim: Claim = Claim(),
    *,
    account_id: int | None = None,
    by_merchant: bool = False,
) -> tuple[Attempt, bool]:
    """Open a session for the customer at a gateway; return the attempt and whether it is new.

    `account_id` is who is signed in: what they agreed to when they set up a recurring payment counts for
    the sessions that they open, and for nobody else who has the payment's link.

    Without a chosen gateway, those that can take the payment are tried in their order, within the time
    of one request, until one opens its page. With one, no other is tried: the customer is asked.
    An open session of the same gateway is returned again; one at another gateway is superseded, and
    still asked: no gateway can close a session, and if both are paid, the second is surplus. (What a
    customer has only agreed to, such as PayPal's order, is taken only while the payment still waits.)
    Raises NotInThisState, NoGateway, ConsentRequired, TooManyAttempts, StillRunning, GuestsPaused unless
    it is `by_merchant`, and a GatewayTrouble when no gateway could be asked: no money has moved then.
    """
    ways = ways_to_pay(payment)
    chosen = [_chosen(payment, gateway, ways)] if gateway else list(ways)
    saves = _saves_method(payment, account_id)
    troubles = []
    for turn in _turns(chosen, alone=len(ways) == 1):
        try:
            return _open(payment, replace(turn, saves=saves, by_merchant=by_merchant), claim)
        except GatewayTrouble as trouble:
            # What may have been opened there moves no money: nobody was given its page. It is still asked.
            troubles.append(trouble)
    others = [way.gateway for way in ways if way not in chosen]
    raise _told(troubles, others) from troubles[0]


def _chosen(payment: Payment, gateway: str, ways: tuple[Choice, ...]) -> Choice:
    if payment.gateway_pinned and payment.gateway != gateway:
        raise NoGateway(f"This payment is pinned to {payment.gateway}.")
    for way in ways:
        if way.gateway == gateway:
            return way
    raise no_gateway(payment.merchant, payment.mode, payment.amount, only=gateway)


def _turns(chosen: list[Choice], *, alone: bool) -> Iterator[Turn]:
    """Yield the turns while there is time: whoever has a healthy one after it gets half of what is left."""
    ends_at = time.monotonic() + IN_REQUEST.total_s
    healthy = frozenset(way.gateway for way in chosen if way.healthy)
    for place, way in enumerate(chosen, start=1):
        left_s = ends_at - time.monotonic()
        if left_s < LEAST_S:
            return
        is_followed = any(later.healthy for later in chosen[place:])
        patience = replace(IN_REQUEST, total_s=left_s / 2 if is_followed else left_s)
        yield Turn(account=way.account, patience=patience, alone=alone, reusable=healthy | {way.gateway})


def _open(payment: Payment, turn: Turn, claim: Claim) -> tuple[Attempt, bool]:
    attempt, entry = _reserve(payment, turn, claim)
    if entry is None:
        return attempt, False
    if not _mark_sent(attempt):
        raise StillRunning("The payment changed meanwhile. Ask for its status.", headers={"Retry-After": "1"})
    try:
        started = connect(turn.account, turn.patience).start_payment(_request(payment, attempt))
    except GatewayError as error:
        log.warning(
            "session_not_opened", attempt=attempt.reference, gateway=attempt.gateway, reason=str(error)
        )
        note_outcome(entry, error)
        _require_payable(_store_trouble(attempt, error))  # It may have been paid or canceled meanwhile.
        raise _refusal(error) from error
    note_outcome(entry, None)
    attempt = _store_started(attempt, started)
    _require_wanted(attempt)
    return attempt, True


@transaction.atomic
def _reserve(seen: Payment, turn: Turn, claim: Claim) -> tuple[Attempt, Entry | None]:
    """Return a new attempt with the leave to call its gateway, or one that will do, and None."""
    payment = lock_payment(seen.pk)
    if claim.idempotency_hash and (first := _first_under_key(claim)):
        return first, None
    _require_payable(payment)
    attempts = list(payment.attempts.order_by("pk"))
    if reusable := _session_to_reuse(attempts, turn):
        reusable.handed_out_at = clock.now()
        reusable.save(update_fields=["handed_out_at"])
        return reusable, None
    if sum(_had_a_page(attempt) for attempt in attempts) >= MAX_ATTEMPTS or len(attempts) >= MAX_ROWS:
        raise TooManyAttempts(f"{payment.reference} had {MAX_ATTEMPTS} attempts. Create a new payment.")
    if not turn.by_merchant:
        require_guests(seen.merchant, seen.mode)
    entry = enter(payment.merchant_id, turn.account, alone=turn.alone)
    for left in attempts:
        if left.status == AttemptStatus.PENDING:
            move_attempt(left, AttemptStatus.SUPERSEDED)
    return _new_attempt(payment, turn, claim), entry


def _first_under_key(claim: Claim) -> Attempt | None:
    first = Attempt.objects.filter(idempotency_hash=claim.idempotency_hash).first()
    if first is None:
        return None
    if first.request_hash != claim.request_hash:
        raise KeyReused("This Idempotency-Key was used with another body. Send a new key for a new attempt.")
    if _is_being_opened(first):
        raise StillRunning("The first request with this key is still running.", headers={"Retry-After": "2"})
    if not first.redirect_url and first.status != AttemptStatus.SUCCEEDED:
        # Its caller was told to try again: the key goes on with a new attempt, under a new reference.
        Attempt.objects.filter(pk=first.pk).update(idempotency_hash=None)
        return None
    return first


def _had_a_page(attempt: Attempt) -> bool:
    # An outage of the gateways must not use up the customer's attempts.
    return bool(attempt.redirect_url)


def _is_being_opened(attempt: Attempt) -> bool:
    is_young = attempt.created_at > clock.now() - OPENING
    return is_young and attempt.status in (AttemptStatus.CREATED, AttemptStatus.SENT)


def _require_payable(payment: Payment) -> None:
    if payment.status not in PAYABLE:
        raise NotInThisState(
            f"{payment.reference} is {payment.status}; only a pending or failed payment can be paid."
        )
    if payment.expires_at <= clock.now():
        raise NotInThisState(f"{payment.reference} has expired. Create a new payment.")


def _session_to_reuse(attempts: list[Attempt], turn: Turn) -> Attempt | None:
    for attempt in reversed(attempts):
        is_open = attempt.status == AttemptStatus.PENDING and bool(attempt.redirect_url)
        if is_open and attempt.gateway in turn.reusable and attempt.saves_method == turn.saves:
            return attempt
        if _is_being_opened(attempt):
            raise StillRunning("A session is being opened for this payment.", headers={"Retry-After": "2"})
    return None


def _new_attempt(payment: Payment, turn: Turn, claim: Claim) -> Attempt:
    account = turn.account
    reference = new_reference("ATT")
    attempt = Attempt.objects.create(
        reference=reference,
        payment=payment,
        gateway=account.gateway,
        mode=account.mode,
        initiated_by="customer",
        saves_method=turn.saves,
        gateway_reference=reference,
        created_at=clock.now(),
        idempotency_hash=claim.idempotency_hash,
        request_hash=claim.request_hash,
    )
    note(
        payment,
        "attempt.created",
        {"attempt": reference, "gateway": account.gateway},
        gateway=account.gateway,
        asked_at=clock.now() - timedelta(seconds=FRESH_S),  # Nothing was asked yet: any look makes it due.
    )
    # Committed with the attempt: whatever happens to this process, the gateway will be asked.
    due = clock.now() + timedelta(seconds=LADDER_S[0])
    ask_gateway.using(run_after=due, unique_key=attempt.question_key).enqueue(attempt.pk, attempt.questions)
    return attempt


@transaction.atomic
def _mark_sent(attempt: Attempt) -> bool:
    payment = lock_payment(attempt.payment_id)
    attempt.refresh_from_db()
    if attempt.status != AttemptStatus.CREATED:
        return False
    if payment.status not in PAYABLE:
        move_attempt(attempt, AttemptStatus.FAILED)  # Canceled or paid meanwhile: nobody is sent to pay it.
        return False
    return move_attempt(attempt, AttemptStatus.SENT)


@transaction.atomic
def _store_started(attempt: Attempt, started: PaymentStarted) -> Attempt:
    payment = lock_payment(attempt.payment_id)
    attempt.refresh_from_db()
    session = {
        "redirect_url": started.redirect_url,
        "access_code": started.access_code,
        "session_id": started.session_id,
        "handed_out_at": clock.now(),
    }
    if not move_attempt(attempt, AttemptStatus.PENDING, **session) and attempt.status != AttemptStatus.FAILED:
        # An event overtook this answer; what it brought stands.
        Attempt.objects.filter(pk=attempt.pk).update(**session)
        attempt.refresh_from_db()
    attempt.payment = payment
    return attempt


def _require_wanted(attempt: Attempt) -> None:
    """The call took its time: nobody is sent to a page that was given up, or to pay what is closed."""
    if attempt.status == AttemptStatus.FAILED:
        raise GatewayTimeout(
            "The gateway answered too late. No money has moved; try again.", headers={"Retry-After": "2"}
        )
    if attempt.status != AttemptStatus.SUCCEEDED:
        _require_payable(attempt.payment)


@transaction.atomic
def _store_trouble(attempt: Attempt, error: GatewayError) -> Payment:
    payment = lock_payment(attempt.payment_id)
    attempt.refresh_from_db()
    if isinstance(error, GatewayUnknown | DuplicateReference):
        move_attempt(attempt, AttemptStatus.UNKNOWN)
        return payment
    failure = _failure(error)
    told = {"code": failure.code, "message": failure.message, "retryable": failure.retryable}
    if move_attempt(attempt, AttemptStatus.FAILED, failure=told):
        note(payment, "attempt.failed", {"attempt": attempt.reference, **told})
    return payment


def _failure(error: GatewayError) -> Failure:
    if isinstance(error, Unreachable):
        return Failure(code=UNREACHABLE, message="The gateway cannot be reached just now.", retryable=True)
    return Failure(code="gateway_refused", message="The gateway refused to open a session.", retryable=False)


def _refusal(error: GatewayError) -> GatewayTrouble:
    retry = {"Retry-After": str(error.retry_after_s or 2)}
    if isinstance(error, GatewayUnknown | DuplicateReference):
        return GatewayTimeout(
            "The gateway did not answer in time. No money has moved; try again.", headers=retry
        )
    if isinstance(error, Unreachable):
        return GatewayTrouble("The gateway cannot be reached. No money has moved; try again.", headers=retry)
    return GatewayRefused(
        "The gateway refused to open a session. The merchant has to look at its gateway account."
    )


def _told(troubles: list[GatewayTrouble], others: list[str]) -> GatewayTrouble:
    """What went wrong, of several the first that another try may mend, and who else could be asked."""
    first = min(troubles, key=lambda trouble: isinstance(trouble, GatewayRefused))
    also = f" It can also be paid with {' or '.join(others)}; see GET /api/v1/gateways." if others else ""
    return type(first)(f"{first.message}{also}", headers=first.headers)


def _saves_method(payment: Payment, account_id: int | None) -> bool:
    """Say whether the gateway is to save what is paid with. Raises ConsentRequired until the payer agreed."""
    if payment.method_saving == MethodSaving.NO:
        return False
    is_required = payment.method_saving == MethodSaving.REQUIRED
    agreed = has_consented(payment.reference)
    if is_required and not agreed and account_id is not None and account_id == payment.account_id:
        agreed = has_agreed_signed_in(payment.subscription_reference)
    if is_required and not agreed:
        page = checkout_url(payment)
        raise ConsentRequired(
            f"This payment is the first of several. Send the customer to {page}: they agree there first.",
            members={"checkout_url": page},
        )
    return agreed


def checkout_url(payment: Payment) -> str:
    """Return the page at which a payment is paid."""
    return f"{settings.TILLGATE_PUBLIC_URL}/pay/{payment.checkout_token}"


def _request(payment: Payment, attempt: Attempt) -> PaymentRequest:
    page = checkout_url(payment)
    return PaymentRequest(
        gateway_reference=attempt.gateway_reference,
        amount=payment.amount,
        customer_email=payment.customer_email,
        description=payment.description,
        return_url=f"{page}/return",
        cancel_url=page,
        save_method=attempt.saves_method,
    )
