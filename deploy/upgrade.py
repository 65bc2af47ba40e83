"""`python -m deploy upgrade [REF]`: an earlier version's data under this version, and back again.

In temporary folders: the earlier version takes payments; this version migrates, proves the ledger, and goes
on with what was open; the earlier version starts once more on the migrated database, as after a rollback.
"""

import importlib.util
import re
import tempfile
import time
from pathlib import Path

from deploy.failed import Failed
from deploy.ready import Say
from deploy.smoke import ORDER, POLL_EVERY_S, WITHIN_S, Smoke, Try
from deploy.versions import Stand, Version, earlier, previous, this_one
from launcher.environment import Installation
from launcher.http import Refused
from launcher.product import free_ports
from launcher.stage import Stage

GATEWAY = "paystack"
A_MONTH_S = 32 * 86_400
KEY = re.compile(r"sk_test_\S+")


def rehearse(ref: str, database: str, say: Say) -> None:
    """Go from the version `ref` to this one and back, on SQLite or the empty `database`. Raises Failed.

    Without a `ref` from the release before this one or, before the first, from the commit before.
    """
    if importlib.util.find_spec("django") is None:
        raise Failed(
            "The product needs its packages: ./run check once, then .venv/bin/python -m deploy upgrade"
        )
    with tempfile.TemporaryDirectory(prefix="tillgate-upgrade-") as name:
        folder = Path(name)
        stand = make_stand(folder, database)
        with stand.gateways():
            walk(earlier(ref or previous(), folder / "earlier"), this_one(folder / "this"), stand, say)


def make_stand(folder: Path, database: str) -> Stand:
    """Return where both versions play: data in that folder, on ports that are free."""
    port, sandbox_port = free_ports(2)
    data = Installation(data_dir=folder / "var", port=port, sandbox_port=sandbox_port)
    return Stand(installation=data, database=database, folder=folder)


def walk(old: Version, new: Version, stand: Stand, say: Say) -> None:
    """Let `old` take payments, `new` take over, and `old` once more start on what `new` made of it."""
    say(f"== {old.name} takes payments")
    with stand.serving(old):
        shop = _Shop(stand, KEY.findall(stand.run(old, "create-key"))[-1], say)
        shop.smoke.run()
        subscription = shop.subscribe()
        left_open = shop.smoke.open({"name": GATEWAY, "currencies": ["NGN"]})
    say(f"== {new.name} migrates")
    stand.run(new, "prepare")
    say(f"ledger    {stand.run(new, 'verify-ledger').strip()}")
    say(f"== {new.name} goes on")
    with stand.serving(new):
        shop.smoke.pay(left_open)
        shop.renew(new, subscription)
        shop.smoke.run_briefly()
    say(f"== {old.name} starts on the migrated database, as after a rollback")
    with stand.serving(old):
        shop.smoke.run_briefly()
    say(f"ledger    {stand.run(new, 'verify-ledger').strip()}")


class _Shop:
    """The same shop, customer and key at whichever version serves."""

    def __init__(self, stand: Stand, key: str, say: Say) -> None:
        here = stand.installation
        self.smoke = Smoke(here.url, key, say, sandbox=here.sandbox_url)
        self._stand, self._say = stand, say
        self._customer = Stage(here.url, here.sandbox_url, {})

    def subscribe(self) -> str:
        """Begin a monthly payment; return its subscription."""
        order = {**ORDER, "currency": "NGN", "recurring": {"interval": "monthly"}}
        payment = self.smoke.shop.post("/payments", order, key="monthly").json(201)["payment"]
        try:
            page = self._customer.press(payment["checkout_url"], GATEWAY)
            reference = self._customer.reference_of(payment["id"], GATEWAY, page)
        except Refused as error:
            raise Failed(str(error)) from error
        self.smoke.pay(Try(payment=payment["id"], gateway=GATEWAY, reference=reference))
        self._say(f"monthly   {payment['subscription']} begins with {payment['id']}")
        return str(payment["subscription"])

    def renew(self, version: Version, subscription: str) -> None:
        """Let a month pass, after which the saved method must have been charged once more."""
        assert self.smoke.sandbox
        self.smoke.sandbox.post("/clock", {"advance_s": A_MONTH_S}, key="a-month").json(200)
        self._stand.run(version, "advance-clock", str(A_MONTH_S))
        path, until = f"/subscriptions/{subscription}/payments", time.monotonic() + WITHIN_S
        while True:
            payments = self.smoke.shop.get(path).json(200)["payments"]
            if [payment["status"] for payment in payments] == ["completed"] * 2:
                break
            if time.monotonic() > until:
                told = [f"{payment['id']} {payment['status']}" for payment in payments]
                raise Failed(f"{subscription} was not charged once after a month, but has: {', '.join(told)}")
            time.sleep(POLL_EVERY_S)
        self._say(f"monthly   {subscription} was charged a month later: {payments[0]['id']}")
