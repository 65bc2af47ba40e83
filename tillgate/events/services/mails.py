"""What owners are told by mail: that their software hears of nothing any more."""

from urllib.parse import urlsplit

from tillgate.events.models import Endpoint
from tillgate.merchants.services.owner_mails import OwnersMail, mail_owners


def send_disabled(endpoint_id: int) -> None:
    """Tell the owners that an endpoint was given up, unless it has been enabled or deleted since.

    Raises what the mail server's refusal is, so that the job is tried again.
    """
    endpoint = Endpoint.objects.select_related("merchant").get(pk=endpoint_id)
    if endpoint.enabled or endpoint.deleted_at is not None:
        return
    mail = OwnersMail(
        name="endpoint_disabled",
        subject="Your webhook endpoint at {host} was switched off",
        body="events/disabled.txt",
        words={"endpoint": endpoint, "host": urlsplit(endpoint.url).hostname, "ended": Endpoint.Ended},
        news=(endpoint.reference, str(endpoint.disabled_at)),
    )
    mail_owners(endpoint.merchant, mail)
