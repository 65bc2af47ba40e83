"""Ask a gateway what became of an attempt, and apply what it says.

A webhook, the customer's return, a GET and the ladder only make us curious: the worker asks the
question here, and there is no other way for news to reach a payment.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto

import structlog
from django.db import transaction

from tillgate.common import clock
from tillgate.common.jobs import make_due
from tillgate.customers.services.consents import has_agreed_signed_in, has_consented
from tillgate.customers.services.methods import Payer, keep_method
from tillgate.gateways.declines import decline, is_banks_answer
from tillgate.gateways.errors import DuplicateReference, GatewayError, GatewayUnknown, Rejected, Unreachable
from tillgate.gateways.http import IN_REQUEST, IN_WORKER
from tillgate.gateways.protocol import (
    CapturesApproved,
    Failure,
    Gateway,
    GatewayState,
    PaymentSnapshot,
    SavedMethod,
)
from tillgate.merchants.errors import NoGateway
from tillgate.merchants.services.accounts import account_for, connect
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.money_back import left_of
from tillgate.payments.services.moves import lock_payment, move_attempt, move_payment, note
from tillgate.payments.services.settle import settle
from tillgate.payments.states import (
    ASKED_ATTEMPTS,
    OPEN_ATTEMPTS,
    PAYABLE,
    UNSETTLED,
    AttemptStatus,
    MethodSaving,
    PaymentStatus,
)

log = structlog.get_logger(__name__)

# The age of what is asked about, in seconds, decides when it is asked next: a quarter of an hour after it
# began every few minutes, a week after it once a day. News in between (a GET, an event) moves no rung.
LADDER_S = (15, 30, 60, 120, 300, 600, 1200, 3600, 7200, 14_400, 28_800, 57_600, 86_400)
FRESH_S = 5  # A GET finds news of this age good enough.
WAIT_AFTER_EXPIRY = timedelta(hours=72)  # Gateways deliver that late; a later event still makes us ask.
ABSENCES_BEFORE_FAILED = 2
LAST_LOOK = timedelta(minutes=1)
# Longer than any gateway's look-up has been seen to lag, three times over.
SURELY_LISTED = timedelta(minutes=10)
METHOD_SAVED = "payment.method_saved"
COLLECTING = frozenset({PaymentStatus.PENDING, PaymentStatus.PROCESSING, PaymentStatus.FAILED})
OPENING = timedelta(seconds=IN_REQUEST.total_s + 10)  # A session still being opened then has lost its opener.
MONEY_MOVED = frozenset({GatewayState.SUCCEEDED, GatewayState.REVERSING, GatewayState.REVERSED})

NEVER_ARRIVED = Failure(
    code="gateway_unreachable", message="The payment page could not be opened. Try again.", retryable=True
)
WALKED_AWAY = decline("session_expired")
NOT_TAKEN = frozenset({GatewayState.ABSENT, GatewayState.PENDING, GatewayState.APPROVED})
REFUSED = Failure(
    code="gateway_refused",
    message="The gateway could not take this payment. Pay another way.",
    retryable=True,
)
KEY_MARGIN = timedelta(minutes=10)  # Before a gateway forgets a key, its clock may differ from ours.


class Sending(Enum):
    """Whether a capture may be sent, and whether it was sent before."""

    NO = auto()
    FIRST = auto()
    AGAIN = auto()


def climb(attempt_id: int, rung: int) -> None:
    """Ask the ladder's next question, unless somebody has asked since it was put there."""
    if Attempt.objects.filter(pk=attempt_id, questions=rung, status__in=ASKED_ATTEMPTS).exists():
        ask(attempt_id)


def ask(attempt_id: int, *, gateway_id: str | None = None) -> GatewayState | None:
    """Ask about an attempt, or about one transaction of it that an event named, and apply the answer.

    Return what the gateway said of what was asked about, None for no usable answer. Asked twice or late,
    it does no harm: what is known already changes nothing.
    """
    attempt = Attempt.objects.select_related("payment__merchant").get(pk=attempt_id)
    try:
        gateway = gateway_of(attempt)
        named = _named(gateway, attempt, gateway_id)
        # That one transaction failed says nothing of the others, one of which may be on its way.
        if named is not None and named.state != GatewayState.FAILED:
            answer = named
        else:
            answer = ours(gateway.fetch_payment(attempt.ref), attempt)
        if answer.state == GatewayState.APPROVED:
            assert isinstance(gateway, CapturesApproved), f"{attempt.gateway} says approved"
            answer = _capture(gateway, attempt, answer)
    except GatewayError as error:
        apply_answer(attempt, error)
        return None
    apply_answer(attempt, answer)
    return (named or answer).state


