"""A person who leaves: the gateway hears of it while we still know how to say so; then nothing is kept."""

from io import StringIO

import pytest
from django.core.management import call_command

from tests.customers.conftest import TOKEN, kept
from tillgate.common.jobs import run_due_jobs
from tillgate.customers.models import PaymentMethod
from tillgate.customers.services.erasing import erase_method, is_erased, new_alias
from tillgate.customers.services.methods import remove_method
from tillgate.gateways.errors import Unreachable

GONE = {"token": "", "signature": "", "charged_as": "", "brand": "", "last4": "", "expires_month": ""}


def what_is_left() -> dict[str, str]:
    return PaymentMethod.objects.values(*GONE).get()


def test_the_gateway_is_told_before_the_method_is_emptied(payer, forgetting):
    method = kept(payer)

    remove_method(method.pk, erase=True)
    run_due_jobs()

    assert forgetting.calls == [("forget_saved", (TOKEN, "ada@example.com"))]
    assert what_is_left() == GONE


def test_a_method_that_was_removed_before_is_emptied_too(payer, forgetting):
    method = kept(payer)
    remove_method(method.pk)
    run_due_jobs()
    removed_at = PaymentMethod.objects.get().removed_at

    remove_method(method.pk, erase=True)
    run_due_jobs()
    remove_method(method.pk, erase=True)  # A repeat changes nothing.
    run_due_jobs()

    assert what_is_left() == GONE
    assert PaymentMethod.objects.get().removed_at == removed_at


def test_while_the_gateway_does_not_answer_it_is_kept_for_the_next_try(payer, forgetting):
    method = kept(payer)
    forgetting.says("forget_saved", Unreachable("down"))

    remove_method(method.pk, erase=True)
    run_due_jobs()

    assert what_is_left() != GONE


def test_a_method_in_use_is_not_emptied(payer):
    method = kept(payer)

    erase_method(method)

    assert what_is_left() != GONE


def test_what_was_emptied_needs_no_key(payer, forgetting, settings):
    remove_method(kept(payer).pk, erase=True)
    run_due_jobs()
    out = StringIO()

    call_command("rotate_encryption", stdout=out)

    assert "Saved methods encrypted with the first key: 0." in out.getvalue()


@pytest.mark.parametrize("address", ["", "ada@example.com", "deleted-x@deleted.invalid.example"])
def test_only_an_alias_stands_for_somebody_who_was_taken_out(address):
    alias = new_alias()

    assert not is_erased(address)
    assert is_erased(alias.email)
    assert new_alias().email != alias.email
