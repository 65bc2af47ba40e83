"""Charge a saved method without the customer: reserve, commit, call once, apply the answer.

The reference that the gateway gets is derived from what is charged for, so that a repeat is recognised.
A charge whose answer was lost is looked up. "Not found" is no leave to charge again: gateways know a
charge late. It is sent again, under the same reference, only where that cannot take the money twice.
"""

from copy import copy
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from tillgate.common import clock, restoration
from tillgate.common.crypto import CannotDecrypt
from tillgate.common.references import new_reference
from tillgate.customers.models import PaymentMethod
from tillgate.customers.services.methods import token_of
from tillgate.gateways.declines import decline
from tillgate.gateways.errors import GatewayError, MethodRefused, Rejected, Unreachable
from tillgate.gateways.http import FOR_CHARGES
from tillgate.gateways.protocol import ChargeRequest, ChargesSaved, Failure, GatewayState, PaymentSnapshot
from tillgate.gateways.registry import GATEWAYS
from tillgate.merchants.errors import GatewayResting, NoGateway
from tillgate.merchants.services.accounts import account_for, connect
from tillgate.merchants.services.health import enter, note_outcome
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.moves import lock_payment, move_payment
from tillgate.payments.services.sync import KEY_MARGIN, apply_answer, gateway_of, ours
from tillgate.payments.states import PAYABLE, UNANSWERED, AttemptStatus, PaymentStatus

log = structlog.get_logger(__name__)
ABSENCES_BEFORE_REPEAT = 2
RESOLVED_AFTER = timedelta(days=1)
MOST_TRIES = 20  # For one due date: the ladders end at 16, and each changed card adds one.
NOT_SENT = Failure(
    code="gateway_unreachable", message="The gateway cannot be reached just now.", retryable=True
)
REFUSED = Failure(code="gateway_refused", message="The gateway refused the charge.", retryable=False)


def reserve_charge(
    payment: Payment, method: PaymentMethod, gateway_reference: str, *, sent_since: datetime | None = None
) -> Attempt:
    """Write down that a locked payment is being charged by a saved method; the caller commits, then calls.

    `gateway_reference` ends in the number of the try, behind a dash.

    `sent_since`: this very charge may have been sent already, at that time or later, of which a restored
    backup knows nothing. It is then one whose answer was lost: to be asked about, not to be sent.

    From here on it can be neither canceled nor expired, nor paid by hand: the money may be moving. The
    database refuses a second charge under this reference, and a second one beside an open one.
    """
    assert connection.in_atomic_block, "a charge is written down before it is sent"
    assert payment.status in PAYABLE, f"{payment.reference} is {payment.status}"
    attempt = Attempt.objects.create(
        reference=new_reference("ATT"),
        payment=payment,
        gateway=method.gateway,
        mode=payment.mode,
        status=AttemptStatus.UNKNOWN if sent_since else AttemptStatus.SENT,
        initiated_by="merchant",
        payment_method=method,
        gateway_reference=gateway_reference,
        processing=True,
        created_at=sent_since or clock.now(),
    )
    event: dict[str, object] = {"attempt": attempt.reference, "gateway": method.gateway}
    move_payment(payment, PaymentStatus.PROCESSING, event=event, gateway=method.gateway, asked_at=clock.now())
    return attempt


def send_charge(attempt: Attempt) -> None:
    """Make the call of a reserved charge and apply what the gateway says. Never in a transaction."""
    answer = _charge(attempt)
    if isinstance(answer, GatewayError):
        _store_error(attempt, answer)
    else:
        apply_answer(attempt, answer)


def charger_of(attempt: Attempt) -> ChargesSaved | None:
    """Return the gateway by which an attempt was charged; None while its account has no key."""
    try:
        gateway = gateway_of(attempt)
    except Unreachable:
        return None
    assert isinstance(gateway, ChargesSaved), f"{attempt.gateway} charges no saved methods"
    return gateway


