"""Who leaves takes everything personal along; what was paid stays, and the books still hold."""

import json
import re
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from tests.api.accounts.conftest import NEW_PASSWORD, sign_in, sign_up
from tests.api.accounts.test_otp import with_phone
from tests.api.client import PAYMENTS, ApiClient
from tests.builders import (
    PASSWORD,
    access_token,
    make_endpoint,
    make_inbound_event,
    make_method,
    make_payment,
    make_settled,
    make_staff,
    make_subscription,
    make_user,
)
from tillgate.common.jobs import run_due_jobs
from tillgate.customers.models import Consent, Customer, PaymentMethod
from tillgate.customers.services.consents import Agreement, give_consent
from tillgate.customers.services.methods import Payer, customer_for
from tillgate.inbox.models import InboundEvent
from tillgate.merchants.models import AuditEntry, Login, Membership, Merchant, User
from tillgate.merchants.roles import Role
from tillgate.merchants.services.staff import invite, put_on_staff
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.verify import violations
from tillgate.subscriptions.models import Subscription

ME, EXPORT = "/auth/users/me/", "/api/v1/me/export"
LEAVE = {"current_password": PASSWORD}
CANARY = "zxcanary"


def leave(client: ApiClient, **more: Any) -> Any:
    return client.delete(ME, {**LEAVE, **more}, content_type="application/json")


@pytest.fixture
def canary(merchant: Merchant) -> User:
    """Somebody whose every word can be found again, with a past: a paid payment, a recurring one, a card."""
    make_endpoint(merchant, enabled=False)  # What is told is kept for it, and sent nowhere.
    user = make_user(f"{CANARY}-name", first_name=f"{CANARY} first", last_name=f"{CANARY} last")
    who = {"customer_name": f"{CANARY} payer", "customer_email": user.email}
    payer = Payer(merchant=merchant, mode="test", email=user.email, name=who["customer_name"])
    method = make_method(customer=customer_for(payer), brand=CANARY[:10], signature=f"SIG_{CANARY}")
    payment = make_payment(merchant, account=user, **who)
    make_settled(payment)
    Attempt.objects.update(payment_method=method)
    body = json.dumps({"customer": user.email}).encode()
    make_inbound_event(payment.attempts.get(), body=body, headers={"user-agent": CANARY})
    agreement = Agreement(text="Again.", text_version="1", given_by="account", address="203.0.113.7")
    give_consent(payment.reference, agreement)
    make_payment(merchant, account=user, **who)
    make_subscription(merchant, account=user, payment_method=method, **who)
    return user


