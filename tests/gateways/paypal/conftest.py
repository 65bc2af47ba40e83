"""What every test of PayPal's adapter begins with."""

import pytest

from tillgate.gateways import certificates, oauth


@pytest.fixture(autouse=True)
def _fresh_memory():
    """The tokens and certificates that a process keeps must not pass from one test to the next."""
    oauth._tokens.cache_clear()
    certificates._known.clear()
