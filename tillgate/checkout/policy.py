"""Where the checkout's form may send the browser; the settings' policy forbids everything else."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings

from tillgate.gateways.protocol import GatewayAccount
from tillgate.gateways.registry import GATEWAYS


def form_targets(accounts: Iterable[GatewayAccount]) -> list[str]:
    """Return the sources for CSP's form-action: ourselves, and the pages of these gateways.

    Browsers apply form-action to the redirect that answers the form, too. A sandbox serves its pages
    where it serves its API.
    """
    targets = ["'self'"]
    for account in accounts:
        targets += GATEWAYS[account.gateway].page_origins
        if settings.IS_LOCAL:
            targets.append("{0.scheme}://{0.netloc}".format(urlsplit(account.base_url)))
    return targets
