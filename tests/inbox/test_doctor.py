"""What the doctor says of webhooks."""

from datetime import timedelta

import pytest

from tests.builders import make_attempt, make_inbound_event, make_payment, make_settled
from tillgate.common import clock
from tillgate.inbox import doctor, metrics

PUBLIC = "https://pay.example.com"
URL = f"{PUBLIC}/api/v1/webhooks/paystack"


@pytest.fixture(autouse=True)
def reachable(settings):
    settings.TILLGATE_PUBLIC_URL = PUBLIC


def event(merchant, **fields):
    return make_inbound_event(make_attempt(make_payment(merchant)), **fields)


def only(examination):
    (finding,) = examination()
    return finding


def test_an_https_address_of_its_own_is_well():
    finding = only(doctor.address)

    assert (finding.verdict, PUBLIC in finding.seen) == ("ok", True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "https://localhost", "http://[::1]:8000"])
def test_this_machines_own_address_is_reached_by_nobody(settings, url):
    settings.TILLGATE_PUBLIC_URL = url
    locally = only(doctor.address)
    settings.IS_LOCAL = False
    in_production = only(doctor.address)

    assert (locally.verdict, in_production.verdict) == ("ok", "broken")
    assert "TILLGATE_PUBLIC_URL" in in_production.fix


def test_an_address_in_the_clear_is_to_be_looked_at(settings):
    settings.TILLGATE_PUBLIC_URL = "http://pay.example.com"

    assert only(doctor.address).verdict == "look at it"


def test_the_exact_url_is_told_before_anything_came(merchant):
    finding = only(doctor.arrivals)

    assert (finding.verdict, finding.seen) == (
        "ok",
        f"paystack (test): no event yet, and no payment. Its webhook URL is {URL}",
    )


def test_a_payment_without_any_event_is_to_be_looked_at(merchant):
    make_settled(make_payment(merchant))
    finding = only(doctor.arrivals)

    assert (finding.verdict, finding.seen) == (
        "look at it",
        "paystack (test): payments came in, and no genuine event did.",
    )
    assert finding.fix == f"Put {URL} into paystack's dashboard as the webhook URL of its test mode."


def test_an_event_that_came_says_when(merchant):
    make_settled(make_payment(merchant))
    came = event(merchant)
    finding = only(doctor.arrivals)

    assert finding.verdict == "ok"
    assert f"{came.received_at:%Y-%m-%d %H:%M} UTC" in finding.seen


def test_events_that_stopped_while_payments_go_on_are_to_be_looked_at(merchant):
    event(merchant, received_at=clock.now() - timedelta(days=2))
    make_settled(make_payment(merchant))
    finding = only(doctor.arrivals)

    assert finding.verdict == "look at it"
    assert URL in finding.fix


def test_what_is_not_applied_is_counted(merchant):
    assert only(doctor.unapplied_events).verdict == "ok"
    event(merchant, received_at=clock.now() - timedelta(hours=2))
    event(merchant, state="parked")

    assert only(doctor.unapplied_events).verdict == "look at it"
    (figure,) = metrics.events()
    assert figure.samples == {("stored",): 1, ("parked",): 1}


def test_only_the_newest_events_are_read(merchant, monkeypatch):
    monkeypatch.setattr(metrics, "NEWEST", 2)
    for _ in range(3):
        event(merchant)

    (figure,) = metrics.events()
    assert figure.samples == {("stored",): 2, ("parked",): 0}
