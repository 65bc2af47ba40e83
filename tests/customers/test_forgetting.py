"""A removed method is deactivated at its gateway, too: once there, however often it is tried."""

from dataclasses import replace

import pytest
from django.db import transaction

from tests.builders import make_user
from tests.customers.conftest import TOKEN, kept, make_payer
from tests.gateways.emulated import Emulated
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.customers.jobs import forget_method
from tillgate.customers.models import PaymentMethod
from tillgate.customers.services.methods import remove_method
from tillgate.gateways.errors import GatewayUnknown, MethodRefused, Rejected, Unreachable
from tillgate.gateways.http import IN_WORKER
from tillgate.gateways.protocol import ChargesSaved

HOUR_S = 3_600


def test_the_gateway_is_told_whose_method_it_is_to_forget(payer, forgetting):
    method = kept(payer)

    remove_method(method.pk)
    told_before = forgetting.called("forget_saved")
    run_due_jobs()

    assert told_before == 0
    assert forgetting.calls == [("forget_saved", (TOKEN, "ada@example.com"))]
    assert not Job.objects.exists()


def test_removing_twice_tells_once(payer, forgetting):
    method = kept(payer)

    remove_method(method.pk)
    remove_method(method.pk)
    run_due_jobs()

    assert forgetting.called("forget_saved") == 1


def test_the_job_may_run_twice(payer, forgetting):
    method = kept(payer)
    remove_method(method.pk)

    forget_method.call(method.pk)
    forget_method.call(method.pk)

    assert forgetting.called("forget_saved") == 2


@pytest.mark.parametrize("error", [Unreachable("down"), GatewayUnknown("lost"), Rejected("wrong key")])
def test_a_gateway_that_could_not_be_told_is_told_later(payer, forgetting, error):
    forgetting.says("forget_saved", error, None)
    remove_method(kept(payer).pk)

    run_due_jobs()
    still_queued = Job.objects.count()
    clock.advance(HOUR_S)
    run_due_jobs()

    assert still_queued == 1
    assert forgetting.called("forget_saved") == 2
    assert not Job.objects.exists()


def test_a_removal_that_is_undone_tells_nobody(transactional_db, payer, forgetting):
    method = kept(payer)

    with transaction.atomic():
        remove_method(method.pk)
        transaction.set_rollback(True)
    run_due_jobs()

    assert PaymentMethod.objects.usable().count() == 1
    assert forgetting.calls == []


def test_a_card_that_was_saved_again_meanwhile_is_not_forgotten(payer, forgetting):
    remove_method(kept(payer).pk)
    kept(payer)

    run_due_jobs()

    assert forgetting.calls == []


def test_a_card_that_has_another_token_by_now_is_forgotten_by_the_old_one(payer, forgetting):
    remove_method(kept(payer).pk)
    kept(payer, token="AUTH_newer")

    run_due_jobs()

    assert forgetting.calls == [("forget_saved", (TOKEN, "ada@example.com"))]


def test_a_gateway_that_cannot_be_told_is_left_alone(payer, gateway):
    remove_method(kept(payer).pk)

    run_due_jobs()

    assert gateway.calls == []
    assert not Job.objects.exists()


def test_without_an_account_or_a_key_nothing_can_be_told(merchant, payer, forgetting, settings, caplog):
    remove_method(kept(make_payer(merchant, mode="live")).pk)
    remove_method(kept(payer).pk)
    settings.TILLGATE_ENCRYPTION_KEYS = ("b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3Q=",)

    run_due_jobs()

    assert forgetting.calls == []
    assert not Job.objects.exists()
    assert caplog.text.count("method_not_forgotten") == 2


def test_a_job_for_a_method_that_nobody_removed_does_nothing(payer, forgetting):
    with pytest.raises(AssertionError):
        forget_method.call(kept(payer).pk)

    assert forgetting.calls == []


@pytest.mark.django_db
def test_what_was_removed_is_charged_no_more_at_the_gateway(merchant, sandbox):
    from tests.gateways.paystack.test_contract import CASE  # A test module is not loaded before its turn.

    emulated = Emulated(CASE, sandbox)
    _, saved = emulated.saved()
    method = kept(make_payer(merchant), token=saved.token, signature=saved.signature)

    remove_method(method.pk)
    run_due_jobs()
    emulated.control_client.close()

    gateway = emulated.connect(patience=IN_WORKER)
    assert isinstance(gateway, ChargesSaved)
    with pytest.raises(MethodRefused):
        gateway.charge_saved(emulated.charge_of(saved))


def test_a_card_that_one_subscription_still_has_is_not_forgotten(payer, forgetting):
    """The gateway knows a card by the e-mail; that we keep it twice, under two names, is ours."""
    somebody = make_user("somebody", confirmed=False)
    alone = replace(payer, account=somebody, subscription="SUB-1")
    kept_alone, method = kept(alone), kept(payer)

    remove_method(method.pk)
    run_due_jobs()

    assert kept_alone.pk != method.pk
    assert forgetting.calls == []


def test_the_same_token_of_another_email_keeps_nothing(payer, forgetting):
    method = kept(payer)
    kept(replace(payer, email="somebody@example.com"))

    remove_method(method.pk)
    run_due_jobs()

    assert forgetting.called("forget_saved") == 1
