"""Two businesses on one installation, each paid at its own Paystack account: real HTTP to both.

The emulated Paystack keeps a book for each business. So whatever is asked with the wrong key is not there,
and whatever is taken is in the journal.
"""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders import make_account
from tests.environment import PAYSTACK_OTHER_KEY, PAYSTACK_OTHER_NEXT_KEY, PAYSTACK_TEST_KEY
from tests.reliability.subscriber import Subscriber
from tests.reliability.truth import assert_in_order
from tests.reliability.world import World, status_of
from tillgate.gateways.http import IN_WORKER
from tillgate.gateways.protocol import GatewayState
from tillgate.inbox.models import InboundEvent
from tillgate.ledger.models import Entry
from tillgate.merchants.models import StoredAccount
from tillgate.merchants.services.accounts import account_for, connect
from tillgate.merchants.services.stored_accounts import forget_former, remove_account, replace_secrets
from tillgate.payments.models import Attempt, Payment

MINOR = 5_000


class Shop(World):
    """One business's world; `rings` delivers what its own payments made Paystack tell."""

    def rings(self, attempt: Attempt) -> list[dict[str, Any]]:
        """The events about an attempt that nobody has rung with."""
        return [event for event in self.events() if event["reference"] == attempt.gateway_reference]

    def took(self, attempt: Attempt, kind: str = "charge") -> list[int]:
        """What Paystack really moved for an attempt."""
        moves = [move for move in self.journal() if move["reference"] == attempt.gateway_reference]
        return [move["amount_minor"] for move in moves if move["kind"] == kind]


@pytest.fixture
def account(other_merchant: Any) -> StoredAccount:
    return make_account(other_merchant, PAYSTACK_OTHER_KEY)


@pytest.fixture
def shops(sandbox: Any, account: StoredAccount, key: str, other_key: str) -> Iterator[tuple[Shop, Shop]]:
    """The default merchant, paid at the environment's account, and another one with an account of its own."""
    both = Shop("paystack", sandbox.url, key), Shop("paystack", sandbox.url, other_key)
    yield both
    for shop in both:
        shop.close()


def signed(event: dict[str, Any], key: str) -> dict[str, Any]:
    """The same event, signed with another key."""
    digest = hmac.new(key.encode(), event["body"].encode(), hashlib.sha512).hexdigest()
    return {**event, "headers": {**event["headers"], "x-paystack-signature": digest}}


def test_each_takes_a_payment_and_hears_of_it(shops, merchant, other_merchant):
    attempts = [shop.session() for shop in shops]
    for shop, attempt in zip(shops, attempts, strict=True):
        shop.pay(attempt)
        [event] = shop.rings(attempt)
        assert shop.ring(event) == 200
        shop.work()

    assert [status_of(attempt.payment) for attempt in attempts] == ["completed", "completed"]
    assert [shop.took(attempt) for shop, attempt in zip(shops, attempts, strict=True)] == [[MINOR], [MINOR]]
    owners = [merchant.pk, other_merchant.pk]
    assert list(InboundEvent.objects.order_by("pk").values_list("merchant", flat=True)) == owners
    for owner, attempt in zip(owners, attempts, strict=True):
        entries = Entry.objects.filter(subject=attempt.payment.reference)
        assert set(entries.values_list("merchant_id", flat=True)) == {owner}
    assert_in_order(shops[0])


def test_neither_account_knows_the_others_payments(shops, merchant, other_merchant):
    attempts = [shop.session() for shop in shops]
    for shop, attempt in zip(shops, attempts, strict=True):
        shop.pay(attempt)

    for owner, own, foreign in ((merchant, *attempts), (other_merchant, *attempts[::-1])):
        gateway = connect(account_for(owner, "paystack", "test"), IN_WORKER)
        assert gateway.fetch_payment(own.ref).state == GatewayState.SUCCEEDED
        assert gateway.fetch_payment(foreign.ref).state == GatewayState.ABSENT


def test_a04_an_event_signed_with_the_others_key_touches_nothing(shops, other_merchant):
    ours, _ = shops
    attempt = ours.session()
    ours.pay(attempt)
    [event] = ours.rings(attempt)

    assert ours.ring(signed(event, PAYSTACK_OTHER_KEY)) == 200  # Signed well, by somebody else.
    ours.work()

    lie = InboundEvent.objects.get()
    assert (lie.merchant, lie.state) == (other_merchant, "parked")
    assert status_of(attempt) == "pending"

    assert ours.ring(event) == 200  # W-08: though it is the same news, it is another's.
    ours.work()
    assert (status_of(attempt.payment), InboundEvent.objects.count()) == ("completed", 2)
    InboundEvent.objects.filter(pk=lie.pk).delete()  # For the rest a person would be asked.
    assert_in_order(ours)


