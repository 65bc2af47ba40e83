"""What happened, in order, and what is told of it to the merchants' own software."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from tillgate.merchants.models import Merchant

MODES = [("test", "test"), ("live", "live")]


class Event(models.Model):
    """One thing that happened to one object. The database refuses to change or delete it.

    `subject` is the object's public id; `sequence` counts from 1 per subject. The first line of a
    payment's timeline (`payment.created`, sequence 1) is the payment's row itself and is not stored.
    """

    merchant_id = models.BigIntegerField()
    subject = models.CharField(max_length=40)
    sequence = models.PositiveIntegerField()
    type = models.CharField(max_length=60)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "sequence"], name="event_subject_sequence")]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    """The ways in which endpoints are read; every door starts from `for_merchant`."""

    def for_merchant(self, merchant: Merchant, mode: str) -> Self:
        """The endpoints of one merchant in one mode, but for those that were deleted."""
        return self.filter(merchant=merchant, mode=mode, deleted_at__isnull=True)

    def of_settings(self) -> Self:
        """Those that TILLGATE_WEBHOOK_URL stands for: one in each mode that it was used in."""
        return self.filter(from_settings=True, deleted_at__isnull=True)


class Endpoint(models.Model):
    """An address of a merchant's software, `WHE-…`, that is told what happens. Deleted, its row stays.

    Its secrets are encrypted. `lane_token` is held by the one process that is sending to it, until
    `lane_until`; nothing is sent before `rest_until`, for which its receiver has asked.
    """

    class Ended(models.TextChoices):
        """Why nothing is sent to it any more."""

        GONE = "gone"  # It answered 410.
        FAILING = "failing"  # Nothing but failures for days.
        SWITCHED_OFF = "switched_off"  # By the merchant.

    reference = models.CharField(max_length=30)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="webhook_endpoints")
    mode = models.CharField(max_length=4, choices=MODES)
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    events = models.JSONField(default=list)  # Types, such as payment.completed, payment.* or *.
    secret = models.TextField()
    former_secret = models.TextField(blank=True)
    former_secret_ends_at = models.DateTimeField(null=True)
    added_by = models.CharField(max_length=80)
    from_settings = models.BooleanField(default=False)
    enabled = models.BooleanField(default=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=12, choices=Ended.choices, blank=True)
    failing_since = models.DateTimeField(null=True)  # The first failure after the last success.
    listens_since = models.DateTimeField()  # From when on nothing that it subscribes to may be missing.
    rest_until = models.DateTimeField(null=True)
    is_slow = models.BooleanField(default=False)  # Its last turn brought failures, or took long.
    sends = models.BigIntegerField(default=0)  # Tries, and those of them that failed, for the metrics.
    failures = models.BigIntegerField(default=0)
    lane_token = models.CharField(max_length=26, blank=True)
    lane_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="endpoint_reference"),
            models.UniqueConstraint(
                fields=["merchant", "mode", "url"],
                condition=Q(deleted_at__isnull=True),
                name="endpoint_url_once",
            ),
            models.CheckConstraint(
                condition=Q(enabled=True, disabled_at__isnull=True)
                | Q(enabled=False, disabled_at__isnull=False),
                name="endpoint_disabled_since",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class OutboxEventQuerySet(models.QuerySet["OutboxEvent"]):
    """The ways in which told events are read; every door starts from `for_merchant`."""

    def for_merchant(self, merchant: Merchant, mode: str) -> Self:
        """The events of one merchant in one mode."""
        return self.filter(merchant=merchant, mode=mode)


class OutboxEvent(models.Model):
    """What is told of one event, `EVT-…`, word for word: each try sends the same bytes. Kept for 90 days."""

    reference = models.CharField(max_length=30)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+", db_index=False)
    mode = models.CharField(max_length=4, choices=MODES)
    type = models.CharField(max_length=60)
    subject = models.CharField(max_length=40)
    sequence = models.PositiveIntegerField()
    body = models.TextField()  # JSON.
    created_at = models.DateTimeField()

    objects = OutboxEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="outbox_reference"),
            models.UniqueConstraint(fields=["subject", "sequence"], name="outbox_subject_sequence"),
        ]
        indexes = [models.Index(fields=["merchant", "mode", "-created_at", "-id"], name="outbox_newest")]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"


class DeliveryState(models.TextChoices):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"  # The whole ladder failed.
    DROPPED = "dropped"  # Its endpoint was disabled or deleted meanwhile.


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """The ways in which deliveries are read."""

    def due(self, now: datetime) -> Self:
        """Those whose next try has come, in the order in which they are sent."""
        return self.filter(next_try_at__lte=now).order_by("next_try_at", "pk")


class Delivery(models.Model):
    """One event on its way to one endpoint, and how the last try went. Only a pending one has a next try."""

    event = models.ForeignKey(
        OutboxEvent, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    state = models.CharField(max_length=9, choices=DeliveryState.choices, default=DeliveryState.PENDING.value)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    last_try_at = models.DateTimeField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)  # NULL where no answer came.
    last_error = models.CharField(max_length=200, blank=True)
    last_answer = models.TextField(blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="delivery_once"),
            models.CheckConstraint(
                condition=Q(state="pending", next_try_at__isnull=False)
                | (~Q(state="pending") & Q(next_try_at__isnull=True)),
                name="delivery_next_try",
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_try_at", "id"],
                condition=Q(next_try_at__isnull=False),
                name="delivery_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.state} delivery {self.pk}"