def may_be_sent_again(attempt: Attempt, gateway: ChargesSaved) -> bool:
    """Say whether the same charge, under the same reference, can be sent again and takes no money twice.

    Where the gateway returns the first answer: while it keeps the key. Where it refuses a reference that
    it knows: after it has said twice that it does not know this one, when it surely would.
    """
    if attempt.initiated_by != "merchant" or attempt.status not in UNANSWERED:
        return False
    if gateway.charge_key_kept is not None:
        return clock.now() < attempt.created_at + gateway.charge_key_kept - KEY_MARGIN
    is_unknown_there = attempt.absences >= ABSENCES_BEFORE_REPEAT and attempt.silences == 0
    return gateway.refuses_repeated_charges and is_unknown_there


def resolve_lost(attempt_id: int) -> Attempt:
    """A person has seen in the gateway's dashboard that a charge was never made: it has failed, and another
    may be made.

    The gateway is asked first, where it can be (PayPal tells of no charge whose answer was lost); after a
    restoration also about the tries that may have followed this one, by whatever gateway. Raises
    NotInThisState for a charge that has an answer, was sent less than a day ago, or that a gateway knows
    after all; a GatewayError when one gives no usable answer.
    """
    attempt = _unanswered(attempt_id)
    if _sent_last(attempt) > clock.now() - RESOLVED_AFTER:
        raise NotInThisState(f"{attempt.reference} was sent less than a day ago, and is still asked about.")
    for one in (attempt, *_stand_ins(attempt)):
        answer = gateway_of(one).fetch_payment(one.ref)
        if answer.state != GatewayState.ABSENT:
            _apply_as(one, answer)
            raise NotInThisState(f"{one.gateway} knows {one.gateway_reference}, and says {answer.state}.")
    return _store_never_made(attempt)


def confirm_lost(attempt_id: int, gateway_id: str, *, gateway: str = "") -> Attempt:
    """A person has seen a charge whose answer was lost in the gateway's dashboard, under that id: the gateway
    is asked about it.

    After a restoration it may also be a later try to charge for the same, and by another `gateway`: that is
    what the lost installation came to. Raises NotInThisState for a charge that has an answer, or an id that
    the gateway does not know; a GatewayError when it gives no usable answer, or the transaction is another
    charge's.
    """
    attempt = _unanswered(attempt_id)
    there = copy(attempt)
    there.gateway = gateway or attempt.gateway
    answer = gateway_of(there).fetch_transaction(gateway_id)
    if answer.state == GatewayState.ABSENT:
        raise NotInThisState(f"{there.gateway} knows no transaction {gateway_id}.")
    names = (there.gateway, answer.gateway_reference)
    named = [one for one in (attempt, *_stand_ins(attempt)) if (one.gateway, one.gateway_reference) == names]
    if not named:
        raise NotInThisState(
            f"{gateway_id} is {answer.gateway_reference} at {there.gateway}: another charge."
        )
    _apply_as(named[0], answer)
    attempt.refresh_from_db()
    return attempt


def try_number(attempt: Attempt) -> int:
    """Return which try to charge for its payment this is: its name at the gateway ends in that."""
    return int(attempt.gateway_reference.rpartition("-")[2])


def _unanswered(attempt_id: int) -> Attempt:
    attempt = Attempt.objects.select_related("payment__merchant").get(pk=attempt_id)
    if attempt.initiated_by != "merchant" or attempt.status not in UNANSWERED:
        raise NotInThisState(f"{attempt.reference} is {attempt.status}: its answer is known.")
    return attempt


def _sent_last(attempt: Attempt) -> datetime:
    known = restoration.missed(attempt.created_at)
    return max(attempt.sent_again_at or attempt.created_at, known.ran_until if known else attempt.created_at)


def _stand_ins(attempt: Attempt) -> list[Attempt]:
    """Return, unsaved, as what an installation that was lost may have charged for the same later on: under a
    later name, and by another gateway where the customer had changed the method."""
    if restoration.missed(attempt.created_at) is None:
        return []
    prefix, number = attempt.gateway_reference.rpartition("-")[0], try_number(attempt)
    gateways = [name for name in GATEWAYS if _charges(attempt, name)]
    found = []
    for later in range(number, number + 1 + MOST_TRIES):
        for gateway in gateways:
            one = copy(attempt)
            one.gateway, one.gateway_reference = gateway, f"{prefix}-{later}"
            one.gateway_id = one.session_id = None
            found.append(one)
    names = {one.gateway_reference for one in found}
    ours_too = Attempt.objects.filter(gateway_reference__in=names).values_list("gateway", "gateway_reference")
    known = set(ours_too)
    return [one for one in found if (one.gateway, one.gateway_reference) not in known]


