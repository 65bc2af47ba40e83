"""System checks of the gateways' settings; what may be wrong with each, its adapter knows."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution

from tillgate.common.checks import LOOPBACK, dangerous
from tillgate.gateways.protocol import Problem
from tillgate.gateways.registry import GATEWAYS, accounts_from
from tillgate.merchants.services.fees import FeesError, fee_table
from tillgate.merchants.services.installation import former_secrets, gateway_settings


@register(Tags.security)
def check_gateways(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Hold the gateways' keys and addresses against what they must be."""
    return [
        *_problems(),
        *_addresses(),
        *_certificates(),
        *_former(),
        *_guessable_former(),
        *_no_key(),
        *_only_test_keys(),
        *_currency(),
        *_guest_mode(),
        *_fees(),
    ]


def _problems() -> list[CheckMessage]:
    problems = _problems_of(gateway_settings())
    return [Error(problem.message, hint=problem.hint, id="tillgate.E005") for problem in problems]


def _problems_of(values: Mapping[str, str]) -> list[Problem]:
    return [problem for adapter in GATEWAYS.values() for problem in adapter.problems_of(values)]


def _addresses() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name in (f"{gateway.upper()}_BASE_URL" for gateway in GATEWAYS):
        url = urlsplit(getattr(settings, name))
        if url.scheme != "https" or url.hostname in LOOPBACK:
            hint = f"Unset {name}: its default is the gateway's own host."
            message = f"{name} is not an https address of a gateway."
            found += dangerous(message, hint, "tillgate.E006", quiet=True)
    return found


def _certificates() -> list[CheckMessage]:
    if not settings.PAYPAL_CERTIFICATE_TRUST:
        return []
    hint = "Unset PAYPAL_CERTIFICATE_TRUST: it is for the sandbox's own certificates."
    message = "PAYPAL_CERTIFICATE_TRUST lets somebody else than PayPal sign events."
    return dangerous(message, hint, "tillgate.E013", quiet=True)


def _former() -> list[CheckMessage]:
    hint = "Unset it as soon as the gateway signs with the new one."
    return [
        Caution(f"{name}_PREVIOUS is set: events signed with it are accepted.", hint=hint, id="tillgate.W015")
        for name in former_secrets()
    ]


def _guessable_former() -> list[CheckMessage]:
    """A former secret opens the door as the present one does."""
    former = former_secrets()
    if not former:
        return []
    values = {**gateway_settings(), **former}
    present = {problem.message for problem in _problems_of(gateway_settings())}
    hint = "Unset it: whoever guesses it can forge events."
    return [
        Error(f"A former secret: {problem.message}", hint=hint, id="tillgate.E033")
        for problem in _problems_of(values)
        if problem.message not in present
    ]


def _only_test_keys() -> list[CheckMessage]:
    modes = {account.mode for account in accounts_from(gateway_settings())}
    if settings.IS_LOCAL or modes != {"test"}:
        return []
    hint = "Set a live key of a gateway, or TILLGATE_ENV=local."
    return [Caution("Only test keys are set: no payment here is real.", hint=hint, id="tillgate.W034")]


def _no_key() -> list[CheckMessage]:
    keys = [adapter.settings[0] for adapter in GATEWAYS.values()]
    if any(getattr(settings, key).strip() for key in keys):
        return []
    hint = f"Set {' or '.join(keys)}; without a gateway no payment can be created. What is stored by "
    hint += "`./run set-gateway-account` is not seen here."
    return [Caution("No gateway key is set.", hint=hint, id="tillgate.W004")]


def _currency() -> list[CheckMessage]:
    accounts = accounts_from(gateway_settings())
    taken = {code for account in accounts for code in GATEWAYS[account.gateway].currencies}
    if not taken or settings.TILLGATE_DEFAULT_CURRENCY in taken:
        return []
    hint = f"Set TILLGATE_DEFAULT_CURRENCY to one of {', '.join(sorted(taken))}, or send currency each time."
    message = f"No gateway here takes {settings.TILLGATE_DEFAULT_CURRENCY}, which payments are in by default."
    return [Caution(message, hint=hint, id="tillgate.W016")]


def _guest_mode() -> list[CheckMessage]:
    mode, accounts = settings.TILLGATE_GUEST_MODE, accounts_from(gateway_settings())
    asked = settings.TILLGATE_GUEST_CREATE == "on" and mode in ("test", "live")
    if not asked or not accounts or any(account.mode == mode for account in accounts):
        return []
    hint = f"Set a {mode} key of a gateway, or unset TILLGATE_GUEST_MODE."
    return dangerous(f"Guests pay in {mode} mode, and there is no {mode} key.", hint, "tillgate.E012")


def _fees() -> list[CheckMessage]:
    try:
        fee_table()
    except FeesError as error:
        message = f"The fee table {settings.TILLGATE_FEES_FILE} cannot be used: {error}."
        hint = "Correct the file, or unset TILLGATE_FEES_FILE to use the table that comes with the product."
        return [Error(message, hint=hint, id="tillgate.E014")]
    return []
