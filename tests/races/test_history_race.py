"""Two windows of one customer look at once, while a payment of theirs is being settled."""

from functools import partial

import pytest

from tests.builders import make_attempt, make_payment, make_snapshot, make_user
from tests.races.conftest import race
from tillgate.merchants.models import User
from tillgate.payments.models import Payment
from tillgate.payments.services.history import attach_payments
from tillgate.payments.services.sync import apply_answer

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 10


def test_each_payment_is_attached_once_and_none_loses_its_settlement(merchant):
    for seed in range(ROUNDS):
        ada = make_user(f"ada-{seed}")
        payments = [make_payment(merchant, customer_email=ada.email) for _ in range(5)]
        attempt = make_attempt(payments[0])

        one, two, settled = race(
            partial(attach_payments, User.objects.get(pk=ada.pk)),
            partial(attach_payments, User.objects.get(pk=ada.pk)),
            partial(apply_answer, attempt, make_snapshot(attempt)),
            seed=seed,
        )

        assert (one + two, settled) == (5, None)
        theirs = Payment.objects.filter(account=ada)
        assert (theirs.count(), theirs.filter(status="completed").count()) == (5, 1)
