"""`./run import-subscriptions paystack|flutterwave`: what a gateway collects by plans of its own."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tillgate.common.errors import PayError
from tillgate.gateways.errors import GatewayError
from tillgate.management.whose import add_merchant_option, chosen_merchant
from tillgate.merchants.services.accounts import guest_mode
from tillgate.subscriptions.services.importing import Candidate, Source, candidates, take_over
from tillgate.subscriptions.states import Collection
from tillgate.subscriptions.words import day, rhythm


class Command(BaseCommand):
    help = "List the subscriptions that a gateway collects itself, or take them over."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("gateway", choices=["paystack", "flutterwave"])
        parser.add_argument("--mode", choices=["test", "live"], help="default: the mode of guests")
        add_merchant_option(parser)
        wanted = parser.add_mutually_exclusive_group()
        wanted.add_argument("--take-over", nargs="+", default=[], metavar="ID", help="the gateway's ids")
        wanted.add_argument("--all", action="store_true", help="take over all that can be")

    def handle(self, *args: Any, gateway: str, take_over: list[str], **options: Any) -> None:
        merchant, mode = chosen_merchant(options["merchant"]), options["mode"] or guest_mode()
        source = Source(merchant=merchant, mode=mode, gateway=gateway)
        if take_over:
            self._take_over(source, take_over)
            return
        try:
            found = candidates(source)
        except (PayError, GatewayError) as error:
            raise CommandError(f"{gateway} tells no subscriptions: {error}") from error
        if options["all"]:
            self._take_over(source, [one.plan.gateway_id for one in found if _can_be(one)])
        else:
            self._list(source, found)

    def _list(self, source: Source, found: list[Candidate]) -> None:
        for candidate in found:
            self.stdout.write("\n".join(_described(source, candidate)))
        able = sum(map(_can_be, found))
        self.stdout.write(
            f"{len(found)} at {source.gateway} ({source.mode}), {able} to be taken over. "
            "Nothing was changed; --take-over ID… or --all does that."
        )

    def _take_over(self, source: Source, gateway_ids: list[str]) -> None:
        failed = 0
        for gateway_id in gateway_ids:
            try:
                ours = take_over(source, gateway_id)
            except (PayError, GatewayError) as error:
                failed += 1
                self.stderr.write(f"{gateway_id}: {error}")
                continue
            following = f", next on {day(ours.next_opens_at, ours.zone)}" if ours.next_opens_at else ""
            self.stdout.write(f"{gateway_id} is {ours.reference} now, {ours.status}{following}.")
        if failed:
            total = len(gateway_ids)
            raise CommandError(f"{failed} of {total} were not taken over; a repeat goes on with them.")


def _can_be(candidate: Candidate) -> bool:
    return candidate.is_unfinished if candidate.ours else not candidate.problem


def _described(source: Source, candidate: Candidate) -> Iterator[str]:
    plan = candidate.plan
    often = rhythm(plan.interval, plan.interval_count) if plan.interval else plan.words or "?"
    following = day(candidate.starts_at, source.merchant.zone) if candidate.starts_at else "not told"
    card = plan.saved_method
    method = f"{card.brand or card.kind} {card.last4}".strip() if card else "none told"
    who = f"{plan.customer_name} <{plan.customer_email}>" if plan.customer_name else plan.customer_email
    yield f"{plan.gateway_id}  {who}"
    yield f"    {plan.amount or '?'} {often}, next date: {following}, method: {method}, {plan.status}"
    yield f"    {_what_it_would_do(candidate, following)}"


def _what_it_would_do(candidate: Candidate, following: str) -> str:
    if candidate.ours is not None:
        state = f"it was taken over as {candidate.ours.reference}, {candidate.ours.status}"
        return f"{state}: not finished, take it over again" if candidate.is_unfinished else state
    if candidate.problem:
        return f"cannot be taken over: {candidate.problem}"
    if candidate.collection == Collection.CHARGE:
        return f"would be charged here from {following} on, and stopped there"
    return f"would be asked for by a payment link (send_link) for {following} and later, and stopped there"
