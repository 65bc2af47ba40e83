"""Where a demo plays: a product and its sandbox, both their clocks, and the lines that tell what happens."""

import subprocess
import sys
import time
import urllib.parse
from typing import Any

from launcher.environment import ROOT, Environment
from launcher.http import Client, Form, Refused

CURRENCIES = {"paypal": "USD"}  # PayPal takes no naira, which is what a payment is in by default.


class TickedForm(Form):
    """A form whose boxes are all ticked."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read as `Form` does, and tick."""
        has = {name: value or "" for name, value in attrs}
        if tag == "input" and has.get("type") == "checkbox" and not self.found:
            self.fields[has.get("name", "")] = has.get("value", "")
        super().handle_starttag(tag, attrs)


class Stage:
    """Both addresses, the customer's browser (`client`), and the watch of whoever looks on."""

    def __init__(self, product: str, sandbox: str, env: Environment) -> None:
        self.client = Client()
        self.product, self.sandbox = product.rstrip("/"), sandbox.rstrip("/")
        self._env = env
        self._began = time.monotonic()

    def press(self, url: str, gateway: str) -> str:
        """Tick the boxes of a checkout page and press a gateway's button; return the gateway's page."""
        form = TickedForm(self.client.get(url).text, button="gateway", value=gateway)
        if not form.found:
            raise Refused(f"The checkout page {url} has no button for {gateway}.")
        answer = self.client.submit(urllib.parse.urljoin(url, form.action), form.fields)
        if answer.status != 303:
            raise Refused(f"The checkout's button answered {answer.status} and not 303.")
        return answer.location

    def reference_of(self, payment_id: str, gateway: str, page: str) -> str:
        """Return the gateway's reference of the session whose page is open."""
        # Asking for it again returns the same one.
        url = f"{self.product}/api/v1/payments/{payment_id}/attempts"
        attempt = self.client.post(url, {"gateway": gateway}).json()["attempt"]
        if attempt["next_action"]["url"] != page:
            raise Refused("The checkout's button and the API opened two sessions.")
        return str(attempt["gateway_reference"])

    def ask_sandbox(self, what: str) -> Any:
        """Read the journal, the events, the faults or the clock of the sandbox."""
        return self.client.get(f"{self.sandbox}/control/{what}").json()

    def tell_sandbox(self, what: str, body: dict[str, Any]) -> None:
        """Play the customer, the bank, bad luck or time."""
        self.client.post(f"{self.sandbox}/control/{what}", body)

    def advance_clocks(self, seconds: int) -> None:
        """Let time pass for the sandbox and the product alike."""
        self.tell_sandbox("clock", {"advance_s": seconds})
        self.manage("advance_clock", str(seconds))

    def manage(self, *arguments: str) -> str:
        """Run a management command of the product; return what it prints."""
        command = [sys.executable, "-m", "tillgate", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._env, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

    def say(self, what: str, more: str) -> None:
        """Print one line of the timeline."""
        print(f"{self.now():>10} {what:<10} {more}".rstrip(), flush=True)

    def now(self) -> str:
        """Return the time that stands before each line: since the beginning."""
        return f"{time.monotonic() - self._began:+8.2f} s"
