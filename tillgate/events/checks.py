"""System checks of the webhook settings."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from tillgate.common.checks import dangerous
from tillgate.events.addresses import BadAddress, private_hosts, read_url
from tillgate.events.signing import is_secret

HOW_TO_MAKE_ONE = (
    "Set TILLGATE_WEBHOOK_SECRET (or TILLGATE_WEBHOOK_SECRET_FILE) to whsec_ and 24 to 64 random bytes in "
    "base64: echo whsec_$(openssl rand -base64 32)"
)


@register(Tags.security)
def check_webhooks(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Hold the endpoint of the settings, and what the operator has opened, against what they must be."""
    try:
        opened = private_hosts()
    except ValueError as error:
        hint = "Set it to host names and networks, by comma: erp.internal,10.0.5.0/24"
        return [Error(f"TILLGATE_WEBHOOK_PRIVATE_HOSTS: {error}.", hint=hint, id="tillgate.E040")]
    wide = [str(network) for network in opened.networks if network.prefixlen == 0]
    found: list[CheckMessage] = []
    if wide:
        hint = "Name the networks in which your own receivers are."
        message = f"TILLGATE_WEBHOOK_PRIVATE_HOSTS opens everything ({', '.join(wide)})."
        found += dangerous(message, hint, "tillgate.E041")
    return [*found, *_endpoint()]


def _endpoint() -> list[CheckMessage]:
    url, secret = settings.TILLGATE_WEBHOOK_URL, settings.TILLGATE_WEBHOOK_SECRET
    found: list[CheckMessage] = []
    if url:
        try:
            read_url(url)
        except BadAddress as error:
            hint = "Set an https URL, or name its host in TILLGATE_WEBHOOK_PRIVATE_HOSTS."
            found.append(Error(f"TILLGATE_WEBHOOK_URL: {error}", hint=hint, id="tillgate.E042"))
    if bool(url) != bool(secret):
        message = "TILLGATE_WEBHOOK_URL and TILLGATE_WEBHOOK_SECRET go together, and one is missing."
        found.append(Error(message, hint=HOW_TO_MAKE_ONE, id="tillgate.E043"))
    elif secret and not is_secret(secret):
        message = "TILLGATE_WEBHOOK_SECRET is no secret of 24 bytes or more."
        found.append(Error(message, hint=HOW_TO_MAKE_ONE, id="tillgate.E044"))
    return found
