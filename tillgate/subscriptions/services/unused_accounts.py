"""Take a merchant's gateway account away, once nothing is collected by it any more."""

from collections.abc import Iterator

from django.db import transaction

from tillgate.merchants.errors import AccountInUse
from tillgate.merchants.models import StoredAccount
from tillgate.merchants.services.accounts import is_used
from tillgate.merchants.services.stored_accounts import remove_account
from tillgate.payments.services.at_account import money_at
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.states import LIVE, Collection


@transaction.atomic
def remove_unused_account(account: StoredAccount) -> None:
    """Remove an account. Raises AccountInUse, which says what of it is still on its way or to come.

    Settled payments keep none: but to refund one, or to see that it is contested, takes the account again.
    No lock keeps an attempt from being opened in this very moment, by a process that read the account up to
    five seconds ago: it is seen to once the account is stored again. A repeat changes nothing.
    """
    rows = StoredAccount.objects.select_for_update(of=("self",)).select_related("merchant")
    locked = rows.filter(pk=account.pk).first()
    if locked is None:
        return  # Removed meanwhile.
    account = locked
    if is_used(account) and (needed_for := ", ".join(_needs(account))):
        raise AccountInUse(
            f"{account.reference} is still needed for {needed_for}. Wait for their end, or give it other "
            "secrets of the same account at the gateway instead."
        )
    remove_account(account.pk)


def _needs(account: StoredAccount) -> Iterator[str]:
    yield from money_at(account.merchant, account.gateway, account.mode)
    live = Subscription.objects.for_merchant(account.merchant, account.mode).filter(status__in=LIVE)
    charged = live.filter(payment_method__gateway=account.gateway, collection=Collection.CHARGE)
    if count := charged.count():
        yield f"{count} subscriptions"
