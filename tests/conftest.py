"""What every test may ask for. The outside comes in three rings: bodies, a fake gateway, the sandbox."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sandbox import server as sandbox_server
from sandbox.paypal import authority
from tests.builders import make_attempt, make_merchant, make_payment
from tests.environment import SANDBOX_ENVIRON
from tests.fakes import FakeGateway, Script
from tests.several import TimedScript, put_in_place
from tests.throttling import StoppedClock
from tillgate.common import clock, restoration, throttles
from tillgate.events.services.listeners import forget_listeners, listeners_to
from tillgate.gateways import registry
from tillgate.merchants.models import ApiKey, Merchant
from tillgate.merchants.services.keys import create_api_key
from tillgate.merchants.services.merchants import ensure_default_merchant, forget_default_merchant
from tillgate.merchants.services.own_accounts import forget_own_accounts, own_accounts
from tillgate.payments.models import Attempt, Payment

# The contract that adapters' tests apply; told here, before any test that borrows from them is loaded.
pytest.register_assert_rewrite(
    *(f"tests.gateways.contract{part}" for part in ("", "_abilities", "_faults", "_saved"))
)
APPEND_ONLY = ("events_event", "ledger_entry", "merchants_auditentry")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the journeys, the longest tests by far, so that no process still has one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("journey") is None)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """On SQLite a test with real transactions ends in DELETEs, which append-only tables refuse.

    So those two triggers go, here only; `tests/common/test_append_only.py` puts them back and tries them.
    """
    if connection.vendor == "sqlite":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            for table in APPEND_ONLY:
                cursor.execute(f"DROP TRIGGER {table}_no_delete")


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """What a process remembers between requests must not pass from one test to the next."""
    forget_default_merchant()
    forget_own_accounts()
    throttles.forget_all()
    clock.forget()
    restoration.forget()
    forget_listeners()
    yield
    clock.forget()


@pytest.fixture(autouse=True)
def no_http_in_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """In no test of the suite is HTTP spoken while a transaction is open, but for the test's own."""
    send = httpx2.HTTPTransport.handle_request

    def guarded(transport: httpx2.HTTPTransport, request: httpx2.Request) -> httpx2.Response:
        for block in connection.atomic_blocks:
            assert block._from_testcase, f"{request.url} is called in a transaction"  # type: ignore[attr-defined]
        return send(transport, request)

    monkeypatch.setattr(httpx2.HTTPTransport, "handle_request", guarded)


@pytest.fixture
def merchant(db: None) -> Merchant:
    own_accounts()  # What a process reads once every few seconds is no statement of a test.
    return ensure_default_merchant(name="My shop")


@pytest.fixture
def other_merchant(merchant: Merchant) -> Merchant:
    return make_merchant(name="Another shop")


@pytest.fixture
def key(merchant: Merchant) -> str:
    secret = create_api_key(merchant, "test")
    # One in use: its first use in five minutes costs a statement more.
    ApiKey.objects.filter(merchant=merchant).update(last_used_at=clock.now())
    return secret


@pytest.fixture
def other_key(other_merchant: Merchant) -> str:
    return create_api_key(other_merchant, "test")


@pytest.fixture
def payment(merchant: Merchant) -> Payment:
    return make_payment(merchant)


@pytest.fixture
def attempt(payment: Payment) -> Attempt:
    return make_attempt(payment)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Script:
    """The script of a fake Paystack, which takes the real one's place."""
    script = Script()
    monkeypatch.setitem(registry.GATEWAYS, "paystack", type("Fake", (FakeGateway,), {"script": script}))
    return script


@pytest.fixture
def gateways(monkeypatch: pytest.MonkeyPatch) -> dict[str, TimedScript]:
    """The scripts of three fake gateways, which are all that there are."""
    return put_in_place(monkeypatch)


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch, settings: Any) -> StoppedClock:
    """Let the throttles of one process count as if no time passed."""
    settings.TILLGATE_WEB_PROCESSES = 1
    settings.TILLGATE_TRUSTED_PROXIES = 0
    still = StoppedClock()
    monkeypatch.setattr(throttles, "time", still)
    return still


@pytest.fixture
def statements(db: None) -> Callable[[], Any]:
    """Gather the statements of a block, without the marks of transactions and what a process reads every few
    seconds: the clock's offset, and who subscribes to events."""

    @contextmanager
    def gather() -> Iterator[list[str]]:
        clock.now()
        listeners_to(0, "test", "")
        told: list[str] = []
        with CaptureQueriesContext(connection) as captured:
            yield told
        told += [
            q["sql"] for q in captured if q["sql"].split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE")
        ]

    return gather


@pytest.fixture(scope="session")
def paypal_authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys of the emulated PayPal's certificates; they take a while to make, so all tests share them."""
    folder = tmp_path_factory.mktemp("paypal-authority")
    authority.ensure(folder)
    return folder


@pytest.fixture
def sandbox(tmp_path: Any, settings: Any, paypal_authority: Path) -> Iterator[Any]:
    """The emulators over real HTTP, with the product's addresses of the gateways at them and no webhooks."""
    shutil.copytree(paypal_authority, tmp_path / "sandbox")
    running = sandbox_server.start(data_dir=tmp_path / "sandbox", port=0, environ=SANDBOX_ENVIRON)
    settings.PAYSTACK_BASE_URL = f"{running.url}/paystack"
    settings.FLUTTERWAVE_BASE_URL = f"{running.url}/flutterwave"
    settings.PAYPAL_BASE_URL = f"{running.url}/paypal"
    yield running
    running.stop()
