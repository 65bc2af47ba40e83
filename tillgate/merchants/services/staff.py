"""Which people work for which merchant, and as what."""

from django.db import transaction
from django.db.models import Q

from tillgate.common import clock
from tillgate.common.errors import NotFound
from tillgate.common.references import new_reference
from tillgate.merchants.errors import AlreadyOnStaff, LastOwner, NoSuchAccount
from tillgate.merchants.models import Membership, Merchant, User
from tillgate.merchants.names import normal_email
from tillgate.merchants.roles import Role


def memberships_of(user: User) -> list[Membership]:
    """Return what a person is, to each merchant that they work for. One query."""
    mine = Membership.objects.filter(user=user, accepted_at__isnull=False).select_related("merchant")
    return list(mine.order_by("pk"))


def invitations_of(user: User) -> list[Membership]:
    """Return what merchants want a person to be; nothing of it counts until they accept."""
    mine = Membership.objects.filter(user=user, accepted_at__isnull=True).select_related("merchant")
    return list(mine.order_by("pk"))


def find_account(*, username: str = "", email: str = "") -> User:
    """Return who can be put on a staff, by username in any case or by an e-mail that was confirmed.

    Raises NoSuchAccount, in the same words whatever the reason: no account, one that has ended, or an
    e-mail that somebody gave and did not confirm.
    """
    named = Q(username__iexact=username) if username else Q(confirmed_email=normal_email(email))
    found = User.objects.filter(named, is_active=True).first() if username or email else None
    if found is None:
        raise NoSuchAccount(
            "There is no account of this username, or with this e-mail confirmed. Ask them to sign up, and "
            "to confirm their e-mail."
        )
    return found


@transaction.atomic
def invite(merchant: Merchant, user: User, role: Role) -> Membership:
    """Ask a person to work for a merchant. Raises AlreadyOnStaff for one who does, or was asked before."""
    _lock(merchant.pk)
    current = Membership.objects.filter(merchant=merchant, user=user).first()
    if current is not None:
        raise AlreadyOnStaff(
            f"{user.username} is {current.role} here already, or was invited to be: "
            f"PATCH /api/v1/staff/{current.reference} changes it."
        )
    return _create(merchant, user, role)


@transaction.atomic
def put_on_staff(merchant: Merchant, user: User, role: Role) -> Membership:
    """Give a person a role at once, instead of the one they may have: for the operator, who knows them.
    Raises LastOwner where nobody else owns the merchant.
    """
    _lock(merchant.pk)
    current = Membership.objects.filter(merchant=merchant, user=user).first()
    if current is None:
        return _accepted(_create(merchant, user, role))
    return _accepted(_with_role(current, role))


@transaction.atomic
def accept(membership: Membership) -> Membership:
    """Begin to work for who has invited; a repeat changes nothing. Raises NotFound for an invitation that was
    taken back."""
    return _accepted(_locked(membership))


@transaction.atomic
def change_role(membership: Membership, role: Role) -> Membership:
    """Give somebody of the staff, or who is invited, another role. Raises LastOwner where nobody else owns
    the merchant."""
    return _with_role(_locked(membership), role)


@transaction.atomic
def take_off_staff(membership: Membership) -> None:
    """End what a person is to a merchant, or was to be. Raises LastOwner where nobody else owns it."""
    current = _locked(membership)
    _require_another_owner(current)
    current.delete()


def owners_of(merchant: Merchant) -> list[User]:
    """Return the people who own a merchant and can sign in."""
    return list(
        User.objects.filter(
            memberships__merchant=merchant,
            memberships__role=Role.OWNER,
            memberships__accepted_at__isnull=False,
            is_active=True,
        ).order_by("pk")
    )


def lock_staffs_of(user: User) -> None:
    """Wait for who else changes a staff that a person is on. Merchants are locked first, by their keys, and
    people after them: everywhere, so that no two wait for each other."""
    own = Membership.objects.filter(user=user).values("merchant")
    list(Merchant.objects.select_for_update().filter(pk__in=own).order_by("pk"))


def _lock(merchant_id: int) -> None:
    """Who changes a staff waits for who else does: two owners cannot take each other off at once."""
    Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)  # Payments go on being created.


def _locked(membership: Membership) -> Membership:
    _lock(membership.merchant_id)
    current = Membership.objects.filter(pk=membership.pk).select_related("user", "merchant").first()
    if current is None:
        raise NotFound(f"Nobody works here as {membership.reference} any more.")
    return current


def _create(merchant: Merchant, user: User, role: Role) -> Membership:
    return Membership.objects.create(
        reference=new_reference("STF"), merchant=merchant, user=user, role=role, created_at=clock.now()
    )


def _accepted(membership: Membership) -> Membership:
    if membership.accepted_at is None:
        membership.accepted_at = clock.now()
        membership.save(update_fields=["accepted_at"])
    return membership


def _with_role(membership: Membership, role: Role) -> Membership:
    if role != Role.OWNER:
        _require_another_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    return membership


def _require_another_owner(membership: Membership) -> None:
    if membership.role != Role.OWNER or membership.accepted_at is None:
        return
    others = owners_of(membership.merchant)
    if not [owner for owner in others if owner.pk != membership.user_id]:
        raise LastOwner("Nobody else owns this business. Make somebody else an owner first.")