def next_question(asked_since: datetime, *, at_least_s: int = 0) -> datetime:
    """Return when to ask again about what began at `asked_since`: after about its age, at most a day."""
    age_s = (clock.now() - asked_since).total_seconds()
    # A fifth less than the age will do: questions are asked a moment after they are due.
    wait_s = next((rung for rung in LADDER_S if 5 * rung >= 4 * age_s), LADDER_S[-1])
    return clock.now() + timedelta(seconds=max(wait_s, at_least_s))


@transaction.atomic
def apply_answer(attempt: Attempt, answer: PaymentSnapshot | GatewayError) -> None:
    """Apply a gateway's answer, or its silence, and put the next question on the ladder."""
    payment = lock_payment(attempt.payment_id)
    attempt = Attempt.objects.get(pk=attempt.pk)  # As it is now, under the payment's lock.
    attempt.payment = payment
    if isinstance(answer, GatewayError):
        _no_answer(attempt, answer)
    else:
        _news(payment, attempt, answer)
    if _is_asked_again(payment, attempt):
        _climb(payment, attempt, answer)


def make_question_due(payment: Payment, *, max_age_s: int = FRESH_S) -> bool:
    """Let the worker ask about a payment now, if the last question is older than `max_age_s`.

    No statement at all for a payment that has nothing to ask. Never calls a gateway.
    """
    if payment.status not in UNSETTLED or payment.asked_at is None:
        return False
    if payment.asked_at > clock.now() - timedelta(seconds=max_age_s):
        return False
    attempts = Attempt.objects.filter(payment=payment, status__in=ASKED_ATTEMPTS)
    due = [make_due(attempt.question_key) for attempt in attempts]
    return any(due)


def _named(gateway: Gateway, attempt: Attempt, gateway_id: str | None) -> PaymentSnapshot | None:
    """Ask about a transaction that is not the one by which the attempt is known."""
    if gateway_id is None or gateway_id == attempt.gateway_id:
        return None
    return ours(gateway.fetch_transaction(gateway_id), attempt)


def gateway_of(attempt: Attempt) -> Gateway:
    """Return the gateway of an attempt, for the worker. Raises Unreachable while its account has no key."""
    try:
        account = account_for(attempt.payment.merchant, attempt.gateway, attempt.mode)
    except NoGateway as error:
        raise Unreachable(error.message) from error  # Its key was taken away; it may come back.
    return connect(account, IN_WORKER)


def _capture(gateway: CapturesApproved, attempt: Attempt, approved: PaymentSnapshot) -> PaymentSnapshot:
    """Take what the customer has agreed to, if the payment wants it; return what became of it."""
    sending = _reserve_capture(gateway, attempt)
    if sending == Sending.NO:
        return approved
    try:
        snapshot = ours(gateway.capture_approved(attempt.ref), attempt)
    except Rejected as error:
        if sending == Sending.AGAIN:
            raise  # What became of the first call is not known by that.
        log.error("capture_rejected", attempt=attempt.reference, reason=str(error))
        return replace(approved, state=GatewayState.FAILED, failure=REFUSED)
    if snapshot.state in NOT_TAKEN:
        # It took nothing, whatever it said before: the customer has to agree anew.
        return replace(approved, state=GatewayState.FAILED, failure=decline("session_expired"))
    return snapshot


@transaction.atomic
def _reserve_capture(gateway: CapturesApproved, attempt: Attempt) -> Sending:
    """Say whether the money that the customer has agreed to may be taken now, and write it down first.

    Not of a payment that is closed, nor while other money for it is on its way, nor after a decline.
    A capture whose answer was lost is sent again while all that still holds and the gateway knows its key.
    """
    payment = lock_payment(attempt.payment_id)
    attempt.refresh_from_db()
    if attempt.status not in OPEN_ATTEMPTS | {AttemptStatus.SUPERSEDED}:
        return Sending.NO
    if attempt.capture_sent_at is not None:
        is_known = clock.now() < attempt.capture_sent_at + gateway.capture_key_kept - KEY_MARGIN
        is_wanted = attempt.processing and payment.status == PaymentStatus.PROCESSING
        return (
            Sending.AGAIN if is_known and is_wanted and not _others_collect(payment, attempt) else Sending.NO
        )
    if payment.status not in PAYABLE or payment.expires_at <= clock.now():
        return Sending.NO
    attempt.capture_sent_at, attempt.processing = clock.now(), True
    attempt.save(update_fields=["capture_sent_at", "processing"])
    # From here on it can be neither canceled nor expired: the money may be moving.
    move_payment(payment, PaymentStatus.PROCESSING, event={"attempt": attempt.reference})
    return Sending.FIRST


