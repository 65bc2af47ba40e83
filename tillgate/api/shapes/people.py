"""People who work for a merchant, what waits for a second one of them, and what all of them did."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tillgate.api.shapes.common import Amount, PageFilter, Time, Word, instant, instant_or_none, one_of
from tillgate.merchants.models import Approval, AuditEntry, Membership, User
from tillgate.merchants.roles import ROLE_SCOPES, Role
from tillgate.merchants.services.approvals import standing

RoleWord = Literal["owner", "manager", "cashier", "auditor"]
AccountWord = Annotated[str, Meta(min_length=1, max_length=254)]


class StaffIn(msgspec.Struct, forbid_unknown_fields=True):
    """Who is to work here, by `username` or by an `email` that they have confirmed, and as what."""

    role: RoleWord
    username: AccountWord | UnsetType = UNSET
    email: AccountWord | UnsetType = UNSET


class RoleIn(msgspec.Struct, forbid_unknown_fields=True):
    """As what they work here from now on."""

    role: RoleWord


class DecisionIn(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing; of the only owner, who decides about what they asked for themselves, the password, and a
    code where a second factor is on."""

    password: Annotated[str, Meta(max_length=4_096, extra_json_schema={"format": "password"})] = ""
    otp: Annotated[str, Meta(max_length=40)] = ""


class StaffOut(msgspec.Struct, kw_only=True):
    """What a person is to the merchant. Who is `invited` is nothing yet: they have to accept."""

    id: str
    username: str
    role: Annotated[str, one_of(Role)]
    status: Literal["invited", "active"]
    second_factor: bool
    created_at: Time


class WorkOut(msgspec.Struct):
    """A merchant that I work for, or was invited by, and what I may do with its things; `membership` is the
    id by which I accept or leave."""

    id: str
    name: str
    role: Annotated[str, one_of(Role)]
    scopes: list[str]
    membership: str


class MeOut(msgspec.Struct, kw_only=True):
    """Who is signed in. `email_confirmed`: it was shown to be theirs. `invitations` count for nothing until
    they are accepted."""

    username: str
    email: str
    email_confirmed: bool
    first_name: str
    last_name: str
    second_factor: bool
    merchants: list[WorkOut]
    invitations: list[WorkOut]


class ApprovalFilter(PageFilter, forbid_unknown_fields=True):
    """The query of GET /approvals."""

    status: Literal["pending", "approved", "rejected", "expired"] | UnsetType = UNSET


class ApprovalOut(msgspec.Struct, kw_only=True):
    """A refund that waits, or has waited, for a second person. `refund` is what became of it.

    `subject` is what is to go back: the id of a surplus, `review` for money in review, null for money of the
    payment itself.
    """

    id: str
    status: Annotated[str, one_of(Approval.Status)]
    payment: str
    subject: str | None
    amount: Amount
    currency: str
    reason: str
    requested_by: str
    decided_by: str | None
    refund: str | None
    test: bool
    created_at: Time
    expires_at: Time
    decided_at: Time | None


class AuditFilter(PageFilter, forbid_unknown_fields=True):
    """The query of GET /audit."""

    action: Word | None = None
    actor: Word | None = None
    created_after: datetime | UnsetType = UNSET
    created_before: datetime | UnsetType = UNSET


class ActorOut(msgspec.Struct):
    """Who did it: `kind` is key, staff, customer, command or system; `name` a key's first characters, a
    username or a command."""

    kind: str
    name: str


class AuditEntryOut(msgspec.Struct, kw_only=True):
    """One line of the trail. `subject` is the id of what it was done to, `data` what else is to be known."""

    id: str
    action: str
    actor: ActorOut
    subject: str
    address: str | None
    request_id: str
    data: dict[str, Any]
    created_at: Time


def staff_out(membership: Membership) -> StaffOut:
    """What a person is to the merchant; nothing of the account but its name."""
    return StaffOut(
        id=membership.reference,
        username=membership.user.username,
        role=membership.role,
        status="active" if membership.accepted_at else "invited",
        second_factor=membership.user.has_otp,
        created_at=instant(membership.created_at),
    )


def work_out(membership: Membership) -> WorkOut:
    """What I am to a merchant, or would be."""
    at, role = membership.merchant, Role(membership.role)
    scopes = sorted(scope.value for scope in ROLE_SCOPES[role])
    return WorkOut(at.reference, at.name, role, scopes, membership.reference)


def me_out(user: User, memberships: list[Membership], invitations: list[Membership]) -> MeOut:
    """Who is signed in, and for whom they work."""
    return MeOut(
        username=user.username,
        email=user.email,
        email_confirmed=bool(user.email) and user.confirmed_email == user.email.lower(),
        first_name=user.first_name,
        last_name=user.last_name,
        second_factor=user.has_otp,
        merchants=list(map(work_out, memberships)),
        invitations=list(map(work_out, invitations)),
    )


def approval_out(approval: Approval) -> ApprovalOut:
    """An approval; of its people only the names are read."""
    return ApprovalOut(
        id=approval.reference,
        status=standing(approval),
        payment=approval.payment_reference,
        subject=approval.subject or None,
        amount=approval.amount.to_major,
        currency=approval.currency,
        reason=approval.reason,
        requested_by=approval.requested_by.username,
        decided_by=None if approval.decided_by is None else approval.decided_by.username,
        refund=approval.refund_reference or None,
        test=approval.mode == "test",
        created_at=instant(approval.created_at),
        expires_at=instant(approval.expires_at),
        decided_at=instant_or_none(approval.decided_at),
    )


def audit_entry_out(entry: AuditEntry) -> AuditEntryOut:
    """One line of the trail."""
    return AuditEntryOut(
        id=entry.reference,
        action=entry.action,
        actor=ActorOut(entry.actor_kind, entry.actor),
        subject=entry.subject,
        address=entry.address,
        request_id=entry.request_id,
        data=entry.data,
        created_at=instant(entry.created_at),
    )
