"""`./run gateway-rules list | add | clear`: which gateway a merchant wants for which payments."""

from argparse import SUPPRESS, ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tillgate.gateways.registry import GATEWAYS
from tillgate.management.trail import recorded
from tillgate.management.whose import add_merchant_option, chosen_merchant
from tillgate.merchants.models import Merchant
from tillgate.merchants.services.rules import RuleError, add_rule, clear_rules, rules_of

OPTIONS = ("currency", "minimum", "maximum")


class Command(BaseCommand):
    help = "Pin, prefer or exclude a gateway, for all payments or by currency and amount."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_merchant_option(parser)
        verbs = parser.add_subparsers(dest="verb")
        add_merchant_option(verbs.add_parser("list", help="show the rules"), default=SUPPRESS)
        add_merchant_option(verbs.add_parser("clear", help="forget them all"), default=SUPPRESS)
        add = verbs.add_parser("add", help="set one more: add exclude paypal --currency USD --maximum 20")
        add.add_argument("action", choices=["pin", "prefer", "exclude"])
        add.add_argument("gateway", choices=sorted(GATEWAYS))
        add.add_argument("--currency", help="only payments in this currency, such as NGN")
        add.add_argument("--minimum", help="only from this amount, in major units of the currency")
        add.add_argument("--maximum", help="only up to this amount")
        add_merchant_option(add, default=SUPPRESS)  # Before the verb or after it: both are understood.

    def handle(self, *args: Any, verb: str | None, **options: Any) -> None:
        merchant = chosen_merchant(options["merchant"])
        if verb == "clear":
            with recorded("gateway-rules", merchant, "merchant.rules_cleared"):
                self.stdout.write(f"Rules cleared: {clear_rules(merchant)}.")
        elif verb == "add":
            self._add(merchant, options)
        else:
            rules = rules_of(merchant)
            self.stdout.write("\n".join(map(str, rules)) if rules else "No rules: every gateway may be used.")

    def _add(self, merchant: Merchant, options: dict[str, Any]) -> None:
        row = {name: options[name] for name in ("action", "gateway", *OPTIONS) if options[name] is not None}
        try:
            with recorded("gateway-rules", merchant, "merchant.rule_added", rule=row):
                self.stdout.write(f"From now on: {add_rule(merchant, row)}.")
        except RuleError as error:
            raise CommandError(str(error)) from None
