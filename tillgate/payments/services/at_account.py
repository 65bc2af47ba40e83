"""What payments still have to ask a merchant's gateway account about, and that no other is asked instead."""

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Q

from tillgate.common import clock
from tillgate.common.crypto import CannotDecrypt
from tillgate.gateways.registry import GATEWAYS
from tillgate.merchants.errors import AccountInUse
from tillgate.merchants.models import Merchant, StoredAccount
from tillgate.merchants.services.accounts import is_used
from tillgate.merchants.services.own_accounts import Secrets, secrets_of
from tillgate.merchants.services.stored_accounts import replace_secrets
from tillgate.payments.models import Attempt, Dispute, Refund
from tillgate.payments.services.sync import WAIT_AFTER_EXPIRY
from tillgate.payments.states import ASKED_ATTEMPTS, OPEN_ATTEMPTS, OPEN_DISPUTES, OPEN_REFUNDS, PaymentStatus


def money_at(merchant: Merchant, gateway: str, mode: str) -> Iterator[str]:
    """Yield in words what is on its way by an account: nothing where no money is lost sight of without it."""
    own = {"payment__merchant": merchant, "payment__mode": mode}
    attempts = Attempt.objects.filter(gateway=gateway, **own)
    may_pay = Q(payment__expires_at__gt=clock.now() - WAIT_AFTER_EXPIRY) & ~Q(redirect_url="")
    asked = Q(status__in=OPEN_ATTEMPTS) | (Q(status__in=ASKED_ATTEMPTS) & may_pay)
    at_gateway = {"attempt__gateway": gateway, **own}
    counts = {
        "open tries to pay": attempts.filter(asked),
        "payments in review": attempts.filter(status="succeeded", payment__status=PaymentStatus.REVIEW),
        "refunds on their way": Refund.objects.filter(status__in=OPEN_REFUNDS, **at_gateway),
        "open disputes": Dispute.objects.filter(status__in=OPEN_DISPUTES, **at_gateway),
    }
    for what, rows in counts.items():
        if count := rows.count():
            yield f"{count} {what}"


@transaction.atomic
def give_other_secrets(account: StoredAccount, secrets: Secrets, *, same_account: bool) -> StoredAccount:
    """Replace an account's secrets, by those of the same account while money is on its way by it.

    Whoever calls says that it is the `same_account`, where the secrets do not tell. An attempt that is
    opened in this very moment is not seen. Raises as `replace_secrets`, and AccountInUse.
    """
    on_its_way = money_at(account.merchant, account.gateway, account.mode) if is_used(account) else ()
    needed_for, former = ", ".join(on_its_way), _readable(account)
    row = replace_secrets(account.pk, secrets)  # What is no account is refused first; all is undone below.
    if needed_for:
        _require_same(row, former, same_account=same_account, needed_for=needed_for)
    return row


def _require_same(row: StoredAccount, former: Secrets, *, same_account: bool, needed_for: str) -> None:
    identity, now = GATEWAYS[row.gateway].identity, secrets_of(row)
    if now == former:
        return
    if identity and identity in former:
        if now[identity] != former[identity]:
            raise AccountInUse(
                f"This {identity} is another account's, and {row.reference} is still needed for "
                f"{needed_for}. Wait for their end, or send the secrets of the same account."
            )
    elif not same_account:
        raise AccountInUse(
            f"{row.reference} is still needed for {needed_for}, and another account knows nothing of them. "
            "Say that it is the same_account only if the new secret is of the same account at the gateway; "
            "else wait for their end."
        )


def _readable(account: StoredAccount) -> Secrets:
    try:
        return secrets_of(account)
    except CannotDecrypt:
        return {}
