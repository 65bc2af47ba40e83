"""GET /events, for a receiver that was down, and events that are sent again."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from tests.builders import make_endpoint, make_payment, make_settled
from tillgate.common import clock
from tillgate.events.models import Delivery, OutboxEvent

EVENTS = "/api/v1/events"


@pytest.fixture
def endpoint(merchant):
    return make_endpoint(merchant)


@pytest.fixture
def paid(endpoint, merchant):
    return [make_settled(make_payment(merchant)).payment for _ in range(3)]


def ids(answer):
    return [event["id"] for event in answer.json()["events"]]


def test_events_are_listed_newest_first_with_the_object_as_it_was_sent(owner, paid):
    answer = owner.get(EVENTS)

    newest = answer.json()["events"][0]
    stored = OutboxEvent.objects.get(reference=newest["id"])
    assert [event["subject"] for event in answer.json()["events"]] == [
        payment.reference for payment in reversed(paid)
    ]
    assert (newest["type"], newest["sequence"]) == ("payment.completed", stored.sequence)
    assert b'"amount":50.00' in answer.content


def test_a_page_leads_to_the_next(owner, paid):
    first = owner.get(f"{EVENTS}?limit=2")
    rest = owner.get(first.json()["next"])

    assert len(ids(first)) == 2
    assert len(ids(rest)) == 1
    assert set(ids(first)).isdisjoint(ids(rest))


def test_events_are_filtered_by_type_subject_and_time(owner, paid):
    subject = paid[1].reference
    ahead = quote((clock.now() + timedelta(minutes=1)).isoformat())

    assert len(ids(owner.get(f"{EVENTS}?type=payment.completed"))) == 3
    assert ids(owner.get(f"{EVENTS}?type=refund.failed")) == []
    [found] = owner.get(f"{EVENTS}?subject={subject}").json()["events"]
    assert found["subject"] == subject
    assert ids(owner.get(f"{EVENTS}?created_after={ahead}")) == []
    assert len(ids(owner.get(f"{EVENTS}?created_before={ahead}"))) == 3
    assert owner.get(f"{EVENTS}?kind=x").status_code == 400


def test_an_event_is_read_with_its_deliveries(owner, paid, endpoint):
    reference = ids(owner.get(EVENTS))[0]
    Delivery.objects.filter(event__reference=reference).update(
        state="delivered",
        tries=2,
        next_try_at=None,
        last_status=200,
        last_try_at=clock.now(),
        last_answer="ok",
    )

    [delivery] = owner.get(f"{EVENTS}/{reference}/deliveries").json()["deliveries"]

    assert owner.get(f"{EVENTS}/{reference}").json()["event"]["id"] == reference
    assert (delivery["endpoint"], delivery["state"], delivery["tries"]) == (
        endpoint.reference,
        "delivered",
        2,
    )
    assert (delivery["status"], delivery["answer"], delivery["error"]) == (200, "ok", None)


def test_an_event_is_sent_again_to_all_that_subscribe(owner, paid, merchant, endpoint):
    new = make_endpoint(merchant, events=["payment.completed"])
    make_endpoint(merchant, events=["refund.*"])
    make_endpoint(merchant, enabled=False)
    reference = ids(owner.get(EVENTS))[0]
    Delivery.objects.update(state="exhausted", next_try_at=None, tries=10)

    sent = owner.post(f"{EVENTS}/{reference}/redeliver", {}).json()["deliveries"]

    assert [one["endpoint"] for one in sent] == [endpoint.reference, new.reference]
    assert {(one["state"], one["tries"]) for one in sent} == {("pending", 0)}


def test_an_event_is_sent_again_to_one_that_is_named(owner, paid, merchant, endpoint):
    other = make_endpoint(merchant, events=["refund.*"])
    reference = ids(owner.get(EVENTS))[0]

    answer = owner.post(f"{EVENTS}/{reference}/redeliver", {"endpoint": other.reference})

    assert [one["endpoint"] for one in answer.json()["deliveries"]] == [other.reference]


def test_without_an_endpoint_nothing_is_sent_again(owner, paid, merchant, endpoint):
    reference = ids(owner.get(EVENTS))[0]
    disabled = make_endpoint(merchant, enabled=False)
    type(endpoint).objects.filter(pk=endpoint.pk).update(deleted_at=clock.now())

    assert owner.post(f"{EVENTS}/{reference}/redeliver", {}).json()["code"] == "no_endpoint"
    named = owner.post(f"{EVENTS}/{reference}/redeliver", {"endpoint": disabled.reference})
    assert named.json()["code"] == "endpoint_disabled"
    gone = owner.post(f"{EVENTS}/{reference}/redeliver", {"endpoint": endpoint.reference})
    assert gone.status_code == 404


def test_o07_another_merchants_events_are_not_there(owner, stranger, live_owner, guest, paid):
    reference = ids(owner.get(EVENTS))[0]

    for other in (stranger, live_owner):
        assert ids(other.get(EVENTS)) == []
        found = [other.get(f"{EVENTS}/{reference}"), other.get(f"{EVENTS}/{reference}/deliveries")]
        found.append(other.post(f"{EVENTS}/{reference}/redeliver", {}))
        assert {answer.status_code for answer in found} == {404}
    assert guest.get(EVENTS).status_code == 401


def test_another_merchants_endpoint_cannot_be_named(owner, paid, other_merchant):
    reference = ids(owner.get(EVENTS))[0]
    theirs = make_endpoint(other_merchant)

    answer = owner.post(f"{EVENTS}/{reference}/redeliver", {"endpoint": theirs.reference})

    assert answer.status_code == 404


def test_a_list_costs_the_same_however_long_it_is(owner, merchant, paid, statements):
    counts = []
    for _ in range(2):
        with statements() as told:
            owner.get(EVENTS)
        counts.append(len(told))
        make_settled(make_payment(merchant))

    assert counts[0] == counts[1]
