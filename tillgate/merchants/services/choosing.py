"""Which gateways can take a payment, and which of them to try first. No gateway is called here."""

from dataclasses import dataclass

from tillgate.gateways.protocol import GatewayAccount
from tillgate.gateways.registry import GATEWAYS
from tillgate.merchants.errors import NoGateway
from tillgate.merchants.models import Merchant
from tillgate.merchants.services.accounts import accounts_for, usable_for
from tillgate.merchants.services.fees import estimate_fee
from tillgate.merchants.services.health import resting
from tillgate.merchants.services.rules import Rule, barrier, prefers, rules_of
from tillgate.money import Money


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A gateway that can take a payment. `fee` is an estimate, None where the fee table does not say."""

    account: GatewayAccount
    healthy: bool
    fee: Money | None

    @property
    def gateway(self) -> str:
        """Its name."""
        return self.account.gateway


def choose(merchant: Merchant, mode: str, amount: Money, *, only: str | None = None) -> tuple[Choice, ...]:
    """Return the gateways that can take `amount`, in the order in which they are to be tried.

    Healthy ones first, then those that the merchant prefers, then by what they would keep, then as the
    registry has them. `only` is the gateway that the payment is pinned to. At most one query, and none
    where there is nothing to put into an order. Raises NoGateway, which says what would work.
    """
    accounts = usable_accounts(merchant, mode, amount, only=only)
    if not accounts:
        raise no_gateway(merchant, mode, amount, only=only)
    ill = resting(merchant.pk, mode) if len(accounts) > 1 else frozenset()
    choices = [
        Choice(
            account=account,
            healthy=account.gateway not in ill,
            fee=estimate_fee(account.gateway, amount, merchant.country),
        )
        for account in accounts
    ]
    rules = rules_of(merchant)
    return tuple(sorted(choices, key=lambda choice: _rank(choice, rules, amount)))


def usable_accounts(
    merchant: Merchant, mode: str, amount: Money, *, only: str | None = None
) -> tuple[GatewayAccount, ...]:
    """Return the accounts that can take `amount` and that the merchant's rules allow, in no order of worth.

    No query.
    """
    rules = rules_of(merchant)
    takers = usable_for(amount, accounts_for(merchant, mode))
    return tuple(
        account
        for account in takers
        if only in (None, account.gateway) and barrier(rules, account.gateway, amount) is None
    )


def no_gateway(merchant: Merchant, mode: str, amount: Money, *, only: str | None = None) -> NoGateway:
    """Return why no gateway, or not the one that is named, can take `amount`, and what would work."""
    accounts = tuple(a for a in accounts_for(merchant, mode) if only in (None, a.gateway))
    takers = usable_for(amount, accounts)
    if not accounts:
        return NoGateway(_no_account(merchant, mode, only))
    if not takers:
        return NoGateway(_not_taken(accounts, amount, only))
    rule = barrier(rules_of(merchant), takers[0].gateway, amount)
    return NoGateway(
        f"The merchant's rule “{rule}” keeps {amount} from {only or 'every gateway that could take it'}."
    )


def _rank(choice: Choice, rules: tuple[Rule, ...], amount: Money) -> tuple[bool, bool, bool, int]:
    # Sorting keeps the registry's order among equals.
    return (
        not choice.healthy,
        not prefers(rules, choice.gateway, amount),
        choice.fee is None,
        choice.fee.minor if choice.fee else 0,
    )


def _no_account(merchant: Merchant, mode: str, gateway: str | None) -> str:
    where = f"at {gateway}" if gateway else "at any gateway"
    return f"{merchant.name} has no {mode} account {where}. Set its key, or choose another gateway."


def _not_taken(accounts: tuple[GatewayAccount, ...], amount: Money, gateway: str | None) -> str:
    currencies = sorted({code for account in accounts for code in GATEWAYS[account.gateway].currencies})
    what = str(amount) if amount.currency in currencies else amount.currency
    taken = ", ".join(currencies)
    if gateway:
        return f"{gateway} cannot take {what}. It takes {taken}. GET /api/v1/gateways lists what can be used."
    return f"No gateway here can take {what}. What can be paid in: {taken}. Send one as currency."
