"""What the journeys share: a window that is watched, and the shop and the sandbox beside it."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from launcher.environment import ROOT, Installation, private_environment, product_environment
from tests.builders import PASSWORD
from tests.loopback import NO_TLS

ORDER = {"customer_name": "Adébọ́lá Okonkwo", "customer_email": "ada@example.com", "amount": 12500}
AMOUNT_MINOR = 1_250_000
PATIENCE_S = 20.0
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
# How a page is looked at; the other two ways every night.
LOOKS = pytest.mark.parametrize(
    ("viewport", "scheme"),
    [
        pytest.param(PHONE, "light", id="light-phone"),
        pytest.param(DESK, "dark", id="dark-desk"),
        pytest.param(DESK, "light", id="light-desk", marks=pytest.mark.long),
        pytest.param(PHONE, "dark", id="dark-phone", marks=pytest.mark.long),
    ],
)
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


STOP_LINK = re.compile(r'(http[^\s"<>]+/subscription/\w+)/stop')


@dataclass(frozen=True, kw_only=True)
class Way:
    """A gateway as its customer meets it: the words on its buttons, and on the receipt."""

    gateway: str
    title: str
    currency: str
    agree: str
    decline: str
    wait: str
    leave: str
    receipt: str

    def __str__(self) -> str:
        return self.gateway


PAYSTACK = Way(
    gateway="paystack",
    title="Paystack",
    currency="NGN",
    agree="Pay by card",
    decline="Have the card declined",
    wait="Pay by slow bank transfer",
    leave="Leave without paying",
    receipt="Paystack, card",
)
FLUTTERWAVE = Way(
    gateway="flutterwave",
    title="Flutterwave",
    currency="NGN",
    agree="Pay by card",
    decline="Have the card declined",
    wait="Pay by slow bank transfer",
    leave="Leave without paying",
    receipt="Flutterwave, card",
)
PAYPAL = Way(
    gateway="paypal",
    title="PayPal",
    currency="USD",
    agree="Approve",
    decline="Approve with a card that will be declined",
    wait="Approve; the capture will be pending",
    leave="Cancel and go back",
    receipt="PayPal",
)
WAYS = (PAYSTACK, FLUTTERWAVE, PAYPAL)


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

    def press(self, button: str, *, exact: bool = False) -> None:
        self.page.get_by_role("button", name=button, exact=exact).click()

    def go_to_gateway(self, way: Way = PAYSTACK, *, verb: str = "Pay") -> str:
        """Press the gateway's button on the checkout page; return the address of the gateway's page."""
        self.press(f"{verb} with {way.title}")
        self.heading(f"{way.title} checkout")
        return str(self.page.url)

    def choose(self, button: str) -> str:
        """Press a button of the gateway's page; return the reference that the page shows."""
        reference = str(self.page.locator("code").first.inner_text())
        self.press(button, exact=True)
        return reference

    def tick(self) -> None:
        """Agree to be charged again."""
        self.page.get_by_role("checkbox").check()

    def follow(self, link: str) -> None:
        self.page.get_by_role("link", name=link, exact=True).click()

    @property
    def method_on_receipt(self) -> str:
        row = self.page.locator(".receipt div", has_text="Paid with")
        return str(row.locator("dd").inner_text())

    @property
    def buttons(self) -> list[str]:
        """The names of the ways to pay, in the order of the page."""
        return list(self.page.locator(".way-name").all_inner_texts())

    def heading(self, words: str) -> None:
        self.page.get_by_role("heading", name=words).wait_for()


