"""People: their accounts and logins, what they are to a merchant, and the trail of what they did."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from tillgate.common import clock
from tillgate.merchants.models.merchant import MODES, Merchant
from tillgate.merchants.names import normal_email, normal_username
from tillgate.merchants.roles import Role
from tillgate.money import Money

ACTORS = ("key", "staff", "customer", "command", "system")


class UserManager(BaseUserManager["User"]):
    """How accounts are made and found."""

    def create_user(self, username: str, email: str, password: str | None = None, **fields: Any) -> User:
        """Store a new account; its e-mail is not confirmed yet."""
        name = normal_username(username)
        user: User = self.model(username=name, email=email, **{"date_joined": clock.now(), **fields})
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """Find by username in any case; by a confirmed e-mail where it holds an @."""
        name = username or ""
        if "@" in name:
            return self.get(confirmed_email=normal_email(name))
        return self.alias(small=Lower("username")).get(small=normal_username(name).lower())


class User(AbstractBaseUser):
    """Somebody with an account: a customer, staff of a merchant, or both.

    `email` is what they gave; `confirmed_email`, in small letters, what they have shown to be theirs, and
    no two accounts have the same. A deleted account keeps its row, without anything personal.
    """

    username = models.CharField(max_length=60)
    email = models.CharField(max_length=254, blank=True)
    confirmed_email = models.CharField(max_length=254, null=True)  # noqa: DJ001  # NULL is not unique.
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)
    # The second factor: encrypted, in use from `totp_confirmed_at` on; no code counts twice.
    totp_secret = models.TextField(blank=True)
    totp_confirmed_at = models.DateTimeField(null=True)
    totp_last_step = models.BigIntegerField(default=0)
    # Payments and subscriptions up to these keys were looked through for the confirmed e-mail.
    payments_seen = models.BigIntegerField(default=0)
    subscriptions_seen = models.BigIntegerField(default=0)

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["username"], name="user_username"),
            models.UniqueConstraint(Lower("username"), name="user_username_any_case"),
            models.UniqueConstraint(fields=["confirmed_email"], name="user_confirmed_email"),
        ]

    def __str__(self) -> str:
        return self.username

    @property
    def has_otp(self) -> bool:
        """Say whether a second factor is asked for."""
        return self.totp_confirmed_at is not None

    @property
    def full_name(self) -> str:
        """First and last name; the username where there is none."""
        return f"{self.first_name} {self.last_name}".strip() or self.username


class Login(models.Model):
    """One sign-in, `LGN-…`, and the family of tokens that came of it: ended, all of them are.

    `refresh_jti` is the one refresh token that is good; an older one means that somebody has copied it.
    `proved_at` is when they last showed by password, and second factor, that it is them: by real time.
    """

    reference = models.CharField(max_length=30)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="logins")
    refresh_jti = models.CharField(max_length=64)
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    proved_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reference"], name="login_reference")]

    def __str__(self) -> str:
        return self.reference


class RecoveryCode(models.Model):
    """Stands in once for a lost second factor; only its hash is stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_sha256 = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "code_sha256"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"


class Membership(models.Model):
    """What a person is to a merchant, `STF-…`; until they accept, an invitation that counts for nothing."""

    reference = models.CharField(max_length=30)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=[(role.value, role.value) for role in Role])
    created_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="membership_reference"),
            models.UniqueConstraint(fields=["user", "merchant"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]), name="membership_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.merchant_id}"


class AuditEntry(models.Model):
    """Who did what, from where, `AUD-…`. The database refuses to change or delete it."""

    reference = models.CharField(max_length=30)
    merchant_id = models.BigIntegerField()
    actor_kind = models.CharField(max_length=10, choices=[(word, word) for word in ACTORS])
    actor = models.CharField(max_length=80)  # A key's first characters, a username, a command.
    action = models.CharField(max_length=60)  # refund.created
    subject = models.CharField(max_length=40)  # The public id of what it was done to.
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reference"], name="audit_reference")]
        indexes = [models.Index(fields=["merchant_id", "-created_at", "-id"], name="audit_newest")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class Approval(models.Model):
    """A refund over the limit, `APR-…`, that waits for a second person."""

    class Status(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        REJECTED = "rejected"
        EXPIRED = "expired"

    reference = models.CharField(max_length=30)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="approvals")
    mode = models.CharField(max_length=4, choices=MODES)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    payment_reference = models.CharField(max_length=30)  # Of a package above; its row is found by this.
    # What is to go back: empty, of the payment's own money; SUR-…, that surplus; review, what is in review.
    subject = models.CharField(max_length=30, blank=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=500, blank=True)
    idempotency_hash = models.CharField(max_length=64)  # Of the refund that it becomes.
    request_hash = models.CharField(max_length=64)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    refund_reference = models.CharField(max_length=30, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="approval_reference"),
            models.UniqueConstraint(fields=["idempotency_hash"], name="approval_idempotency"),
        ]
        indexes = [models.Index(fields=["merchant", "mode", "-created_at", "-id"], name="approval_newest")]

    def __str__(self) -> str:
        return self.reference

    @property
    def amount(self) -> Money:
        """What is to go back."""
        return Money(self.amount_minor, self.currency)