def everything() -> str:
    """Every row of every table, as text."""
    told = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")
            rows = [[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in cursor.fetchall()]
            told.append(f"{model._meta.db_table}: {rows}")
    return "\n".join(told)


def test_nothing_personal_is_left_in_any_table(canary, guest, gateway):
    client = ApiClient(
        sign_in(guest, canary.username, REMOTE_ADDR="203.0.113.9", HTTP_USER_AGENT=CANARY).json()["access"]
    )
    assert CANARY in everything()

    assert leave(client).status_code == 204
    run_due_jobs()

    left = everything()
    assert CANARY not in left, [line for line in left.splitlines() if CANARY in line]
    assert "203.0.113" not in left


def test_the_money_stays_and_the_books_hold(canary):
    kept = ("reference", "amount_minor", "received_minor", "completed_at")
    before = list(Payment.objects.order_by("pk").values(*kept))

    leave(ApiClient(access_token(canary)))

    assert list(Payment.objects.order_by("pk").values(*kept)) == before
    assert list(violations()) == []
    assert set(Payment.objects.values_list("customer_name", flat=True)) == {"Deleted customer"}
    (address,) = set(Payment.objects.values_list("customer_email", flat=True))
    assert re.fullmatch(r"deleted-[0-9a-z]{26}@deleted\.invalid", address)


def test_recurring_payments_are_stopped_and_methods_forgotten(canary, gateway):
    leave(ApiClient(access_token(canary)))
    run_due_jobs()

    subscription, method = Subscription.objects.get(), PaymentMethod.objects.get()
    assert (subscription.status, subscription.end_reason) == ("canceled", "customer")
    assert method.removed_at is not None
    assert (method.token, method.last4, method.charged_as) == ("", "", "")
    assert Customer.objects.get().email.endswith("@deleted.invalid")
    assert (Consent.objects.get().address, Consent.objects.get().text) == (None, "Again.")
    assert bytes(InboundEvent.objects.get().body) == b""


def test_one_mail_says_so_to_who_left_and_none_goes_nowhere(canary, mails):
    leave(ApiClient(access_token(canary)))

    sent = [(mail.to, mail.subject) for mail in mails()]
    assert sent == [([f"{CANARY}-name@example.com"], "Your account at My shop is deleted")]


def test_who_left_is_gone_and_the_name_is_free(canary, guest):
    client = ApiClient(access_token(canary))
    leave(client)

    assert client.get(ME).status_code == 401
    assert sign_in(guest, canary.username).status_code == 401
    assert sign_in(guest, canary.email).status_code == 401
    assert not Login.objects.filter(ended_at__isnull=True).exists()
    assert sign_up(guest, canary.username, email=canary.email).status_code == 201


def test_a_reader_of_the_payment_gets_the_new_state_of_it(canary, key):
    payment = Payment.objects.filter(status="completed").get()
    path = f"{PAYMENTS}/{payment.reference}"
    tag = ApiClient().get(path)["ETag"]

    leave(ApiClient(access_token(canary)))

    read = ApiClient().get(path, headers={"If-None-Match": tag})
    assert (read.status_code, read.json()["payment"]["customer_name"]) == (200, "Deleted customer")
    lines = [event["type"] for event in ApiClient(key).get(f"{path}/timeline").json()["events"]]
    assert lines[-1] == "payment.erased"


@pytest.mark.parametrize("password", [NEW_PASSWORD, ""])
def test_the_password_is_asked_for_once_more(canary, password):
    answer = leave(ApiClient(access_token(canary)), current_password=password)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_password")
    assert list(answer.json()["errors"]) == ["current_password"]
    assert User.objects.get().deleted_at is None


def test_the_second_factor_is_asked_for_too(canary):
    client = ApiClient(access_token(canary))
    phone, _ = with_phone(canary)

    assert leave(client).json()["code"] == "otp_required"
    assert leave(client, otp="000000").json()["code"] == "otp_invalid"
    assert leave(client, otp=phone.code()).status_code == 204


def test_not_while_money_is_on_its_way_and_then_nothing_is_done(canary):
    moving = make_payment(status="processing", account=canary)

    answer = leave(ApiClient(access_token(canary)))

    assert (answer.status_code, answer.json()["code"]) == (409, "payment_processing")
    assert moving.reference in answer.json()["message"]
    assert Subscription.objects.get().status == "active"
    canary.refresh_from_db()
    assert canary.deleted_at is None
    assert not Payment.objects.filter(customer_name="Deleted customer").exists()


def test_who_goes_declines_what_they_were_invited_to(merchant):
    bob = make_user("bob")
    invited = invite(merchant, bob, Role.OWNER)

    assert leave(ApiClient(access_token(bob))).status_code == 204

    assert not Membership.objects.exists()
    line = AuditEntry.objects.get()
    assert (line.actor, line.action, line.subject) == ("bob", "staff.declined", invited.reference)


def test_the_last_owner_of_a_business_stays(merchant):
    owner = make_staff(merchant, "owner", "owner")

    answer = leave(ApiClient(access_token(owner)))

    assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    put_on_staff(merchant, make_user("second"), Role.OWNER)
    assert leave(ApiClient(access_token(owner))).status_code == 204
    assert not Membership.objects.filter(user=owner).exists()
    line = AuditEntry.objects.get()
    assert (line.actor_kind, line.actor, line.action) == (
        "staff",
        "owner",
        "staff.left",
    )  # The trail keeps it.


def test_what_somebody_else_pays_with_too_stays(canary, merchant, gateway):
    theirs = make_method(customer=Customer.objects.get(), last4="1111")
    eve = make_user("eve")  # Who gave the same address, as anybody can.
    make_subscription(merchant, payment_method=theirs, customer_email=canary.email, account=eve)

    leave(ApiClient(access_token(canary)))
    run_due_jobs()

    theirs.refresh_from_db()
    assert (theirs.removed_at, theirs.last4) == (None, "1111")
    assert Customer.objects.get().email == canary.email
    assert PaymentMethod.objects.exclude(pk=theirs.pk).get().token == ""
    assert set(Subscription.objects.values_list("status", flat=True)) == {"active", "canceled"}


def test_what_was_paid_as_a_guest_under_the_confirmed_address_is_theirs_too(canary, merchant):
    guests = make_payment(merchant, customer_name=f"{CANARY} guest", customer_email=canary.email.upper())
    client = ApiClient(access_token(canary))
    told = client.get(EXPORT).json()["export"]

    leave(client)

    guests.refresh_from_db()
    assert guests.reference in [payment["id"] for payment in told["payments"]]
    assert (guests.customer_name, guests.account) == ("Deleted customer", canary)


def test_other_peoples_rows_are_not_touched(canary, merchant):
    other = make_payment(
        merchant, account=make_user("eve"), customer_name="Eve", customer_email="eve@example.com"
    )
    guests = make_payment(merchant, customer_name="Guest")
    event = make_inbound_event(make_settled(guests), body=b"{}")

    leave(ApiClient(access_token(canary)))
    run_due_jobs()

    for payment, name in ((other, "Eve"), (guests, "Guest")):
        payment.refresh_from_db()
        assert payment.customer_name == name
    event.refresh_from_db()
    assert bytes(event.body) == b"{}"


def test_leaving_is_refused_with_unknown_members_and_without_a_body(canary):
    client = ApiClient(access_token(canary))

    assert leave(client, confirm=True).json()["code"] == "unknown_member"
    assert client.delete(ME).json()["code"] == "required"


def test_the_export_has_all_that_is_kept(canary):
    answer = ApiClient(access_token(canary)).get(EXPORT)

    told = answer.json()["export"]
    assert answer["Content-Disposition"] == 'attachment; filename="account.json"'
    assert answer["Cache-Control"] == "no-store"
    assert told["account"]["username"] == canary.username
    assert len(told["payments"]) == 2
    assert {payment["customer_email"] for payment in told["payments"]} == {canary.email}
    assert [s["id"] for s in told["subscriptions"]] == [Subscription.objects.get().reference]
    assert [m["last4"] for m in told["payment_methods"]] == ["4081"]
    assert [(c["text"], c["address"]) for c in told["consents"]] == [("Again.", "203.0.113.7")]
    assert len(told["logins"]) == 1


def test_the_export_has_no_secret_and_nothing_of_others(canary, merchant):
    make_payment(merchant, account=make_user("eve"), customer_name="Eve Other")
    method = PaymentMethod.objects.get()

    text = ApiClient(access_token(canary)).get(EXPORT).content.decode()

    for secret in (method.token, method.signature, canary.password, "Eve Other", 'metadata": {"', '"fee"'):
        assert secret not in text