class Shop:
    """The shop's server, and whoever looks into the sandbox's books."""

    def __init__(self, product: Installation) -> None:
        self._product = product
        self._struck: set[Way] = set()
        self._api, self._sandbox = (
            httpx2.Client(base_url=url, trust_env=False, timeout=PATIENCE_S, verify=NO_TLS)
            for url in (f"{product.url}/api/v1/", product.sandbox_url)
        )

    def close(self) -> None:
        self._api.close()
        self._sandbox.close()

    def take_key(self) -> None:
        """From here on the shop's requests carry a secret key."""
        self._api.headers["Authorization"] = f"Bearer {self._manage('create_key')}"

    def _manage(self, *command: str) -> str:
        env = product_environment(self._product, private_environment())
        line = [sys.executable, "manage.py", *command]
        return subprocess.run(
            line, cwd=ROOT, env=env, check=True, capture_output=True, text=True
        ).stdout.strip()

    def sign_up(self, username: str) -> None:
        """Make somebody an account; the password of all is PASSWORD."""
        form = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
        _read(self._api.post(f"{self._product.url}/auth/users/", json=form))

    def put_on_staff(self, username: str, role: str) -> None:
        """Let somebody with an account work for the shop."""
        self._manage("add_staff", username, "--role", role)

    def order(self, **fields: Any) -> dict[str, Any]:
        """Create a payment."""
        return dict(self.post("payments", {**ORDER, **fields})["payment"])

    def dress(self, **brand: Any) -> None:
        """Change the shop's name, colour and the like."""
        _read(self._api.patch("merchant", json=brand))

    def payment(self, payment_id: str) -> dict[str, Any]:
        return dict(_read(self._api.get(f"payments/{payment_id}"))["payment"])

    def payments(self) -> list[str]:
        """The ids of the newest payments."""
        return [payment["id"] for payment in _read(self._api.get("payments"))["payments"]]

    def subscribe(self, **fields: Any) -> dict[str, Any]:
        """Create a payment that is the first of twelve."""
        return self.order(recurring={"interval": "monthly", "cycles": 12}, **fields)

    def subscription(self, payment: dict[str, Any]) -> dict[str, Any]:
        """The recurring payment that a payment belongs to, with the statuses of its payments."""
        path = f"subscriptions/{payment['subscription']}"
        payments = _read(self._api.get(f"{path}/payments"))["payments"]
        told = _read(self._api.get(path))["subscription"]
        return {**told, "payments": [payment["status"] for payment in payments]}

    def pass_days(self, days: int) -> None:
        """Let time pass for the product and the gateways alike."""
        self.pass_time(days * 86_400)
        self._manage("advance_clock", str(days * 86_400))

    def timeline(self, payment: dict[str, Any]) -> list[str]:
        """The kinds of what has happened to a payment, the oldest first."""
        told = _read(self._api.get(f"payments/{payment['id']}/timeline"))
        return [event["type"] for event in told["events"]]

    def post(self, path: str, body: Any) -> dict[str, Any]:
        return _read(self._api.post(path, json=body))

    def pay_at_gateway(self, page_url: str) -> None:
        """Pay in another window than the one that is watched."""
        assert self._sandbox.post(page_url, data={"outcome": "success"}).status_code == 303

    def bad_luck(self, way: Way, operation: str, fault: str) -> None:
        """Let every such call at a gateway suffer this, until `heal`."""
        self._struck.add(way)
        plan = {"match": f"{way.gateway}.{operation}", "fault": fault, "times": 0}
        _read(self._sandbox.post("/control/faults", json={"faults": [plan]}))

    def hits(self) -> int:
        """How many calls have suffered since `bad_luck`."""
        return sum(fault["hits"] for fault in _read(self._sandbox.get("/control/faults"))["faults"])

    def heal(self) -> None:
        """End the bad luck, and let the product see it: it leaves a gateway alone that failed too often."""
        _read(self._sandbox.delete("/control/faults"))
        for way in self._struck:
            payment = self.order(currency=way.currency)
            self.post(f"payments/{payment['id']}/attempts", {"gateway": way.gateway})
        self._struck.clear()

    def settle(self, way: Way, reference: str) -> None:
        """Let money that is on its way arrive."""
        order = {"gateway": way.gateway, "reference": reference, "outcome": "settle"}
        _read(self._sandbox.post("/control/pay", json=order))

    def pass_time(self, seconds: int) -> None:
        """Let the gateways, not the product, get on with what takes them a while."""
        _read(self._sandbox.post("/control/clock", json={"advance_s": seconds}))

    def moved(self, *references: str) -> list[tuple[str, str, int]]:
        """The money that really moved under these references: gateway, kind, minor units."""
        entries = _read(self._sandbox.get("/control/journal"))["entries"]
        return [
            (entry["gateway"], entry["kind"], entry["amount_minor"])
            for entry in entries
            if entry["ok"] and entry["reference"] in references
        ]


def until(happened: Callable[[], Any]) -> Any:
    """Wait for the worker to get there; return what `happened` found."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := happened()):
        assert time.monotonic() < deadline, "it has not happened in time"
        time.sleep(0.1)
    return found


def _read(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code < 300, f"{answer.request.url} answered {answer.status_code}: {answer.text}"
    return dict(answer.json())


def mails_about(product: Installation, payment: dict[str, Any]) -> list[str]:
    """The mails about a recurring payment, or about one payment of it."""
    files = (product.data_dir / "mail").glob("*")
    mails = "".join(file.read_text(encoding="utf-8") for file in files).split("\nSubject: ")
    return [mail for mail in mails if payment["id"] in mail or payment["subscription"] in mail]


def see_it_active(customer: Visit, product: Installation, payment: dict[str, Any]) -> None:
    """Follow the link in the mail; the worker may need a moment."""
    mail = until(lambda: mails_about(product, payment))[0]
    customer.page.goto(STOP_LINK.findall(mail)[0])
    active = customer.page.get_by_role("heading", name="Your recurring payment is active")
    until(lambda: active.count() or (customer.page.reload() and False))
