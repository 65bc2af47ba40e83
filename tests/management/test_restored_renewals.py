"""D-10 with real processes: a renewal was charged since the backup that is restored; the journal knows."""

import time
from contextlib import contextmanager
from datetime import datetime, timedelta
from tempfile import TemporaryFile

import pytest

from launcher.environment import Installation, private_environment, product_environment
from launcher.product import Product, free_ports
from launcher.recurring_demo import Year
from launcher.stage import Stage

pytestmark = [pytest.mark.journey, pytest.mark.long]
LEAD_S = 30  # In real time, from the backup to the due date: the clock that was moved is in the backup.


class Shop(Year):
    """A customer with a monthly payment, before and after the database was lost."""

    subscribe, standing, settled = Year._subscribe, Year._standing, Year._settled

    def renewals(self):
        """Return the charges that the gateway made for the second month."""
        name = f"{self._subscription}-1-"
        return [entry for entry in self._journal() if entry["ok"] and entry["reference"].startswith(name)]

    def wait(self, so, what):
        self._until(so, what)

    def second_month(self):
        return self._newest()["status"] if self._count() == 2 else ""

    def follow(self, former):
        self._subscription, self._first = former._subscription, former._first


@contextmanager
def running(installation, outer, gateway):
    with TemporaryFile() as output:
        product = Product(installation, outer, output)
        product.start()
        try:
            yield Shop(installation, product_environment(installation, outer), gateway)
        finally:
            product.stop()


@pytest.mark.parametrize(
    ("gateway", "ends"),
    [
        ("paystack", "completed"),
        ("flutterwave", "completed"),
        ("paypal", "processing"),  # It tells of no charge by our name of it: a person looks.
    ],
)
def test_a_renewal_that_the_backup_does_not_know_is_found_and_not_charged_again(tmp_path, gateway, ends):
    port, sandbox_port = free_ports(2)
    installation = Installation(data_dir=tmp_path / "var", port=port, sandbox_port=sandbox_port)
    outer = private_environment()
    backup = str(tmp_path / "backup")
    with running(installation, outer, gateway) as shop:
        shop.subscribe()
        due = datetime.fromisoformat(shop.standing()["next_payment_at"])
        now = datetime.fromisoformat(shop.ask_sandbox("clock")["now"])
        shop.advance_clocks(round((due - now) / timedelta(seconds=1)) - LEAD_S)
        shop.manage("backup", backup)
        assert shop.second_month() == "", "the backup took too long for this test"
        time.sleep(LEAD_S)
        shop.wait(lambda: shop.second_month() == "completed", "the second month was paid")
        assert len(shop.renewals()) == 1
    for file in installation.data_dir.glob("tillgate.sqlite3*"):
        file.unlink()

    env = product_environment(installation, outer)
    Stage(installation.url, installation.sandbox_url, env).manage("restore", backup)
    with running(installation, outer, gateway) as restored:
        restored.follow(shop)
        time.sleep(7)  # The scheduler looks every five seconds.
        assert restored.second_month() == ""
        restored.manage("release_charges", "--yes")
        restored.wait(lambda: restored.second_month() == ends, f"the second month is {ends}")
        restored.advance_clocks(600)  # By then a charge whose answer is lost would be sent again.
        time.sleep(7)

        assert restored.second_month() == ends

        assert len(restored.renewals()) == 1
        assert "Every rule of money holds." in restored.manage("verify_ledger")
