"""Two payments of one person end in the same moment, or a card is removed as it is saved again."""

import time
from functools import partial

import pytest
from django.db import transaction

from tests.customers.conftest import kept, make_payer, make_saved
from tests.races.conftest import race
from tillgate.customers.models import Customer, PaymentMethod
from tillgate.customers.services.methods import Payer, customer_for, keep_method, remove_method, token_of

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 10


def settled(payer: Payer, **fields: str) -> PaymentMethod:
    """A card as a payment's success keeps it, which has more to write before it commits."""
    with transaction.atomic():
        method = keep_method(payer, "paystack", make_saved(**fields))
        time.sleep(0.02)
    return method


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("signature", ["SIG_1", ""])
def test_the_same_card_at_once_is_one_row(merchant, signature, is_known):
    for seed in range(ROUNDS):
        payer = make_payer(merchant, email=f"{seed}@example.com")
        if is_known:
            customer_for(payer)

        results = race(*[lambda payer=payer: settled(payer, signature=signature)] * 4, seed=seed)

        assert len({method.pk for method in results}) == 1
        assert Customer.objects.count() == PaymentMethod.objects.count() == seed + 1


def test_a_card_that_is_removed_as_it_comes_again_is_not_half_removed(merchant):
    for seed in range(ROUNDS):
        payer = make_payer(merchant, email=f"{seed}@example.com")
        method = kept(payer)

        removed, again = race(
            partial(remove_method, method.pk),
            partial(settled, payer, token="AUTH_newer"),
            seed=seed,
        )

        method.refresh_from_db()
        assert method.removed_at == removed.removed_at is not None
        # Either it came first, and was removed; or it came later, as a card of its own.
        assert again.pk == method.pk or (again.removed_at is None and token_of(again) == "AUTH_newer")
        mine = PaymentMethod.objects.usable().filter(customer=again.customer_id)
        assert mine.count() == (again.pk != method.pk)
