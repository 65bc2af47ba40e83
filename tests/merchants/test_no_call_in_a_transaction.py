"""A gateway is never called inside a transaction: the door refuses, and the whole suite watches the wire."""

import pytest
from django.db import transaction

from tillgate.gateways.http import IN_REQUEST
from tillgate.gateways.protocol import AttemptRef, GatewayState
from tillgate.gateways.registry import connect as connect_unguarded
from tillgate.merchants.services.accounts import connect
from tillgate.merchants.services.installation import environment_accounts

REF = AttemptRef(gateway_reference="ATT-NOBODY", gateway_id=None)


def test_c05_no_gateway_is_handed_out_in_a_transaction(db):
    with transaction.atomic(), pytest.raises(AssertionError, match="never called inside a transaction"):
        connect(environment_accounts()[0], IN_REQUEST)


def test_c05_in_a_tests_own_transaction_it_is(db):
    assert connect(environment_accounts()[0], IN_REQUEST).name == "paystack"


@pytest.mark.django_db(transaction=True)
def test_c05_outside_of_one_it_is():
    assert connect(environment_accounts()[0], IN_REQUEST).name == "paystack"


def test_c05_the_suite_sees_a_call_that_gets_round_the_door(db, sandbox):
    gateway = connect_unguarded(environment_accounts()[0], IN_REQUEST)

    assert gateway.fetch_payment(REF).state == GatewayState.ABSENT
    with transaction.atomic(), pytest.raises(AssertionError, match="is called in a transaction"):
        gateway.fetch_payment(REF)