@pytest.mark.parametrize("key", ["sk_test_of_nobody_here", "", PAYSTACK_OTHER_NEXT_KEY])
def test_a06_an_event_that_nobodys_key_signed_is_refused(shops, key):
    attempt = shops[1].session()
    shops[1].pay(attempt)
    [event] = shops[1].rings(attempt)

    assert shops[1].ring(signed(event, key)) == 401
    assert not InboundEvent.objects.exists()


def test_a21_neither_key_opens_what_is_the_others(shops):
    ours, theirs = shops
    payment, foreign = ours.bought(), theirs.order()

    for path in ("", "/timeline", "/refunds"):
        assert theirs.get(f"/payments/{payment.reference}{path}").status_code == 404
        assert ours.get(f"/payments/{foreign.reference}{path}").status_code == 404
    assert theirs.refund(payment).status_code == theirs.open(payment).status_code == 404
    assert [row["id"] for row in theirs.get("/payments").json()["payments"]] == [foreign.reference]
    assert not payment.refunds.exists()


def test_each_refunds_at_its_own_account(shops):
    payments = [shop.bought() for shop in shops]
    for shop, payment in zip(shops, payments, strict=True):
        assert shop.refund(payment, "20.00").status_code == 201
    for _ in range(3):
        shops[0].wait(60)

    assert [status_of(payment) for payment in payments] == ["partially_refunded"] * 2
    assert [shop.took(p.attempts.get(), "refund") for shop, p in zip(shops, payments, strict=True)] == [
        [2_000],
        [2_000],
    ]
    assert_in_order(shops[0])


def test_each_charges_its_own_customers_at_its_own_account(shops):
    subscribers = [Subscriber(shop) for shop in shops]

    for subscriber in subscribers:
        subscriber.renew()
    shops[0].wait(20)

    assert [subscriber.taken() for subscriber in subscribers] == [[MINOR], [MINOR]]
    assert [subscriber.status for subscriber in subscribers] == ["active", "active"]


def test_w12_a_secret_is_changed_while_money_is_on_its_way(shops, account):
    _, theirs = shops
    before = theirs.session()
    replace_secrets(account.pk, {"PAYSTACK_SECRET_KEY": PAYSTACK_OTHER_NEXT_KEY})
    after = theirs.session()
    for attempt in (before, after):
        theirs.pay(attempt)
        [event] = theirs.rings(attempt)
        assert theirs.ring(event) == 200
    theirs.work()

    assert [status_of(attempt.payment) for attempt in (before, after)] == ["completed", "completed"]
    forget_former(account.pk)
    assert theirs.ring(signed(event, PAYSTACK_OTHER_KEY)) == 401
    assert theirs.ring(event) == 200


def test_an_account_that_was_taken_away_stops_nobody_else(shops, account):
    ours, theirs = shops
    attempt = theirs.session()
    theirs.pay(attempt)
    remove_account(account.pk)  # Past the door, which refuses it while money is on its way.
    ours.wait(20)
    payment = ours.bought()

    assert (status_of(payment), status_of(attempt)) == ("completed", "pending")

    make_account(account.merchant, PAYSTACK_OTHER_NEXT_KEY)
    ours.wait(3_600)

    assert status_of(attempt.payment) == "completed"
    assert Payment.objects.filter(status="completed").count() == 2


def test_a_key_that_is_wrong_rests_paystack_for_nobody(shops, account):
    ours, theirs = shops
    replace_secrets(account.pk, {"PAYSTACK_SECRET_KEY": "sk_test_that_paystack_does_not_know"})

    for _ in range(4):
        assert theirs.open(theirs.order()).status_code == 502

    assert ours.open(ours.order()).status_code == 201


def test_an_outage_that_one_has_seen_rests_paystack_for_that_one(shops):
    ours, theirs = shops
    theirs.fault("initialize", "500_before", times=3)
    assert [theirs.open(theirs.order()).status_code for _ in range(4)][-1] == 503

    assert ours.open(ours.order()).status_code == 201


def test_the_environments_key_is_the_default_merchants(shops, settings):
    assert settings.PAYSTACK_SECRET_KEY == PAYSTACK_TEST_KEY
    settings.PAYSTACK_SECRET_KEY = ""

    ours, theirs = shops
    body = {"customer_name": "Ada", "customer_email": "ada@example.com", "amount": 50}
    assert ours.post("/payments", body).json()["code"] == "no_gateway"
    assert theirs.post("/payments", body).status_code == 201
