"""I-13: a token that can take money is readable nowhere: in no table, no log, no error, no text of ours."""

import logging

from django.db import connection

from tests.builders import make_payment, make_settled
from tests.customers.conftest import TOKEN, kept, make_saved
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.customers.models import PaymentMethod
from tillgate.customers.services.consents import Agreement, give_consent
from tillgate.customers.services.methods import remove_method, token_of
from tillgate.gateways.errors import Rejected


def everything() -> str:
    """Every row of every table."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += cursor.fetchall()
    return repr(rows)


def test_no_table_and_no_log_has_the_token(merchant, forgetting, caplog):
    caplog.set_level(logging.DEBUG)
    payment = make_payment(merchant, method_saving="offered")
    give_consent(payment.reference, Agreement(text="Yes", text_version="1", given_by="checkout"))
    make_settled(payment, saved_method=make_saved())
    forgetting.says("forget_saved", Rejected("no"))
    method = PaymentMethod.objects.get()

    remove_method(method.pk)
    run_due_jobs()

    told = everything()
    assert token_of(method) == TOKEN
    assert method.reference in told
    assert Job.objects.get().last_error
    assert TOKEN not in told
    assert TOKEN not in caplog.text


def test_no_text_of_a_method_has_the_token(payer):
    method = kept(payer)

    assert TOKEN not in f"{make_saved()!r} {make_saved()} {method!r} {method} {vars(method)}"
    assert method.token not in f"{method!r} {method}"
