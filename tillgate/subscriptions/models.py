"""A recurring payment, and its due dates one by one."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from tillgate.customers.models import PaymentMethod
from tillgate.merchants.models import Merchant, User
from tillgate.money import MAX_MINOR, Money
from tillgate.payments.models import Payment
from tillgate.payments.states import choices, values
from tillgate.subscriptions.schedule import Rhythm
from tillgate.subscriptions.states import COLLECTING, Collection, CycleStatus, Interval, SubscriptionStatus

MODES = [("test", "test"), ("live", "live")]


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """The ways in which subscriptions are read; every door with a key starts from `for_merchant`."""

    def for_merchant(self, merchant: Merchant, mode: str) -> Self:
        """The subscriptions of one merchant in one mode."""
        return self.filter(merchant=merchant, mode=mode)

    def due(self, now: datetime) -> Self:
        """Those whose next cycle is to be opened, the longest due first."""
        return self.filter(status__in=COLLECTING, next_opens_at__lte=now).order_by("next_opens_at", "pk")

    def newest_first(self) -> Self:
        """The order of lists: by creation, then by id, so that a page never shifts."""
        return self.order_by("-created_at", "-pk")


class Subscription(models.Model):
    """A recurring payment, `SUB-…`. Amount and rhythm are those of the cycles to come.

    Cycle `index` (0 is the first) is due at `anchor_at` + (`index` - `anchor_index`) intervals. `next_index`
    is the first cycle that was not opened yet; `next_opens_at` is when it will be (a link is sent some days
    before the cycle is due), NULL when there is none.
    """

    reference = models.CharField(max_length=30)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="subscriptions")
    mode = models.CharField(max_length=4, choices=MODES)
    status = models.CharField(
        max_length=10, choices=choices(SubscriptionStatus), default=SubscriptionStatus.INCOMPLETE.value
    )
    customer_name = models.CharField(max_length=200)
    customer_email = models.CharField(max_length=254)
    description = models.CharField(max_length=500, blank=True)
    metadata = models.JSONField(default=dict)
    return_url = models.CharField(max_length=2000, blank=True)
    created_by = models.CharField(max_length=8, choices=[(word, word) for word in ("guest", "key", "staff")])
    # In whose account it is; the payments of its cycles are, too.
    account = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="subscriptions", db_index=False
    )

    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    collection = models.CharField(max_length=9, choices=choices(Collection), default=Collection.CHARGE.value)
    gateway = models.CharField(max_length=20, null=True)  # noqa: DJ001  # Pinned by the caller, or NULL.
    payment_method = models.ForeignKey(
        PaymentMethod, on_delete=models.PROTECT, null=True, related_name="subscriptions"
    )

    interval = models.CharField(max_length=9, choices=choices(Interval))
    interval_count = models.PositiveSmallIntegerField(default=1)
    zone = models.CharField(max_length=60)  # The merchant's, as it was then: a move shifts no due date.
    anchor_at = models.DateTimeField(null=True)  # NULL until the first payment, where nothing else was said.
    anchor_index = models.PositiveIntegerField(default=0)
    next_index = models.PositiveIntegerField(default=0)
    next_opens_at = models.DateTimeField(null=True)
    cycles = models.PositiveIntegerField(null=True)  # As agreed; NULL is until somebody stops it.
    cycles_left = models.PositiveIntegerField(null=True)  # Still to be opened.

    manage_token = models.CharField(max_length=26)  # Whoever holds it may stop it: in every mail's link.
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=40, blank=True)
    sequence = models.PositiveIntegerField(default=0)  # Of its newest event.
    idempotency_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001
    request_hash = models.CharField(max_length=64, blank=True)
    imported_from = models.CharField(max_length=120, blank=True)  # "paystack:SUB_x", whose plan it was.
    import_unfinished = models.BooleanField(default=False)  # The gateway may collect it still.

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="subscription_reference"),
            models.UniqueConstraint(fields=["manage_token"], name="subscription_manage_token"),
            models.UniqueConstraint(fields=["idempotency_hash"], name="subscription_idempotency"),
            models.UniqueConstraint(
                fields=["merchant", "mode", "imported_from"],
                name="subscription_imported_once",
                condition=~Q(imported_from=""),
            ),
            models.CheckConstraint(
                condition=Q(import_unfinished=False) | ~Q(status__in=values(COLLECTING)),
                name="subscription_one_collects",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, amount_minor__lte=MAX_MINOR), name="subscription_amount"
            ),
            models.CheckConstraint(condition=Q(interval_count__gt=0), name="subscription_interval_count"),
            models.CheckConstraint(
                condition=Q(next_opens_at__isnull=True) | Q(anchor_at__isnull=False),
                name="subscription_anchored",
            ),
            models.CheckConstraint(
                condition=Q(status__in=values(SubscriptionStatus)), name="subscription_status"
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "mode", "-created_at", "-id"], name="subscription_newest"),
            models.Index(
                fields=["account", "-created_at", "-id"],
                name="subscription_of_account",
                condition=Q(account__isnull=False),
            ),
            models.Index(
                fields=["next_opens_at"],
                name="subscription_due",
                condition=Q(next_opens_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def amount(self) -> Money:
        """What each cycle to come collects."""
        return Money(self.amount_minor, self.currency)

    @property
    def rhythm(self) -> Rhythm:
        """When its cycles are due; only of one that has an anchor."""
        assert self.anchor_at is not None, f"{self.reference} has no anchor yet"
        return Rhythm(
            interval=Interval(self.interval),
            count=self.interval_count,
            anchor_at=self.anchor_at,
            anchor_index=self.anchor_index,
            zone=self.zone,
        )


class Cycle(models.Model):
    """One due date of a subscription, and the one payment that collects it.

    `tries` counts our charges, `tries_judged` those whose failure was acted on. At `next_try_at` the next
    one is made, or the customer is reminded where only they can pay (`needs_customer`, or a link was sent);
    NULL: nothing is to be done. `setbacks` are declines and reminders, which end after some days; `faults`
    are the gateway's.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="all_cycles")
    index = models.PositiveIntegerField()
    due_at = models.DateTimeField()
    status = models.CharField(max_length=7, choices=choices(CycleStatus), default=CycleStatus.OPEN.value)
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, null=True, related_name="cycle")
    tries = models.PositiveIntegerField(default=0)
    tries_judged = models.PositiveIntegerField(default=0)
    setbacks = models.PositiveIntegerField(default=0)
    faults = models.PositiveIntegerField(default=0)
    first_setback_at = models.DateTimeField(null=True)
    needs_customer = models.BooleanField(default=False)
    next_try_at = models.DateTimeField(null=True)
    in_flight_at_stop = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscription", "index"], name="cycle_once"),
            models.CheckConstraint(
                condition=Q(status=CycleStatus.SKIPPED.value) | Q(payment__isnull=False),
                name="cycle_has_payment",
            ),
            models.CheckConstraint(condition=Q(status__in=values(CycleStatus)), name="cycle_status"),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"], name="cycle_next_try", condition=Q(next_try_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"cycle {self.index} of {self.subscription_id}"
