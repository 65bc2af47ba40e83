"""Webhook endpoints: who may add one, where it may lead, and its secret."""

import json
import socket
from datetime import timedelta

import pytest

from tests.api.client import ApiClient
from tests.builders import access_token, make_endpoint, make_payment, make_settled, make_staff
from tillgate.common import clock
from tillgate.common.crypto import decrypt
from tillgate.events.models import Delivery, Endpoint, OutboxEvent
from tillgate.events.services.endpoints import MOST
from tillgate.events.signing import is_secret
from tillgate.merchants.models import AuditEntry
from tillgate.merchants.roles import Scope
from tillgate.merchants.services.keys import NewKey, create_key

ENDPOINTS = "/api/v1/webhook-endpoints"
URL = "https://shop.example/hooks"


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """A name server of our own: nobody is asked, and every name is public unless it is listed."""
    listed = {"inside.example": ["10.0.0.7"], "both.example": ["93.184.216.34", "127.0.0.1"]}

    def look_up(host, port, *args, **more):
        if host == "nowhere.example":
            raise socket.gaierror("no such name")
        found = listed.get(host, ["93.184.216.34"])
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def add(client, **members):
    return client.post(ENDPOINTS, {"url": URL, **members})


def one(client, **members):
    return add(client, **members).json()["webhook_endpoint"]


def test_an_endpoint_is_added_and_its_secret_shown_once(owner):
    answer = add(owner, description="Orders", events=["payment.completed", "refund.*"])

    made = answer.json()["webhook_endpoint"]
    assert answer.status_code == 201
    assert answer["Location"] == f"{ENDPOINTS}/{made['id']}"
    assert is_secret(made["secret"])
    assert made["added_by"].startswith("sk_test_")
    shown = owner.get(answer["Location"]).json()["webhook_endpoint"]
    assert "secret" not in shown
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert owner.get(ENDPOINTS).json()["webhook_endpoints"] == [shown]


def test_the_secret_is_encrypted_in_the_table(owner):
    secret = one(owner)["secret"]

    stored = Endpoint.objects.get()
    assert secret.removeprefix("whsec_") not in stored.secret
    assert decrypt(stored.secret) == secret


def test_s31_only_a_key_or_a_person_with_the_admin_scope_may_add_one(owner, guest, merchant):
    reader = ApiClient(create_key(merchant, NewKey(mode="test", scopes=[Scope.READ, Scope.CREATE]))[1])
    manager = ApiClient(access_token(make_staff(merchant, "manager")))
    boss = ApiClient(access_token(make_staff(merchant, "owner")))

    assert [add(client).status_code for client in (guest, reader, manager, boss)] == [401, 403, 403, 201]
    assert Endpoint.objects.get().added_by == f"owner-{merchant.pk}"
    assert reader.get(ENDPOINTS).status_code == 403


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hooks",
        "https://user:secret@shop.example/",
        "https://shop.example:22/",
        "https://shop.example/#part",
        "ftp://shop.example/",
        "shop.example",
        "https://",
        "https://inside.example/",
        "https://both.example/",
        "https://nowhere.example/",
        "https://exämple.example/",
    ],
)
def test_a27_an_address_that_leads_nowhere_good_is_refused_by_name(owner, url, settings):
    settings.IS_LOCAL = False

    answer = add(owner, url=url)

    assert answer.status_code == 400
    assert (answer.json()["code"], list(answer.json()["errors"])) == ("invalid_url", ["url"])
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("events", [["payment.paid"], ["*.completed"], [""], []])
def test_an_unknown_type_is_refused(owner, events):
    assert list(add(owner, events=events).json()["errors"]) == ["events"]


def test_one_address_is_told_once(owner, stranger):
    made = one(owner)

    answer = add(owner)

    assert (answer.status_code, answer.json()["code"]) == (409, "endpoint_exists")
    assert made["id"] in answer.json()["message"]
    assert add(stranger).status_code == 201


def test_there_is_an_end_to_endpoints(owner, merchant):
    for _ in range(MOST):
        make_endpoint(merchant)

    assert add(owner).json()["code"] == "too_many_endpoints"


def test_an_endpoint_is_changed(owner):
    made = one(owner)

    changed = owner.patch(
        f"{ENDPOINTS}/{made['id']}",
        json.dumps({"url": "https://shop.example/other", "description": "New", "events": ["payment.*"]}),
        content_type="application/json",
    ).json()["webhook_endpoint"]

    assert (changed["url"], changed["description"], changed["events"]) == (
        "https://shop.example/other",
        "New",
        ["payment.*"],
    )


