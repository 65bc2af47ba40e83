"""What owners are told by mail: that their software hears of nothing any more."""

from email.utils import parseaddr
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.template.loader import render_to_string

from tillgate.events.models import Endpoint
from tillgate.merchants.services.staff import owners_of

log = structlog.get_logger(__name__)


def send_disabled(endpoint_id: int) -> None:
    """Tell the owners that an endpoint was given up, unless it has been enabled or deleted since.

    Raises what the mail server's refusal is, so that the job is tried again.
    """
    endpoint = Endpoint.objects.select_related("merchant").get(pk=endpoint_id)
    if endpoint.enabled or endpoint.deleted_at is not None:
        return
    owners = owners_of(endpoint.merchant)
    addresses = [owner.confirmed_email or owner.email for owner in owners]
    if not any(addresses):
        log.error("nobody_to_tell", endpoint=endpoint.reference, merchant=endpoint.merchant.reference)
        return
    from django.core.mail import EmailMessage  # Megabytes, in processes that send no mail.

    words = {"endpoint": endpoint, "host": urlsplit(endpoint.url).hostname, "ended": Endpoint.Ended}
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    for address in filter(None, addresses):
        EmailMessage(
            subject=f"Your webhook endpoint at {words['host']} was switched off",
            body=render_to_string("events/disabled.txt", words),
            from_email=sender,
            to=[address],
            headers={
                "Message-ID": f"<endpoint.{endpoint.reference}.{endpoint.disabled_at:%Y%m%d%H%M%S}."
                f"{addresses.index(address)}@{sender.rpartition('@')[2]}>",
                "Auto-Submitted": "auto-generated",
            },
        ).send()
    log.info("owners_told", endpoint=endpoint.reference, owners=len(owners))
