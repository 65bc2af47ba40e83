"""Loaded by `-p tests.environment` before Django's settings: the environment that every test runs in.

Nothing of the developer's own installation is read: no real key, no real database, no `var/`.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

KEPT = ("TILLGATE_TEST_DATABASE", "TILLGATE_REQUIRE")
OURS = ("TILLGATE_", "PAYSTACK_", "FLUTTERWAVE_", "PAYPAL_", "SECRET_KEY", "DATABASE_URL", "ALLOWED_HOSTS")
PAYSTACK_TEST_KEY = "sk_test_not_a_real_key_0123456789abcdef"
FLUTTERWAVE_TEST_KEY = "FLWSECK_TEST-not-a-real-key-0123456789abcdef-X"
FLUTTERWAVE_TEST_HASH = "tests-only-hash-5f2c9e81"
PAYPAL_TEST_ID = "tests-only-client-id-0123456789"
PAYPAL_TEST_SECRET = "tests-only-client-secret-0123456789abcdef"
PAYPAL_TEST_WEBHOOK = "8PT597110X687430LTESTS"
# Another business's keys at Paystack, which knows nothing of the first one's payments.
PAYSTACK_OTHER_KEY, PAYSTACK_OTHER_NEXT_KEY = (
    "sk_test_of_another_business",
    "sk_test_of_another_business_next",
)
# What the emulators are started with; the product itself has a Paystack account only.
SANDBOX_ENVIRON = {
    "SANDBOX_PAYSTACK_SECRET_KEY": f"{PAYSTACK_TEST_KEY};{PAYSTACK_OTHER_KEY},{PAYSTACK_OTHER_NEXT_KEY}",
    "SANDBOX_FLUTTERWAVE_SECRET_KEY": FLUTTERWAVE_TEST_KEY,
    "SANDBOX_FLUTTERWAVE_WEBHOOK_HASH": FLUTTERWAVE_TEST_HASH,
    "SANDBOX_FLUTTERWAVE_REFUND_WEBHOOKS": "on",
    "SANDBOX_PAYPAL_CLIENT_ID": PAYPAL_TEST_ID,
    "SANDBOX_PAYPAL_CLIENT_SECRET": PAYPAL_TEST_SECRET,
    "SANDBOX_PAYPAL_WEBHOOK_ID": PAYPAL_TEST_WEBHOOK,
}

DATA_DIR = Path(tempfile.mkdtemp(prefix="tillgate-tests-"))


def _set_environment() -> None:
    for name in [name for name in os.environ if name.startswith(OURS) and name not in KEPT]:
        del os.environ[name]
    os.environ.update(
        TILLGATE_ENV="local",
        TILLGATE_DATA_DIR=str(DATA_DIR),
        SECRET_KEY="tests-only-" + "0123456789" * 5,
        TILLGATE_JWT_KEY="tests-only-jwt-" + "0123456789" * 5,
        PAYSTACK_SECRET_KEY=PAYSTACK_TEST_KEY,
        TILLGATE_ENCRYPTION_KEYS="dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    )
    if database := os.environ.get("TILLGATE_TEST_DATABASE"):
        os.environ["DATABASE_URL"] = database


def pytest_configure() -> None:
    """Give SQLite a file for its test database: threads of one test share it, with the real locking."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database.setdefault("TEST", {})["NAME"] = str(DATA_DIR / "test.sqlite3")


def pytest_report_header() -> str:
    """Say which database this run is on."""
    from django.conf import settings

    return f"database: {settings.DATABASES['default']['ENGINE'].rpartition('.')[2]}"


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Remove this process's data directory."""
    shutil.rmtree(DATA_DIR, ignore_errors=True)


_set_environment()
