"""The end of an account: its owner is taken out of every room, in one transaction; the money stays."""

from dataclasses import dataclass

from django.db import transaction
from rest_framework.request import Request

from tillgate.api.accounts.base import themselves, user_of
from tillgate.customers.services.erasing import erase_consents, new_alias
from tillgate.events.services import record_event
from tillgate.events.services.erasing import erase_told
from tillgate.merchants.models import User
from tillgate.merchants.services.accounts import guest_mode
from tillgate.merchants.services.audit import record
from tillgate.merchants.services.merchants import default_merchant
from tillgate.merchants.services.staff import invitations_of, lock_staffs_of, memberships_of, take_off_staff
from tillgate.merchants.services.users import erase_user
from tillgate.payments.services.erasing import erase_payer, require_none_on_its_way
from tillgate.payments.services.history import attach_payments
from tillgate.subscriptions.services.erasing import erase_methods, erase_subscriber, stop_all
from tillgate.subscriptions.services.history import attach_subscriptions


@dataclass(frozen=True, kw_only=True)
class Gone:
    """What is left to tell of: no merchant's software is told, it only wakes who erases more."""

    reference: str
    merchant_id: int
    mode: str


def close_account(request: Request) -> None:
    """Erase the account of who calls. What gateways told about it the inbox erases, as it hears of this.

    Raises LastOwner for who alone owns a business, NotInThisState while money is on its way.
    """
    user = user_of(request)
    attach_payments(user)  # What they paid as a guest is of them, too.
    attach_subscriptions(user)
    _close(request)


@transaction.atomic
def _close(request: Request) -> None:
    lock_staffs_of(user_of(request))
    user = User.objects.select_for_update().get(pk=user_of(request).pk)
    _leave_staff(user, request)
    stop_all(user.pk)
    require_none_on_its_way(user.pk)  # After the stop: no charge starts any more.
    alias = new_alias()
    erase_methods(user.pk)
    payments, subscriptions = erase_payer(user.pk, alias), erase_subscriber(user.pk, alias)
    erase_consents([*payments, *subscriptions])
    erase_told([*payments, *subscriptions], name=alias.name, email=alias.email)
    gone = erase_user(user.pk)
    about = Gone(reference=gone.username, merchant_id=default_merchant().pk, mode=guest_mode())
    record_event(about, "account.erased", sequence=1, data={"erased": True})


def _leave_staff(user: User, request: Request) -> None:
    for membership in [*memberships_of(user), *invitations_of(user)]:
        take_off_staff(membership)
        action = "staff.left" if membership.accepted_at else "staff.declined"
        record(themselves(request), membership.merchant, action, membership.reference)
