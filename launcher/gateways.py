"""The emulated gateways as `./run` sets them up: what product and sandbox share, and where each is."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from launcher.secret_files import secret_file

GATEWAYS = ("paystack", "flutterwave", "paypal")


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A secret that the product has under `setting` and the sandbox under `SANDBOX_<setting>`."""

    setting: str
    file: str
    make: Callable[[], str]


SHARED = (
    Shared(
        setting="PAYSTACK_SECRET_KEY",
        file="paystack_sandbox_key",
        make=lambda: f"sk_test_sandbox{secrets.token_hex(16)}",
    ),
    Shared(
        setting="FLUTTERWAVE_SECRET_KEY",
        file="flutterwave_sandbox_key",
        make=lambda: f"FLWSECK_TEST-{secrets.token_hex(16)}-X",
    ),
    Shared(
        setting="FLUTTERWAVE_WEBHOOK_HASH",
        file="flutterwave_sandbox_hash",
        make=lambda: secrets.token_urlsafe(32),
    ),
    Shared(
        setting="PAYPAL_CLIENT_ID",
        file="paypal_sandbox_client_id",
        make=lambda: f"sandbox-{secrets.token_hex(16)}",
    ),
    Shared(
        setting="PAYPAL_CLIENT_SECRET",
        file="paypal_sandbox_client_secret",
        make=lambda: secrets.token_urlsafe(40),
    ),
    Shared(
        setting="PAYPAL_WEBHOOK_ID",
        file="paypal_sandbox_webhook_id",
        make=lambda: secrets.token_hex(9).upper()[:17],
    ),
)
# A key of any real gateway means that the sandbox stands in for none.
GATEWAY_KEYS = ("PAYSTACK_SECRET_KEY", "FLUTTERWAVE_SECRET_KEY", "PAYPAL_CLIENT_ID", "PAYPAL_CLIENT_SECRET")


def product_side(data_dir: Path, sandbox_url: str) -> Iterator[tuple[str, str]]:
    """Yield what the product's processes need to find the sandbox in the gateways' place."""
    for shared in SHARED:
        yield f"{shared.setting}_FILE", str(_file_of(shared, data_dir))
    for gateway in GATEWAYS:
        yield f"{gateway.upper()}_BASE_URL", f"{sandbox_url}/{gateway}"
    # PayPal signs with certificates; the sandbox's come from an authority of its own.
    yield "PAYPAL_CERTIFICATE_TRUST", f"{sandbox_url} {sandbox_folder(data_dir) / 'paypal-ca.pem'}"


def sandbox_side(data_dir: Path, product_url: str) -> Iterator[tuple[str, str]]:
    """Yield what the sandbox needs: the same secrets, and where its webhooks go."""
    for shared in SHARED:
        yield f"SANDBOX_{shared.setting}", _file_of(shared, data_dir).read_text(encoding="ascii")
    for gateway in GATEWAYS:
        yield f"SANDBOX_{gateway.upper()}_WEBHOOK_URL", f"{product_url}/api/v1/webhooks/{gateway}"


def sandbox_folder(data_dir: Path) -> Path:
    """Return where the sandbox keeps its state."""
    return data_dir / "sandbox"


def _file_of(shared: Shared, data_dir: Path) -> Path:
    return secret_file(data_dir / shared.file, shared.make())
