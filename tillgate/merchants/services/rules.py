"""Which gateway a merchant wants for which payments: pin one, prefer one, exclude one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from tillgate.merchants.models import Merchant
from tillgate.money import Money, MoneyError, exponent_of

Action = Literal["pin", "prefer", "exclude"]
MOST_RULES = 50


class RuleError(ValueError):
    """A rule that cannot be followed; the message says what to write instead."""


class RuleRow(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """A rule as it is stored; amounts are major units of `currency`, as text."""

    action: Action
    gateway: str
    currency: str | None = None
    minimum: str | None = None
    maximum: str | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """For payments in `currency` from `minimum` to `maximum`, each of which may be missing."""

    action: Action
    gateway: str
    currency: str | None = None
    minimum: Money | None = None
    maximum: Money | None = None

    def matches(self, amount: Money) -> bool:
        """Say whether the rule is about payments of this amount."""
        if self.currency not in (None, amount.currency):
            return False
        return (self.minimum is None or self.minimum <= amount) and (
            self.maximum is None or amount <= self.maximum
        )

    def __str__(self) -> str:
        words: list[object] = [self.action, self.gateway]
        words += ["for", self.currency] if self.currency else []
        words += ["from", self.minimum.to_major] if self.minimum else []
        words += ["to", self.maximum.to_major] if self.maximum else []
        return " ".join(map(str, words))


def read_rule(row: Mapping[str, object]) -> Rule:
    """Read one stored rule. Raises RuleError for one that says nothing clear."""
    try:
        told = msgspec.convert(row, RuleRow)
        if told.currency is not None:
            exponent_of(told.currency)
        minimum, maximum = _bound(told, told.minimum), _bound(told, told.maximum)
    except (msgspec.ValidationError, MoneyError) as error:
        raise RuleError(str(error)) from None
    if minimum and maximum and maximum < minimum:
        raise RuleError(f"{maximum} is less than {minimum}: no amount is between them.")
    return Rule(
        action=told.action, gateway=told.gateway, currency=told.currency, minimum=minimum, maximum=maximum
    )


def rules_of(merchant: Merchant) -> tuple[Rule, ...]:
    """Return the merchant's rules in the order in which they were set."""
    return tuple(read_rule(row) for row in merchant.gateway_rules)


def add_rule(merchant: Merchant, row: Mapping[str, object]) -> Rule:
    """Set one more rule; one that is there already stays as it is. Raises RuleError."""
    rule = read_rule(row)
    if rule in rules_of(merchant):
        return rule
    if len(merchant.gateway_rules) >= MOST_RULES:
        raise RuleError(f"A merchant has at most {MOST_RULES} rules.")
    merchant.gateway_rules = [*merchant.gateway_rules, msgspec.to_builtins(msgspec.convert(row, RuleRow))]
    merchant.save(update_fields=["gateway_rules"])
    return rule


def clear_rules(merchant: Merchant) -> int:
    """Forget all rules; return how many there were."""
    cleared = len(merchant.gateway_rules)
    merchant.gateway_rules = []
    merchant.save(update_fields=["gateway_rules"])
    return cleared


def barrier(rules: Iterable[Rule], gateway: str, amount: Money) -> Rule | None:
    """Return the rule that keeps this amount from a gateway, None when it may be used."""
    about = [rule for rule in rules if rule.matches(amount)]
    for rule in about:
        if rule.action == "exclude" and rule.gateway == gateway:
            return rule
    pins = [rule for rule in about if rule.action == "pin"]
    return pins[0] if pins and all(rule.gateway != gateway for rule in pins) else None


def prefers(rules: Iterable[Rule], gateway: str, amount: Money) -> bool:
    """Say whether the merchant prefers a gateway for this amount."""
    return any(r.action == "prefer" and r.gateway == gateway and r.matches(amount) for r in rules)


def _bound(row: RuleRow, value: str | None) -> Money | None:
    if value is None:
        return None
    if row.currency is None:
        raise RuleError("An amount needs a currency.")
    return Money.from_major(value, row.currency)
