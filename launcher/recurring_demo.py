"""`./run demo --recurring`: a year of a monthly payment in seconds, and then its end."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from launcher.environment import Environment, Installation
from launcher.http import Client, Refused
from launcher.stage import CURRENCIES, Stage, TickedForm

ORDER = {
    "customer_name": "John Doe",
    "customer_email": "john@example.com",
    "amount": 50.00,
    "description": "Gym",
    "recurring": {"interval": "monthly"},
}
AMOUNT_MINOR = 5000
MONTHS = 12
DECLINED, STRUCK = 4, 8  # In which months the bank declines, and the gateway's answer is lost.
CHARGES = {"paystack": "charge", "flutterwave": "tokenized", "paypal": "order"}
PATIENCE_S, POLL_EVERY_S = 20.0, 0.1
QUIET_S = 4.0  # The product looks for what is due once a second.
MARGIN_S = 10  # So long after a due date we look.
LADDER_S = 180  # By then the product has asked again about an answer that was lost.
TURNS = 10
A_MONTH_S = 32 * 86_400
STOP_LINK = re.compile(r"http\S+/subscription/[^/\s>]+/stop")
Entries = list[dict[str, Any]]


class Shop(Client):
    """The shop's server, which has a key."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._opener.addheaders.append(("Authorization", f"Bearer {key}"))


def play_a_year(installation: Installation, env: Environment, gateway: str) -> bool:
    """Play it in a product that nobody else uses; True when each month was charged once, and none after."""
    return Year(installation, env, gateway).run()


def wrongs(entries: Entries, subscription: str, first: str, stopped_seq: int) -> Iterator[str]:
    """Yield what is wrong with a journal that shall hold one charge a month, and none once it was stopped."""
    for month in range(MONTHS):
        tries = [entry for entry in entries if _is_of(entry, month, subscription, first)]
        taken = [entry["amount_minor"] for entry in tries if entry["ok"]]
        if taken != [AMOUNT_MINOR]:
            yield f"month {month + 1}: the gateway took {taken or 'nothing'}"
    declines = sum(not entry["ok"] for entry in entries)
    if declines != 1:
        yield f"{declines} declines, and not the one that was planned"
    expected = {f"{subscription}-{month}-" for month in range(1, MONTHS)}
    for entry in entries:
        is_known = entry["reference"] == first or any(map(entry["reference"].startswith, expected))
        if not is_known or entry["kind"] != "charge":
            yield f"a {entry['kind']} that nobody asked for: {entry['reference']}"
        if entry["seq"] > stopped_seq:
            yield f"{entry['reference']} came after the stop"


def _is_of(entry: dict[str, Any], month: int, subscription: str, first: str) -> bool:
    reference: str = entry["reference"]
    return reference.startswith(f"{subscription}-{month}-") if month else reference == first