def test_o06_disabled_it_gets_nothing_and_what_waits_is_dropped(owner, merchant):
    made = one(owner)
    make_settled(make_payment(merchant))

    answer = patch(owner, made, enabled=False)

    assert answer.json()["webhook_endpoint"]["disabled_reason"] == "switched_off"
    assert Delivery.objects.get().state == "dropped"
    again = patch(owner, made, enabled=True).json()["webhook_endpoint"]
    assert (again["enabled"], again["disabled_at"], again["disabled_reason"]) == (True, None, None)


def patch(client, made, **members):
    return client.patch(f"{ENDPOINTS}/{made['id']}", json.dumps(members), content_type="application/json")


def test_o06_deleted_it_is_gone_and_its_secret_forgotten(owner, merchant):
    made = one(owner)
    make_settled(make_payment(merchant))

    answer = owner.delete(f"{ENDPOINTS}/{made['id']}")

    assert answer.status_code == 204
    assert owner.get(f"{ENDPOINTS}/{made['id']}").status_code == 404
    stored = Endpoint.objects.get()
    assert (stored.secret, Delivery.objects.get().state) == ("", "dropped")
    assert add(owner).status_code == 201  # The address is free again.


def test_a_new_secret_leaves_the_former_one_a_day(owner):
    made = one(owner)

    rotated = owner.post(f"{ENDPOINTS}/{made['id']}/rotate-secret", {}).json()["webhook_endpoint"]

    stored = Endpoint.objects.get()
    assert decrypt(stored.secret) == rotated["secret"] != made["secret"] == decrypt(stored.former_secret)
    assert stored.former_secret_ends_at
    left = stored.former_secret_ends_at - clock.now()
    assert timedelta(hours=23) < left <= timedelta(days=1)
    assert rotated["former_secret_until"]


def test_the_overlap_is_the_callers_choice_up_to_a_week(owner):
    made = one(owner)
    path = f"{ENDPOINTS}/{made['id']}/rotate-secret"

    assert owner.post(path, {"overlap": 8 * 86_400}).status_code == 400
    assert owner.post(path, {"overlap": 0}).status_code == 200
    ends_at = Endpoint.objects.get().former_secret_ends_at
    assert ends_at
    assert ends_at <= clock.now()


def test_a_test_event_tells_of_the_endpoint(owner):
    made = one(owner, events=["refund.failed"])

    answers = [owner.post(f"{ENDPOINTS}/{made['id']}/test", {}) for _ in range(2)]

    events = [answer.json()["event"] for answer in answers]
    assert [(event["type"], event["sequence"]) for event in events] == [
        ("endpoint.test", 1),
        ("endpoint.test", 2),
    ]
    assert events[0]["data"]["id"] == made["id"]
    assert answers[0]["Location"] == f"/api/v1/events/{events[0]['id']}"
    assert Delivery.objects.filter(event__subject=made["id"], state="pending").count() == 2


def test_a_disabled_endpoint_is_not_tested(owner):
    made = one(owner, enabled=False)

    assert owner.post(f"{ENDPOINTS}/{made['id']}/test", {}).json()["code"] == "endpoint_disabled"


def test_the_settings_endpoint_is_not_moved_by_the_api(owner, merchant):
    made = {"id": make_endpoint(merchant, from_settings=True).reference}

    refusals = [
        patch(owner, made, url="https://shop.example/new"),
        owner.delete(f"{ENDPOINTS}/{made['id']}"),
        owner.post(f"{ENDPOINTS}/{made['id']}/rotate-secret", {}),
    ]

    assert {answer.json()["code"] for answer in refusals} == {"endpoint_of_settings"}
    assert patch(owner, made, events=["payment.*"]).status_code == 200


def test_what_is_done_is_in_the_trail(owner):
    made = one(owner)
    owner.post(f"{ENDPOINTS}/{made['id']}/rotate-secret", {})
    owner.delete(f"{ENDPOINTS}/{made['id']}")

    trail = AuditEntry.objects.order_by("pk").values_list("action", "subject")
    assert list(trail) == [
        ("endpoint.created", made["id"]),
        ("endpoint.secret_rotated", made["id"]),
        ("endpoint.deleted", made["id"]),
    ]


def test_o07_another_merchants_endpoints_are_not_there(owner, stranger, live_owner):
    made = one(owner)
    path = f"{ENDPOINTS}/{made['id']}"

    for other in (stranger, live_owner):
        assert other.get(ENDPOINTS).json()["webhook_endpoints"] == []
        found = [other.get(path), other.delete(path), patch(other, made, enabled=False)]
        found += [other.post(f"{path}/{word}", {}) for word in ("test", "rotate-secret")]
        assert {answer.status_code for answer in found} == {404}
    assert Endpoint.objects.get().enabled
    assert not OutboxEvent.objects.exists()
