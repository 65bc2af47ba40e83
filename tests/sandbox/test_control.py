"""The control API and its page: what they do, and what they say to wrong input."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Client

PAY = {"gateway": "paystack", "reference": "r-1", "outcome": "success"}


def test_health_and_index(client: Client) -> None:
    assert client.http.get("/control/health").json() == {"status": "ok"}
    assert client.http.get("/").json()["gateways"] == {"paystack": f"{client.sandbox.url}/paystack"}
    assert "/control/pay" in client.http.get("/control").json()["control"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("pay", {}),
        ("pay", {**PAY, "gateway": "cash"}),
        ("pay", {**PAY, "gateway": ["paystack"]}),
        ("pay", {**PAY, "reference": 7}),
        ("pay", {**PAY, "outcome": "win"}),
        ("pay", {**PAY, "outcome": None}),
        ("pay", {**PAY, "outcome": ["success"]}),
        ("pay", {**PAY, "outcome": "settle"}),
        ("pay", {**PAY, "outcome": "other_amount"}),
        ("pay", {**PAY, "outcome": "other_amount", "amount_minor": -1}),
        ("pay", {**PAY, "outcome": "other_amount", "amount_minor": 1.5}),
        ("pay", {**PAY, "leaves": "reversed"}),
        ("pay", {**PAY, "colour": "red"}),
        ("refund", {"gateway": "paystack", "reference": "r-1", "outcome": "success"}),
        ("refund", {"gateway": "paystack", "reference": "r-1", "outcome": "maybe"}),
        ("dispute", {"gateway": "paystack", "reference": "r-1", "action": "open"}),
        ("dispute", {"gateway": "paystack", "reference": "r-1", "action": "won"}),
        ("dispute", {"gateway": "paystack", "reference": "r-1"}),
        ("methods", {"gateway": "paystack", "reference": "r-1", "next": ["success"]}),
        ("methods", {"gateway": "paystack", "reference": "r-1", "next": ["fly"]}),
        ("methods", {"gateway": "paystack", "reference": "r-1", "next": [["success"]]}),
        ("methods", {"gateway": "paystack", "reference": "r-1", "next": "success"}),
        ("clock", {}),
        ("clock", {"advance_s": -1}),
        ("clock", {"advance_s": "5"}),
        ("clock", {"advance_s": True}),
        ("clock", {"advance_s": 1.5}),
        ("clock", {"advance_s": 10**12}),
        ("faults", {}),
        ("faults", {"faults": []}),
        ("faults", {"faults": ["x"]}),
    ],
)
def test_wrong_input_is_400_with_advice_and_changes_nothing(client: Client, path: str, body: Any) -> None:
    client.initialize()

    reply = client.http.post(f"/control/{path}", json=body)

    assert (reply.status_code, len(reply.json()["error"]) > 10) == (400, True)
    assert (client.journal(), client.events()) == ([], [])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"match": "paystack.fly"}, "match"),
        ({"match": "cash.verify"}, "match"),
        ({"match": None}, "match"),
        ({"fault": "token_expired"}, "fault"),
        ({"fault": None}, "fault"),
        ({"fault": ["html"]}, "fault"),
        ({"fault": "wrong_account", "match": "paystack.refund"}, "paystack.verify"),
        ({"nth": 0}, "nth"),
        ({"nth": "1"}, "nth"),
        ({"times": -1}, "times"),
        ({"times": True}, "times"),
        ({"args": []}, "args"),
        ({"args": {"speed": 1}}, "speed"),
        ({"args": {"seconds": "1"}}, "seconds"),
        ({"args": {"seconds": -1}}, "seconds"),
        ({"args": {"n": 1.5}}, "args.n"),
        ({"args": {"word": ""}}, "word"),
        ({"when": "now"}, "when"),
    ],
)
def test_a_wrong_fault_is_refused_with_all_its_list(client: Client, change: Any, word: str) -> None:
    good = {"match": "paystack.verify", "fault": "html"}

    reply = client.http.post("/control/faults", json={"faults": [good, {**good, **change}]})

    assert (reply.status_code, word in reply.json()["error"]) == (400, True)
    assert client.http.get("/control/faults").json() == {"faults": []}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"null", b"\xff\xfe", b"[" * 100_000, b'{"advance_s": NaN}']
)
def test_no_body_makes_it_stumble(client: Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    paths = ("pay", "refund", "dispute", "methods", "faults", "clock")

    replies = [client.http.post(f"/control/{path}", content=body, headers=headers) for path in paths]

    assert {reply.status_code for reply in replies} == {400}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/control/pay", 404),
        ("GET", "/control/nothing", 404),
        ("GET", "/nothing", 404),
        ("DELETE", "/control/journal", 405),
        ("POST", "/control/events/77/deliver", 404),
        ("POST", "/control/events/x/deliver", 404),
        ("POST", f"/control/events/{'9' * 5000}/deliver", 404),
        ("GET", "/control/journal?after=x", 400),
    ],
)
def test_unknown_things_are_named_as_such(client: Client, method: str, path: str, status: int) -> None:
    reply = client.http.request(method, path, json=None if method != "POST" else PAY)

    assert (reply.status_code, "error" in reply.json()) == (status, True)


def test_what_curl_calls_a_form_is_read_as_json(client: Client) -> None:
    client.initialize()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = '{"gateway": "paystack", "reference": "r-1", "outcome": "success"}'

    assert client.http.post("/control/pay", content=body, headers=headers).status_code == 200


def test_paying_tells_what_came_of_it(client: Client) -> None:
    client.initialize(callback_url="https://shop.example/")

    told = client.pay()

    assert told["redirect_url"] == "https://shop.example/?reference=r-1&trxref=r-1"
    assert (told["transaction"]["status"], told["transaction"]["amount_minor"]) == ("success", 500_000)


def test_the_journal_can_be_read_from_a_place_on(client: Client) -> None:
    for reference in ("a", "b"):
        client.initialize(reference)
        client.pay(reference)

    after = client.http.get("/control/journal?after=1").json()["entries"]
    only = client.http.get("/control/journal?reference=a").json()["entries"]

    assert [entry["seq"] for entry in after] == [2]
    assert [entry["seq"] for entry in only] == [1]


def test_the_clock_moves_forward(client: Client) -> None:
    before = client.http.get("/control/clock").json()
    client.advance(86_400)

    after = client.http.get("/control/clock").json()

    assert (before["offset_s"], after["offset_s"]) == (0, 86_400)
    assert after["now"] > before["now"]


def test_a_person_can_do_it_by_form(client: Client) -> None:
    client.initialize()
    client.pay()
    fault = {"match": "paystack.verify", "fault": "wrong_amount", "args": '{"amount_minor": 5}', "nth": "1"}
    set_fault = client.http.post("/control/faults", data=fault)
    client.http.post("/control/clock", data={"advance_s": "60"})

    page = client.http.get("/control", headers={"Accept": "text/html"}).text

    assert (set_fault.status_code, set_fault.headers["Location"]) == (303, "/control")
    assert "amount_minor" in page
    assert "charge.success" in page
    assert client.verify()["amount"] == 5
    assert client.http.get("/control/clock").json()["offset_s"] == 60
    client.http.post("/control/faults", data={"clear": "1"})
    assert client.http.get("/control/faults").json() == {"faults": []}


def test_a_wrong_form_shows_a_page(client: Client) -> None:
    headers = {"Accept": "text/html"}
    reply = client.http.post("/control/faults", data={"match": "x", "args": "{"}, headers=headers)

    assert (reply.status_code, "Not possible" in reply.text) == (400, True)
    assert "Payment gateways, offline" in client.http.get("/", headers=headers).text
