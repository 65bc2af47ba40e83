"""A customer's browser walks from the checkout to the gateway and back: real processes, a real browser."""

import json
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from launcher.environment import Installation, private_environment
from launcher.product import Product, free_ports
from tests.requires import skip_without

pytestmark = [pytest.mark.browser, pytest.mark.journey]

CHROMIUM = Path("/usr/bin/chromium")
ORDER = {"customer_name": "Adébọ́lá Okonkwo", "customer_email": "ada@example.com", "amount": 12500}
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
WATCH_POLICY = """
addEventListener("securitypolicyviolation", (event) =>
  console.error("CSP: " + event.violatedDirective + " " + event.blockedURI));
"""
# What the eye of a tester would do: contrast of every text with the nearest ground behind it.
CONTRASTS = """
() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const v = c[i] / 255;
    return sum + weight * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  }, 0);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const c = parts(getComputedStyle(node).backgroundColor);
      if (c[3] !== 0) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    const typed = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!typed || node.closest("noscript")) continue;
    const style = getComputedStyle(node), back = ground(node), opacity = Number(style.opacity);
    const ink = parts(style.color).slice(0, 3).map((v, i) => v * opacity + back[i] * (1 - opacity));
    const [a, b] = [light(ink), light(back)].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), node.textContent.trim()]);
  }
  return found;
}
"""


@dataclass
class Visit:
    """One browser window, and everything that went wrong or left a trace in it."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._close)
        self.page.on("request", lambda request: self.asked.add(request.url))
        self.page.set_default_timeout(15_000)

    def _hear(self, said: Any) -> None:
        if said.type == "error":
            self.complaints.append(said.text)

    def _close(self, dialog: Any) -> None:
        self.complaints.append(dialog.message)
        dialog.dismiss()

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button).click()

    def go_to_gateway(self, button: str = "Pay with Paystack") -> str:
        self.press(button)
        self.heading("Paystack checkout")
        return str(self.page.url)

    def heading(self, words: str) -> None:
        self.page.get_by_role("heading", name=words).wait_for()


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
    port, sandbox_port = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="tillgate-e2e-") as folder, tempfile.TemporaryFile() as output:
        installation = Installation(data_dir=Path(folder) / "var", port=port, sandbox_port=sandbox_port)
        shop = {"TILLGATE_RETURN_HOSTS": f"127.0.0.1:{sandbox_port}"}
        running = Product(installation, {**private_environment(), **shop}, output)
        try:
            running.start()
            yield installation
        finally:
            running.stop()


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


def order(product: Installation, **fields: Any) -> dict[str, Any]:
    body = json.dumps({**ORDER, **fields}).encode()
    request = urllib.request.Request(
        f"{product.url}/api/v1/payments", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return dict(json.load(answer)["payment"])


def pay_at_gateway(page_url: str) -> None:
    """Pay in another window than the one that is watched."""
    with urllib.request.urlopen(urllib.request.Request(page_url, b"outcome=success")):
        pass


def test_a_customer_pays_and_gets_a_receipt(product, visit):
    payment = order(product, description="Order 1042: three books")
    customer = visit()
    customer.page.goto(payment["checkout_url"])
    customer.go_to_gateway()
    customer.press("Pay by card")
    customer.heading("Payment received")

    assert payment["id"] in customer.page.content()
    assert customer.page.context.cookies() == []
    assert customer.complaints == []
    assert {url.split("/")[2] for url in customer.asked if url.startswith("http")} == {
        f"127.0.0.1:{product.port}",
        f"127.0.0.1:{product.sandbox_port}",
    }


def test_a_customer_without_javascript_pays_as_well(product, visit):
    customer = visit(java_script_enabled=False)
    customer.page.goto(order(product)["checkout_url"])
    customer.go_to_gateway()
    customer.press("Pay by card")
    customer.heading("Payment received")


def test_a_declined_customer_tries_again(product, visit):
    customer = visit()
    customer.page.goto(order(product)["checkout_url"])
    customer.go_to_gateway()
    customer.press("Have the card declined")
    customer.heading("The payment did not go through")
    customer.go_to_gateway()
    customer.press("Pay by card")
    customer.heading("Payment received")

    assert customer.complaints == []


def test_a_shop_with_a_return_address_gets_its_customer_back(product, visit):
    payment = order(product, return_url=f"{product.sandbox_url}/?order=7")
    customer = visit()
    customer.page.goto(payment["checkout_url"])
    customer.go_to_gateway()
    customer.press("Pay by card")
    customer.page.wait_for_url(f"{product.sandbox_url}/?order=7&payment={payment['id']}")

    assert customer.complaints == []


def test_a_page_left_open_hears_that_it_was_paid(product, visit):
    payment = order(product)
    customer, watcher = visit(), visit()
    customer.page.goto(payment["checkout_url"])
    at_gateway = customer.go_to_gateway()
    watcher.page.goto(payment["checkout_url"])
    watcher.heading("Continue your payment")
    pay_at_gateway(at_gateway)
    watcher.heading("Payment received")

    assert watcher.complaints == []


def test_going_back_from_the_gateway_finds_the_session_again(product, visit):
    customer = visit()
    customer.page.goto(order(product)["checkout_url"])
    at_gateway = customer.go_to_gateway()
    customer.page.go_back()

    assert customer.go_to_gateway("Continue with Paystack") == at_gateway
    assert customer.complaints == []


def test_typed_text_runs_nothing(product, visit):
    typed = "</title><script>alert(1)</script><img src=x onerror=alert(2)>"
    customer = visit()
    customer.page.goto(order(product, customer_name=typed, description=typed)["checkout_url"])
    customer.page.get_by_role("button", name="Pay with Paystack").wait_for()

    assert customer.page.get_by_text(typed).count() == 2
    assert customer.complaints == []


@pytest.mark.parametrize("viewport", [PHONE, DESK])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_can_be_pressed_and_read(product, visit, viewport, scheme):
    customer = visit(viewport=viewport, color_scheme=scheme)
    wide = order(product, amount="9999999999.99", description="W" * 500, customer_name="A" * 200)
    for url in (wide["checkout_url"], f"{product.url}/pay/nobody"):
        customer.page.goto(url)

        assert customer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for button in customer.page.get_by_role("button").all():
            assert button.bounding_box()["height"] >= 44
        assert [found for found in customer.page.evaluate(CONTRASTS) if found[0] < 4.5] == []


def test_the_keyboard_reaches_the_button_and_shows_where_it_is(product, visit):
    customer = visit()
    customer.page.goto(order(product)["checkout_url"])
    customer.page.keyboard.press("Tab")

    focused = customer.page.evaluate(
        "[document.activeElement.value, getComputedStyle(document.activeElement).outlineWidth]"
    )
    assert focused == ["paystack", "3px"]
