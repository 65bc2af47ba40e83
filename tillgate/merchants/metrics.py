"""Figures of the gateways: for how many businesses each rests just now."""

from collections.abc import Iterator

from tillgate.common.metrics import Figure, figures
from tillgate.merchants.doctor import accounts_in_use
from tillgate.merchants.services.health import merchants_resting


@figures
def gateways() -> Iterator[Figure]:
    """Each gateway by which somebody here is paid."""
    samples: dict[tuple[str, ...], float] = dict.fromkeys(accounts_in_use(), 0)
    for mode in ("live", "test"):
        for gateway, merchants in merchants_resting(mode).items():
            samples[gateway, mode] = len(merchants)
    says = "Businesses for which a gateway rests, since it has failed several times in a row; 0 is well"
    yield Figure(name="gateway_resting", says=says, labels=("gateway", "mode"), samples=samples)