def _charges(attempt: Attempt, gateway: str) -> bool:
    """Say whether the merchant could have charged saved methods by it."""
    try:
        account = account_for(attempt.payment.merchant, gateway, attempt.mode)
    except NoGateway:
        return False
    return isinstance(connect(account, FOR_CHARGES), ChargesSaved)


def _apply_as(attempt: Attempt, answer: PaymentSnapshot) -> None:
    """Apply an answer about a charge, which may be a stand-in of the one that is stored: it becomes that."""
    answer = ours(answer, attempt)
    _become(attempt)
    apply_answer(attempt, answer)


@transaction.atomic
def _become(attempt: Attempt) -> None:
    lock_payment(attempt.payment_id)
    known = Attempt.objects.get(pk=attempt.pk)
    if (known.gateway, known.gateway_reference) == (attempt.gateway, attempt.gateway_reference):
        return
    if known.status not in UNANSWERED:
        raise NotInThisState(f"{attempt.reference} has news. Look at it again.")
    if known.gateway != attempt.gateway:
        known.payment_method = None  # It was charged by one that is not here.
    known.gateway, known.gateway_reference = attempt.gateway, attempt.gateway_reference
    known.save(update_fields=["gateway", "gateway_reference", "payment_method"])


@transaction.atomic
def _store_never_made(attempt: Attempt) -> Attempt:
    lock_payment(attempt.payment_id)
    known = Attempt.objects.get(pk=attempt.pk)
    if known.status not in UNANSWERED or known.sent_again_at != attempt.sent_again_at:
        raise NotInThisState(f"{attempt.reference} has news. Look at it again.")
    apply_answer(attempt, _failed(attempt, NOT_SENT))
    known.refresh_from_db()
    return known


@transaction.atomic
def _store_error(attempt: Attempt, error: GatewayError) -> None:
    """What surely took no money ends the charge, if it was sent this once: nothing but an answer about the
    charge itself says what became of another sending."""
    lock_payment(attempt.payment_id)
    known = Attempt.objects.get(pk=attempt.pk)
    sent_once = known.status == AttemptStatus.SENT and known.sent_again_at is None
    apply_answer(attempt, (_surely_not_charged(attempt, error) if sent_once else None) or error)


def _charge(attempt: Attempt) -> PaymentSnapshot | GatewayError:
    method = attempt.payment_method
    assert method is not None, "a charge of ours has a method"
    try:
        account = account_for(attempt.payment.merchant, attempt.gateway, attempt.mode)
        entry = enter(attempt.payment.merchant_id, account, alone=True)
        token = token_of(method)
    except (NoGateway, GatewayResting) as error:
        return Unreachable(error.message)
    except CannotDecrypt as error:
        return MethodRefused(str(error))
    gateway = connect(account, FOR_CHARGES)
    assert isinstance(gateway, ChargesSaved), f"{attempt.gateway} charges no saved methods"
    try:
        answer = ours(gateway.charge_saved(_request(attempt, method, token)), attempt)
    except GatewayError as error:
        note_outcome(entry, error)
        return error
    note_outcome(entry, None)
    return answer


def _surely_not_charged(attempt: Attempt, error: GatewayError) -> PaymentSnapshot | None:
    """Return the failure that an error is which took no money; None where that is not known."""
    if isinstance(error, MethodRefused):
        failure = decline("method_not_usable")
    elif isinstance(error, Rejected):
        failure = REFUSED
    elif isinstance(error, Unreachable):
        failure = NOT_SENT
    else:
        return None
    log.warning("charge_not_made", attempt=attempt.reference, gateway=attempt.gateway, reason=str(error))
    return _failed(attempt, failure)


def _failed(attempt: Attempt, failure: Failure) -> PaymentSnapshot:
    reference = attempt.gateway_reference
    return PaymentSnapshot(state=GatewayState.FAILED, gateway_reference=reference, failure=failure)


def _request(attempt: Attempt, method: PaymentMethod, token: str) -> ChargeRequest:
    return ChargeRequest(
        gateway_reference=attempt.gateway_reference,
        amount=attempt.payment.amount,
        customer_email=method.charged_as,
        description=attempt.payment.description,
        token=token,
    )