class Year(Stage):
    """A customer, a shop, and twelve months; what stands before each line is the product's date."""

    def __init__(self, installation: Installation, env: Environment, gateway: str) -> None:
        super().__init__(installation.url, installation.sandbox_url, env)
        self.gateway = gateway
        self._shop = Shop(self.manage("create_key"))
        self._mails = installation.data_dir / "mail"
        self._mails_told = 0
        self._subscription = self._first = ""
        self._good = True

    def run(self) -> bool:
        """Subscribe, let a year pass, stop, let a month pass; hold the journal against what was agreed."""
        self._subscribe()
        for month in range(2, MONTHS + 1):
            self._pass_month(month)
        stopped_seq = self._stop()
        self._pass_month_in_peace()
        entries = self._journal()
        for wrong in wrongs(entries, self._subscription, self._first, stopped_seq):
            self._wrong(wrong)
        taken = sum(entry["ok"] for entry in entries)
        self.say("journal", f"{taken} charges in {MONTHS} months, {len(entries) - taken} declined")
        return self._good

    def now(self) -> str:
        """Return the product's date: the sandbox's clock is moved together with it."""
        return str(self.ask_sandbox("clock")["now"])[:16].replace("T", " ")

    def _subscribe(self) -> None:
        order = ORDER | ({"currency": CURRENCIES[self.gateway]} if self.gateway in CURRENCIES else {})
        payment = self.client.post(f"{self.product}/api/v1/payments", order).json()["payment"]
        self.say("created", f"{payment['id']}, {payment['amount']:.2f} {payment['currency']} every month")
        page = self.press(payment["checkout_url"], self.gateway)
        self.say("consent", "the customer reads what they agree to, and ticks it")
        self._first = self.reference_of(payment["id"], self.gateway, page)
        self.tell_sandbox("pay", {"gateway": self.gateway, "reference": self._first, "outcome": "success"})
        self.say("paid", "by the customer, on the gateway's page")
        self._subscription = self._read(f"payments/{payment['id']}")["payment"]["subscription"]
        self._until(lambda: self._standing()["status"] == "active", "the subscription is active")
        standing = self._standing()
        method = standing["payment_method"] or {}
        if not method:
            self._wrong("no method was saved")
        self.say("active", f"{self._subscription}, charged by {method.get('brand') or self.gateway}")
        self._show_mail()

    def _pass_month(self, month: int) -> None:
        self._plan_trouble(month)
        self._go_to(self._standing()["next_payment_at"])
        self._until(lambda: self._count() == month, f"month {month} was opened")
        payment = self._settled()
        if payment["status"] == "failed":
            self._until(lambda: self._standing()["status"] == "past_due", "the subscription is past due")
            self.say(
                "declined", f"{payment['failure']['code']}: it is past due, and tried again some days later"
            )
            self._show_mail()
            self._go_to(self._next_try())
            self._until(lambda: self._newest()["status"] != "failed", "it was tried again")
            payment = self._settled()
        if payment["status"] != "completed":
            self._wrong(f"month {month} is {payment['status']}")
        told = f"month {month}: {payment['amount']:.2f} {payment['currency']}"
        self.say("charged", f"{told}, the gateway took the money {self._times(month)}")
        self._until(lambda: self._standing()["status"] == "active", "the subscription is active")
        self._show_mail()
        self._show_fault(month)

    def _plan_trouble(self, month: int) -> None:
        if month == DECLINED:
            plan = {"gateway": self.gateway, "reference": self._first, "next": ["insufficient_funds"]}
            self.tell_sandbox("methods", plan)
            self.say("plan", "the bank will decline the next charge")
        if month == STRUCK:
            # The money is taken, and the connection breaks before a word of the answer has come.
            match = f"{self.gateway}.{CHARGES[self.gateway]}"
            self.tell_sandbox(
                "faults", {"faults": [{"match": match, "fault": "half_body", "args": {"n": 0}}]}
            )
            self.say("plan", "the answer to the next charge will be lost, after the deed")

    def _show_fault(self, month: int) -> None:
        if month != STRUCK:
            return
        if sum(fault["hits"] for fault in self.ask_sandbox("faults")["faults"]) != 1:
            self._wrong("the fault never struck, or more than once")
        self.say("looked up", "the answer was lost, so the gateway was asked; nothing was charged again")

    def _stop(self) -> int:
        """Stop it as the customer does, by the link in the newest mail; return where the journal stood."""
        links = STOP_LINK.findall(self._mail_text())
        if not links:
            raise Refused("No mail has a link to stop.")
        self.say("stop", f"the customer follows the link of the newest mail: {links[-1]}")
        form = TickedForm(self.client.get(links[-1]).text, button="", value="")
        self.client.submit(links[-1], form.fields)
        self.say("stopped", f"without a login: {self._standing()['status']}")
        if self._standing()["status"] != "canceled":
            self._wrong("it was not stopped")
        self._show_mail()
        return len(self._journal())

    def _pass_month_in_peace(self) -> None:
        self.advance_clocks(A_MONTH_S)
        time.sleep(QUIET_S)
        self.say("silence", "another month has passed")

    def _settled(self) -> dict[str, Any]:
        """Return the newest payment when it is known what became of it; time passes as long as it is not."""
        for _ in range(TURNS):
            until = time.monotonic() + PATIENCE_S / TURNS
            while time.monotonic() < until:
                if (payment := self._newest())["status"] in ("completed", "failed"):
                    return payment
                time.sleep(POLL_EVERY_S)
            self.advance_clocks(LADDER_S)
        return self._newest()

    def _next_try(self) -> str:
        timeline = self._read(f"subscriptions/{self._subscription}/timeline")["events"]
        told = [event["data"] for event in timeline if event["type"] == "subscription.past_due"]
        return str(told[-1]["next_try_at"])

    def _go_to(self, moment: str) -> None:
        now = datetime.fromisoformat(self.ask_sandbox("clock")["now"])
        self.advance_clocks(int((datetime.fromisoformat(moment) - now).total_seconds()) + MARGIN_S)

    def _until(self, is_so: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while not is_so():
            if time.monotonic() > until:
                raise Refused(f"After {PATIENCE_S:.0f} s it is still not so that {what}.")
            time.sleep(POLL_EVERY_S)

    def _times(self, month: int) -> str:
        names = (self._subscription, self._first)
        count = sum(entry["ok"] for entry in self._journal() if _is_of(entry, month - 1, *names))
        return "once" if count == 1 else f"{count} times"

    def _standing(self) -> dict[str, Any]:
        return dict(self._read(f"subscriptions/{self._subscription}")["subscription"])

    def _newest(self) -> dict[str, Any]:
        return dict(self._payments()[0])

    def _count(self) -> int:
        return len(self._payments())

    def _payments(self) -> list[dict[str, Any]]:
        return list(self._read(f"subscriptions/{self._subscription}/payments")["payments"])

    def _read(self, path: str) -> Any:
        return self._shop.get(f"{self.product}/api/v1/{path}").json()

    def _journal(self) -> Entries:
        return list(self.ask_sandbox("journal")["entries"])

    def _show_mail(self) -> None:
        """Wait for the mail that each step ends with; the customer stops it by the link in the newest."""
        self._until(lambda: len(self._subjects()) > self._mails_told, "the customer has a mail")
        for subject in self._subjects()[self._mails_told :]:
            self.say("mail", subject)
            self._mails_told += 1

    def _subjects(self) -> list[str]:
        return re.findall(r"^Subject: (.*)$", self._mail_text(), re.MULTILINE)

    def _mail_text(self) -> str:
        files = sorted(self._mails.iterdir(), key=_written) if self._mails.is_dir() else []
        return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)

    def _wrong(self, what: str) -> None:
        self._good = False
        self.say("wrong", what)


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns
