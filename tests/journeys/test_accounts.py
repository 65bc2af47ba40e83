"""From signing up to stopping, on both families of routes; and how a guest's payments find their owner."""

import pytest

from tests.builders import PASSWORD
from tests.journeys.conftest import Person
from tillgate.payments.services import history

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

ADA = "ada@example.com"
ORDER = {"customer_name": "Ada Obi", "customer_email": ADA, "amount": 50.00}
DUKKA = {"email": ADA, "amount": 50.00, "subscription_plan": True, "payment_interval": "monthly"}
MONTH_S = 32 * 86_400


def test_sign_up_pay_history_and_stop(world):
    ada = Person(world)
    ada.sign_up("ada", ADA)
    ada.sign_in("ada")

    once = ada.call("post", "/api/v1/payments", ORDER)["payment"]
    monthly = ada.call("post", "/api/v1/payments", {**ORDER, "recurring": {"interval": "monthly"}})["payment"]
    for payment in (once, monthly):
        path = f"/api/v1/payments/{payment['id']}/attempts"
        opened = ada.call("post", path, {"gateway": "paystack"})["attempt"]
        ada.pay_at_gateway(opened["gateway_reference"])

    assert ada.paid() == [f"{monthly['id']} completed", f"{once['id']} completed"]
    [plan] = ada.call("get", "/api/v1/me/subscriptions")["subscriptions"]
    assert (plan["id"], plan["status"]) == (monthly["subscription"], "active")

    world.wait(MONTH_S)
    assert (len(ada.paid()), world.charges()) == (3, 3)

    stopped = ada.call("post", f"/api/v1/me/subscriptions/{plan['id']}/stop")["subscription"]
    world.wait(MONTH_S)
    assert (stopped["status"], stopped["end_reason"]) == ("canceled", "customer")
    assert (len(ada.paid()), world.charges()) == (3, 3)


def test_sign_up_pay_history_and_stop_by_the_dukka_api(world):
    ada = Person(world, scheme="JWT")
    ada.sign_up("ada", ADA)
    ada.sign_in("ada", "/api/token/", "token")

    opened = ada.call("post", "/dukka/api/initialize-payment/", DUKKA)
    ada.pay_at_gateway(opened["reference"])
    [first] = ada.call("get", "/dukka/api/payments-history/")["payments"]
    assert (first["reference"], first["status"]) == (opened["reference"], "completed")
    assert (first["subscription_status"], first["payment_interval"]) == ("active", "monthly")

    world.wait(MONTH_S)
    rows = ada.call("get", "/dukka/api/payments-history/")["payments"]
    assert [row["status"] for row in rows] == ["completed", "completed"]

    stopped = ada.call("post", f"/dukka/api/stop-payment/{first['id']}/")["payment"]
    world.wait(MONTH_S)
    assert stopped["subscription_status"] == "canceled"
    assert len(ada.call("get", "/dukka/api/payments-history/")["payments"]) == 2
    assert world.charges() == 2


def test_paystack_fails_and_the_same_request_goes_on(world):
    ada = Person(world)
    ada.sign_up("ada", ADA)
    ada.sign_in("ada")
    world.fault("initialize", "500_before")

    failed = ada.ask("post", "/dukka/api/initialize-payment/", DUKKA, **{"Idempotency-Key": "pledge-17"})
    opened = ada.call("post", "/dukka/api/initialize-payment/", DUKKA, **{"Idempotency-Key": "pledge-17"})
    ada.pay_at_gateway(opened["reference"])

    assert (failed.status_code, failed.json()["payment"]["id"]) == (502, opened["payment"]["id"])
    assert ada.paid() == [f"{opened['payment']['id']} completed"]


def test_a_guest_pays_signs_up_confirms_the_email_and_sees_it(world):
    guest = Person(world)
    payment = guest.call("post", "/api/v1/payments", ORDER)["payment"]
    opened = guest.call("post", f"/api/v1/payments/{payment['id']}/attempts")["attempt"]
    guest.pay_at_gateway(opened["gateway_reference"])

    ada = Person(world)
    ada.sign_up("ada", ADA)
    ada.sign_in("ada")
    before = ada.paid()
    ada.confirm(ADA)

    assert (before, ada.paid()) == ([], [f"{payment['id']} completed"])


def test_a_second_email_is_looked_for_from_the_start(world, monkeypatch):
    monkeypatch.setattr(history, "MARGIN", 0)
    guest, old = Person(world), "old@example.com"
    earlier = guest.call("post", "/api/v1/payments", {**ORDER, "customer_email": old})["payment"]
    later = guest.call("post", "/api/v1/payments", ORDER)["payment"]
    ada = Person(world)
    ada.sign_up("ada", ADA)
    ada.sign_in("ada")
    ada.confirm(ADA)
    first = ada.paid()

    ada.call("patch", "/auth/users/me/", {"email": old, "current_password": PASSWORD})
    ada.confirm(old)

    assert first == [f"{later['id']} pending"]
    assert ada.paid() == [f"{later['id']} pending", f"{earlier['id']} pending"]
