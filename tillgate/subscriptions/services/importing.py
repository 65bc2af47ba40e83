"""Take over the subscriptions that a gateway has collected by plans of its own.

Ours is made first, paused; then the gateway is told to stop; ours goes on only once the gateway itself says
that it has stopped. So nobody is charged twice, and whoever breaks off in between can begin again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from tillgate.common import clock
from tillgate.customers.models import PaymentMethod
from tillgate.customers.services.consents import Agreement, give_consent
from tillgate.customers.services.methods import Payer, keep_method
from tillgate.gateways.http import IN_WORKER
from tillgate.gateways.plans import ListsPlans, PlanSubscription
from tillgate.gateways.protocol import Mode
from tillgate.merchants.models import Merchant
from tillgate.merchants.services.accounts import account_for, connect
from tillgate.merchants.services.choosing import usable_accounts
from tillgate.subscriptions.errors import InvalidSchedule, NotPossible
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.schedule import Rhythm
from tillgate.subscriptions.services.create import NewSubscription, Plan, create_subscription
from tillgate.subscriptions.services.cycles import POINTER, skip_to_ahead
from tillgate.subscriptions.services.mails import Mail, tell
from tillgate.subscriptions.services.moves import lock_subscription, move_subscription
from tillgate.subscriptions.states import LIVE, Collection, Interval, SubscriptionStatus

# Nearer to its date the gateway may be charging it already.
MARGIN = timedelta(hours=1)


class CannotTakeOver(NotPossible):
    """This plan stays where it is; the message says why, and what can be done."""

    code = "cannot_take_over"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Whose subscriptions at which gateway."""

    merchant: Merchant
    mode: Mode
    gateway: str

    def name_of(self, plan: PlanSubscription) -> str:
        """Return what a subscription of ours keeps of where it came from."""
        return f"{self.gateway}:{plan.gateway_id}"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A gateway's subscription, and what taking it over would do.

    `ours` is what it was taken over as, where that was begun; `problem` says why it cannot be, else it is
    empty. Without a saved method it is collected by payment links.
    """

    plan: PlanSubscription
    starts_at: datetime | None
    problem: str
    ours: Subscription | None

    @property
    def collection(self) -> Collection:
        """How it would be collected here."""
        return Collection.CHARGE if self.plan.saved_method else Collection.SEND_LINK

    @property
    def is_unfinished(self) -> bool:
        """Whether it was begun, and is to be taken over once more."""
        return self.ours is not None and self.ours.import_unfinished and self.ours.status in LIVE


def candidates(source: Source) -> list[Candidate]:
    """Return every subscription that the gateway collects or has collected. Nothing is changed.

    Raises CannotTakeOver for a gateway that does not tell of them, NoGateway, and the gateway's errors.
    """
    return [_candidate(source, plan) for plan in _calls(source).list_plan_subscriptions()]


def take_over(source: Source, gateway_id: str) -> Subscription:
    """Collect a subscription here from its next date on, and no more at its gateway.

    A repeat goes on where the first was broken off, and returns what was taken over already. Raises
    CannotTakeOver, NoGateway, and the gateway's errors; ours stays paused then.
    """
    calls = _calls(source)
    plan = calls.fetch_plan_subscription(gateway_id)
    ours = _ours_for(source, plan)
    if not plan.is_stopped:
        calls.stop_plan_subscription(gateway_id)
        plan = calls.fetch_plan_subscription(gateway_id)
    if not plan.is_stopped:
        raise CannotTakeOver(
            f"{source.gateway} says that {gateway_id} is still {plan.status!r}. {ours.reference} waits for "
            "that, paused: take it over again."
        )
    return _go_on(ours.pk)


def _calls(source: Source) -> ListsPlans:
    account = account_for(source.merchant, source.gateway, source.mode)
    gateway = connect(account, IN_WORKER)
    if not isinstance(gateway, ListsPlans):
        raise CannotTakeOver(f"{source.gateway} does not tell of subscriptions that it collects itself.")
    return gateway


def _candidate(source: Source, plan: PlanSubscription) -> Candidate:
    ours = _find(source, plan)
    starts_at = _next_date(source, plan)
    return Candidate(
        plan=plan,
        starts_at=starts_at,
        problem="" if ours is not None else _problem(source, plan, starts_at),
        ours=ours,
    )


def _find(source: Source, plan: PlanSubscription) -> Subscription | None:
    mine = Subscription.objects.for_merchant(source.merchant, source.mode)
    return mine.filter(imported_from=source.name_of(plan)).first()


def _problem(source: Source, plan: PlanSubscription, starts_at: datetime | None) -> str:
    if plan.problem:
        return plan.problem
    if plan.is_stopped:
        return f"{source.gateway} does not collect it any more"
    if plan.interval is None:
        return f"it is due {plan.words!r}, which is no interval here"
    if not plan.customer_email:
        return "the customer's e-mail address is not told"
    if plan.payments_left == 0:
        return "all its payments are made"
    return _problem_of_amount(source, plan) or _problem_of_date(source, starts_at)


def _problem_of_amount(source: Source, plan: PlanSubscription) -> str:
    if plan.amount is None or not plan.amount.minor:
        return "its amount cannot be read"
    only = source.gateway if plan.saved_method else None
    if not usable_accounts(source.merchant, source.mode, plan.amount, only=only):
        return f"no gateway here takes {plan.amount}"
    return ""


def _problem_of_date(source: Source, starts_at: datetime | None) -> str:
    if starts_at is None:
        return "its next date is not told"
    if starts_at < clock.now() + MARGIN:
        return f"it is due now: take it over once {source.gateway} has collected it"
    return ""


def _next_date(source: Source, plan: PlanSubscription) -> datetime | None:
    """Return when the gateway would collect next; counted from its start where it does not say that."""
    if plan.next_payment_at is not None or plan.started_at is None or plan.interval is None:
        return plan.next_payment_at
    try:
        rhythm = Rhythm(
            interval=Interval(plan.interval),
            count=plan.interval_count,
            anchor_at=plan.started_at,
            zone=source.merchant.zone,
        )
        last = rhythm.last_due(0, clock.now())
        return rhythm.due_at(0 if last is None else last + 1)
    except InvalidSchedule:
        return None  # Told like any other plan whose next date nobody knows.


@transaction.atomic
def _ours_for(source: Source, plan: PlanSubscription) -> Subscription:
    # Two people may do this at once. Rows that name the merchant are written meanwhile, under locks that
    # are taken here next: they must not wait for this one.
    Merchant.objects.select_for_update(no_key=True).get(pk=source.merchant.pk)
    candidate = _candidate(source, plan)
    ours = candidate.ours
    if ours is None:
        if candidate.problem:
            raise CannotTakeOver(f"{plan.gateway_id} cannot be taken over: {candidate.problem}.")
        return _created(source, candidate)
    if ours.status not in LIVE:
        raise CannotTakeOver(
            f"{plan.gateway_id} was taken over as {ours.reference}, which is {ours.status}. If "
            f"{source.gateway} still collects it, stop it there."
        )
    ours = lock_subscription(ours.pk)
    if ours.import_unfinished and not plan.is_stopped:
        _follow_plan(source, ours, candidate)
    return ours


def _created(source: Source, candidate: Candidate) -> Subscription:
    plan = candidate.plan
    assert plan.amount is not None
    assert plan.interval is not None
    rhythm = Plan(
        interval=Interval(plan.interval),
        interval_count=plan.interval_count,
        cycles=plan.payments_left,
        starts_at=candidate.starts_at,
        collection=candidate.collection,
    )
    method = _kept_method(source, plan)
    new = NewSubscription(
        merchant=source.merchant,
        mode=source.mode,
        customer_name=_name(plan),
        customer_email=plan.customer_email,
        amount=plan.amount,
        plan=rhythm,
        gateway=source.gateway if method else None,
        payment_method=method,
        imported_from=source.name_of(plan),
    )
    ours, _ = create_subscription(new)
    if method is not None:
        words = f"Agreed with {source.gateway}, where it was collected until {clock.now():%Y-%m-%d}."
        give_consent(ours.reference, Agreement(text=words, text_version="import", given_by="import"))
    return ours


def _name(plan: PlanSubscription) -> str:
    return (plan.customer_name or plan.customer_email)[:200]  # As many as a customer's name may have here.


def _kept_method(source: Source, plan: PlanSubscription) -> PaymentMethod | None:
    if plan.saved_method is None:
        return None
    payer = Payer(
        merchant=source.merchant,
        mode=source.mode,
        email=plan.customer_email,
        name=_name(plan),
    )
    return keep_method(payer, source.gateway, plan.saved_method)


def _follow_plan(source: Source, ours: Subscription, candidate: Candidate) -> None:
    """The gateway has gone on collecting since the first try: ours begins after that."""
    if problem := _problem(source, candidate.plan, candidate.starts_at):
        raise CannotTakeOver(f"{candidate.plan.gateway_id} cannot be taken over yet: {problem}.")
    ours.anchor_at, ours.cycles = candidate.starts_at, candidate.plan.payments_left
    ours.cycles_left = ours.cycles
    ours.save(update_fields=["anchor_at", "cycles", "cycles_left"])


@transaction.atomic
def _go_on(subscription_id: int) -> Subscription:
    """Let ours collect from its next date on. One that passed meanwhile is skipped: whether the gateway
    has collected it before it stopped is not known."""
    ours = lock_subscription(subscription_id)
    if not ours.import_unfinished:
        return ours
    ours.import_unfinished = False
    ours.save(update_fields=["import_unfinished"])
    if ours.status == SubscriptionStatus.PAUSED:  # It may have been canceled in between.
        Cycle.objects.bulk_create(skip_to_ahead(ours))
        pointer = {name: getattr(ours, name) for name in POINTER}
        move_subscription(ours, SubscriptionStatus.ACTIVE, "subscription.resumed", **pointer)
        tell(ours, Mail.SET_UP)
    return ours
