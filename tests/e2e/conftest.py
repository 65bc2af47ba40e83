"""One browser and one private product for the journeys of a module."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from launcher.environment import Installation
from launcher.product import free_ports
from tests.e2e.journey import PHONE, Shop, Visit
from tests.products import product_in
from tests.requires import skip_without

CHROMIUM = Path("/usr/bin/chromium")
WATCH_POLICY = """
addEventListener("securitypolicyviolation", (event) =>
  console.error("CSP: " + event.violatedDirective + " " + event.blockedURI));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (requirements/e2e.lock)"
    )
    if not CHROMIUM.exists():
        skip_without("browser", f"{CHROMIUM} is not there; on Debian: apt install chromium")
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def product(browser: Any) -> Iterator[Installation]:
    ports = free_ports(2)
    with (
        tempfile.TemporaryDirectory(prefix="tillgate-e2e-") as folder,
        product_in(Path(folder), ports=ports, TILLGATE_RETURN_HOSTS=f"127.0.0.1:{ports[1]}") as running,
    ):
        yield running.installation


@pytest.fixture
def shop(product: Installation) -> Iterator[Shop]:
    shop = Shop(product)
    yield shop
    shop.heal()
    shop.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    contexts = []

    def open_window(**options: Any) -> Visit:
        context = browser.new_context(**{"viewport": PHONE, **options})
        contexts.append(context)
        if options.get("java_script_enabled", True):
            context.add_init_script(WATCH_POLICY)
        return Visit(context.new_page())

    yield open_window
    for context in contexts:
        context.close()
