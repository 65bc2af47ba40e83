"""Open a gateway's page for a customer: reserve, commit, call, then store the answer."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from tillgate.common import clock
from tillgate.common.errors import GatewayTrouble
from tillgate.common.references import new_reference
from tillgate.gateways.errors import DuplicateReference, GatewayError, GatewayUnknown, Unreachable
from tillgate.gateways.http import IN_REQUEST
from tillgate.gateways.protocol import Failure, GatewayAccount, PaymentRequest, PaymentStarted
from tillgate.merchants.errors import NoGateway
from tillgate.merchants.services import account_for, accounts_for, connect, usable_for
from tillgate.payments.errors import (
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
from tillgate.payments.states import PAYABLE, AttemptStatus

MAX_ATTEMPTS = 10
UNREACHABLE = "gateway_unreachable"
MAX_ROWS = 50  # With those that never reached a gateway.


@dataclass(frozen=True, kw_only=True)
class Claim:
    """An Idempotency-Key's claim on one attempt; both empty without a key."""

    idempotency_hash: str | None = None
    request_hash: str = ""


def open_session(payment: Payment, gateway: str | None, claim: Claim = Claim()) -> tuple[Attempt, bool]:
    """Open a session for the customer at a gateway; return the attempt and whether it is new.

    An open session of the same gateway is returned again; one at another gateway is superseded, and
    still asked. Raises NotInThisState, NoGateway, TooManyAttempts, StillRunning, and a
    GatewayTrouble when the gateway could not be asked: no money has moved then.
    """
    account = _choose(payment, gateway)
    attempt, is_new = _reserve(payment.pk, account, claim)
    if not is_new:
        return attempt, False
    if not _mark_sent(attempt):
        raise StillRunning("The payment changed meanwhile. Ask for its status.", headers={"Retry-After": "1"})
    try:
        started = connect(account, IN_REQUEST).start_payment(_request(payment, attempt))
    except GatewayError as error:
        _require_payable(_store_trouble(attempt, error))  # It may have been paid or canceled meanwhile.
        raise _refusal(error) from error
    attempt = _store_started(attempt, started)
    _require_wanted(attempt)
    return attempt, True


def _choose(payment: Payment, gateway: str | None) -> GatewayAccount:
    wanted = payment.gateway if payment.gateway_pinned else gateway
    if gateway and wanted != gateway:
        raise NoGateway(f"This payment is pinned to {wanted}.")
    usable = usable_for(payment.amount, accounts_for(payment.merchant, payment.mode))
    if wanted:
        account = account_for(payment.merchant, wanted, payment.mode)
        if account not in usable:
            raise NoGateway(
                f"{wanted} does not take {payment.currency}. GET /api/v1/gateways lists what does."
            )
        return account
    if not usable:
        raise NoGateway(f"No gateway takes {payment.currency} in {payment.mode} mode. Set a gateway's key.")
    return usable[0]


@transaction.atomic
def _reserve(payment_id: int, account: GatewayAccount, claim: Claim) -> tuple[Attempt, bool]:
    payment = lock_payment(payment_id)
    if claim.idempotency_hash and (first := _first_under_key(claim)):
        return first, False
    _require_payable(payment)
    attempts = list(payment.attempts.order_by("pk"))
    if reusable := _session_to_reuse(attempts, account.gateway):
        return reusable, False
    if sum(_was_sent(attempt) for attempt in attempts) >= MAX_ATTEMPTS or len(attempts) >= MAX_ROWS:
        raise TooManyAttempts(f"{payment.reference} had {MAX_ATTEMPTS} attempts. Create a new payment.")
    for left in attempts:
        if left.status == AttemptStatus.PENDING:
            move_attempt(left, AttemptStatus.SUPERSEDED)
    return _new_attempt(payment, account, claim), True


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


def _was_sent(attempt: Attempt) -> bool:
    # An outage of the gateway must not use up the customer's attempts.
    return (attempt.failure or {}).get("code") != UNREACHABLE


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


def _session_to_reuse(attempts: list[Attempt], gateway: str) -> Attempt | None:
    for attempt in reversed(attempts):
        if attempt.status == AttemptStatus.PENDING and attempt.gateway == gateway and attempt.redirect_url:
            return attempt
        if _is_being_opened(attempt):
            raise StillRunning("A session is being opened for this payment.", headers={"Retry-After": "2"})
    return None


def _new_attempt(payment: Payment, account: GatewayAccount, claim: Claim) -> Attempt:
    reference = new_reference("ATT")
    attempt = Attempt.objects.create(
        reference=reference,
        payment=payment,
        gateway=account.gateway,
        mode=account.mode,
        initiated_by="customer",
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
    session = {"redirect_url": started.redirect_url, "access_code": started.access_code}
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


def _refusal(error: GatewayError) -> Exception:
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


def _request(payment: Payment, attempt: Attempt) -> PaymentRequest:
    page = f"{settings.TILLGATE_PUBLIC_URL}/pay/{payment.checkout_token}"
    return PaymentRequest(
        gateway_reference=attempt.gateway_reference,
        amount=payment.amount,
        customer_email=payment.customer_email,
        description=payment.description,
        return_url=f"{page}/return",
        cancel_url=page,
    )
