"""What the doctor says of events out, and what whoever watches is told of them."""

from datetime import timedelta

from tests.builders import make_endpoint
from tillgate.common import clock
from tillgate.events import doctor, metrics
from tillgate.events.models import Delivery, Endpoint
from tillgate.events.services.endpoints import send_test


def verdicts(examination):
    return [finding.verdict.value for finding in examination()]


def figures():
    return {figure.name: figure.samples[()] for figure in metrics.deliveries()}


def give_up(endpoint, reason="failing"):
    Endpoint.objects.filter(pk=endpoint.pk).update(
        enabled=False, disabled_at=clock.now(), disabled_reason=reason
    )


def test_an_installation_that_tells_nobody_is_well(merchant):
    assert verdicts(doctor.sending) == ["ok", "ok"]
    assert list(doctor.endpoint_secrets()) == []
    assert set(figures().values()) == {0}


def test_events_that_nobody_sends_are_to_be_looked_at(merchant):
    send_test(make_endpoint(merchant).pk)
    assert verdicts(doctor.sending) == ["ok", "ok"]

    Delivery.objects.update(next_try_at=clock.now() - timedelta(hours=1))
    assert verdicts(doctor.sending) == ["ok", "look at it"]
    shown = figures()
    assert (shown["deliveries_waiting"], shown["deliveries_due"]) == (1, 1)
    assert 3_600 <= shown["deliveries_oldest_due_seconds"] < 3_700


def test_an_endpoint_that_was_given_up_is_counted_and_not_named(merchant):
    endpoint = make_endpoint(merchant)
    give_up(endpoint)

    first, second = doctor.sending()
    assert first.seen == "0 endpoints are told of events; 0 are on their way, 0 of them due."
    assert second.seen == "1 thing of the events to endpoints waits for a person."
    assert endpoint.reference not in second.seen + second.fix
    assert figures()["endpoints_given_up"] == 1


def test_one_that_its_merchant_switched_off_waits_for_nobody(merchant):
    give_up(make_endpoint(merchant), "switched_off")

    assert verdicts(doctor.sending) == ["ok", "ok"]
    assert figures()["endpoints_given_up"] == 0


def test_tries_and_failures_are_counted(merchant):
    make_endpoint(merchant)
    Endpoint.objects.update(sends=7, failures=2)

    assert (figures()["delivery_tries_total"], figures()["delivery_failures_total"]) == (7, 2)


def test_secrets_that_no_key_opens_are_broken(merchant, settings):
    make_endpoint(merchant)
    assert verdicts(doctor.endpoint_secrets) == ["ok"]

    settings.TILLGATE_ENCRYPTION_KEYS = ("b3RoZXItb25seS1vdGhlci1vbmx5LW90aGVyLW9ubHk=",)
    assert verdicts(doctor.endpoint_secrets) == ["broken"]