def ours(snapshot: PaymentSnapshot, attempt: Attempt) -> PaymentSnapshot:
    """Return a snapshot that is about this attempt. Raises GatewayUnknown for any other.

    Whatever an adapter has checked: money of another reference or mode never reaches this attempt.
    """
    names = (snapshot.gateway_reference, snapshot.mode)
    if snapshot.state != GatewayState.ABSENT and names != (attempt.gateway_reference, attempt.mode):
        raise GatewayUnknown(
            f"{attempt.gateway} answered about {snapshot.gateway_reference} in {snapshot.mode} mode"
        )
    return snapshot


def _no_answer(attempt: Attempt, error: GatewayError) -> None:
    if isinstance(error, GatewayUnknown | Rejected | DuplicateReference):
        log.error(
            "gateway_answer_refused", attempt=attempt.reference, gateway=attempt.gateway, reason=str(error)
        )
    else:
        log.warning("gateway_silent", attempt=attempt.reference, gateway=attempt.gateway, reason=str(error))
    attempt.silences += 1
    attempt.save(update_fields=["silences"])
    if attempt.status == AttemptStatus.SENT:
        move_attempt(attempt, AttemptStatus.UNKNOWN)


def _news(payment: Payment, attempt: Attempt, answer: PaymentSnapshot) -> None:
    if attempt.silences:
        attempt.silences = 0
        attempt.save(update_fields=["silences"])
    if answer.session_id and attempt.session_id is None:  # Of a charge of ours, which opens none before.
        attempt.session_id = answer.session_id
        attempt.save(update_fields=["session_id"])
    if answer.state in MONEY_MOVED:
        _money_moved(payment, attempt, answer)
    else:
        _NEWS[answer.state](payment, attempt, answer)


def _money_moved(payment: Payment, attempt: Attempt, answer: PaymentSnapshot) -> None:
    settle(payment, attempt, answer)
    if answer.saved_method is not None and attempt.settles:
        _keep_method(payment, attempt, answer.saved_method)
    if answer.state == GatewayState.SUCCEEDED:
        return
    attempt.look_back_at = clock.now()  # The refunds and disputes that it lists say what went back, and why.
    attempt.save(update_fields=["look_back_at"])
    is_all = answer.state == GatewayState.REVERSED and answer.gateway_id == attempt.gateway_id
    if not is_all or attempt.reversed_at is not None:
        return
    if left_of(attempt).minor:  # That what we have refunded went back is no news.
        attempt.reversed_at = clock.now()
        attempt.save(update_fields=["reversed_at"])
        note(payment, "payment.reversal_reported", {"attempt": attempt.reference})
        log.error("gateway_reversed", payment=payment.reference, attempt=attempt.reference)


def _keep_method(payment: Payment, attempt: Attempt, saved: SavedMethod) -> None:
    """Keep what the payment was made by, where its payer has let us; some gateways tell it only later."""
    if attempt.payment_method_id or payment.method_saving == MethodSaving.NO:
        return
    if not has_consented(payment.reference) and not _was_opened_signed_in(payment, attempt):
        return
    payer = Payer(
        merchant=payment.merchant,
        mode=payment.mode,
        email=payment.customer_email,
        name=payment.customer_name,
        account=payment.account,
        subscription=payment.subscription_reference,
    )
    attempt.payment_method = keep_method(payer, attempt.gateway, saved)
    attempt.save(update_fields=["payment_method"])
    note(payment, METHOD_SAVED, {"attempt": attempt.reference, "method": attempt.payment_method.reference})


def _was_opened_signed_in(payment: Payment, attempt: Attempt) -> bool:
    # Who agreed while signed in spoke for the pages that they open themselves.
    return attempt.saves_method and has_agreed_signed_in(payment.subscription_reference)


def _pending(payment: Payment, attempt: Attempt, answer: PaymentSnapshot) -> None:
    if attempt.status in (AttemptStatus.SENT, AttemptStatus.UNKNOWN):
        move_attempt(attempt, AttemptStatus.PENDING)
    if _is_over(payment):
        _fail(payment, attempt, WALKED_AWAY)


def _processing(payment: Payment, attempt: Attempt, answer: PaymentSnapshot) -> None:
    if attempt.status in (AttemptStatus.SENT, AttemptStatus.UNKNOWN):
        move_attempt(attempt, AttemptStatus.PENDING)
    if not attempt.processing:
        attempt.processing = True
        attempt.save(update_fields=["processing"])
    if payment.status in PAYABLE:
        move_payment(payment, PaymentStatus.PROCESSING, event={"attempt": attempt.reference})


def _failed(payment: Payment, attempt: Attempt, answer: PaymentSnapshot) -> None:
    assert answer.failure is not None, "the adapter says why"
    if answer.failure.unmapped:
        log.error("decline_unmapped", gateway=attempt.gateway, word=answer.failure.unmapped)
    _fail(payment, attempt, answer.failure)


def _absent(payment: Payment, attempt: Attempt, answer: PaymentSnapshot) -> None:
    """The gateway may only be slow to know it, so once is no answer; and no customer could pay what
    the gateway never opened, so twice means that it was never opened. A charge that we started needs
    no page: for that, "not found" is never an end, and says nothing until it would surely be known."""
    needs_page = attempt.initiated_by == "customer"
    if needs_page or (attempt.sent_again_at or attempt.created_at) + SURELY_LISTED < clock.now():
        attempt.absences += 1
        attempt.save(update_fields=["absences"])
    is_old = attempt.created_at + OPENING < clock.now()  # Its opener has an answer by now, or is dead.
    never_opened = is_old and attempt.absences >= ABSENCES_BEFORE_FAILED and not attempt.redirect_url
    if attempt.status == AttemptStatus.CREATED or (needs_page and (never_opened or _is_over(payment))):
        _fail(payment, attempt, NEVER_ARRIVED)


def _is_over(payment: Payment) -> bool:
    return payment.expires_at + WAIT_AFTER_EXPIRY < clock.now()


def _is_asked_again(payment: Payment, attempt: Attempt) -> bool:
    if attempt.status in OPEN_ATTEMPTS:
        return True
    # Its customer may still have the page open; what is processing is asked until it is final.
    has_page = attempt.status == AttemptStatus.FAILED and bool(attempt.redirect_url)
    may_pay = has_page or attempt.status == AttemptStatus.SUPERSEDED
    return may_pay and (payment.status == PaymentStatus.PROCESSING or not _is_over(payment))


def _fail(payment: Payment, attempt: Attempt, failure: Failure) -> None:
    if attempt.status not in OPEN_ATTEMPTS and not attempt.processing:
        return  # Known already.
    told = {"code": failure.code, "message": failure.message, "retryable": failure.retryable}
    if attempt.status in OPEN_ATTEMPTS:
        move_attempt(attempt, AttemptStatus.FAILED, failure=told)
    attempt.processing = False
    if is_banks_answer(failure.code):
        attempt.answered_at = clock.now()
    attempt.save(update_fields=["processing", "answered_at"])
    event = {"attempt": attempt.reference, **told}
    if payment.status not in COLLECTING or _others_collect(payment, attempt):
        note(payment, "attempt.failed", event)
    elif payment.status == PaymentStatus.FAILED:
        note(payment, "attempt.failed", event, failure=told)
    else:
        move_payment(payment, PaymentStatus.FAILED, event=event, failure=told)


def _others_collect(payment: Payment, attempt: Attempt) -> bool:
    """Say whether another attempt keeps the payment as it is: only money on its way keeps it processing."""
    others = payment.attempts.exclude(pk=attempt.pk)
    if payment.status == PaymentStatus.PROCESSING:
        return others.filter(processing=True).exists()
    # Nobody can pay by a session whose page was never handed out.
    return others.filter(status__in=OPEN_ATTEMPTS).exclude(initiated_by="customer", redirect_url="").exists()


def _climb(payment: Payment, attempt: Attempt, answer: PaymentSnapshot | GatewayError) -> None:
    """Put the next question on the ladder, in the transaction of the answer to this one."""
    from tillgate.payments.jobs import ask_gateway  # The job calls this module.

    attempt.questions += 1
    attempt.save(update_fields=["questions"])
    Payment.objects.filter(pk=payment.pk).update(asked_at=clock.now())
    patience_s = (answer.retry_after_s or 0) if isinstance(answer, GatewayError) else 0
    due = next_question(attempt.created_at, at_least_s=patience_s)
    if clock.now() < payment.expires_at - LAST_LOOK:
        due = min(due, payment.expires_at - LAST_LOOK)  # What was paid in time shall not be found late.
    ask_gateway.using(run_after=due, unique_key=attempt.question_key).enqueue(attempt.pk, attempt.questions)


_NEWS = {
    GatewayState.ABSENT: _absent,
    GatewayState.PENDING: _pending,
    GatewayState.APPROVED: _pending,
    GatewayState.PROCESSING: _processing,
    GatewayState.FAILED: _failed,
}
