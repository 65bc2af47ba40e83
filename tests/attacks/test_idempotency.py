"""A-15, M-01 … M-08: one key is one effect, whoever sends it, however often, in whatever words."""

import json
import unicodedata
from typing import Any

import httpx2
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.attacks.conftest import at
from tests.builders import make_method, make_payment, make_settled
from tests.reliability.killer import Killed
from tests.reliability.truth import assert_in_order
from tests.reliability.world import DAY_S, status_of
from tillgate.payments.models import Attempt, Payment, Refund
from tillgate.subscriptions.models import Cycle, Subscription

BAD_KEYS = ["", "k" * 256, "k" * 10_000, "ké", "a\tb", "a\x00b", "a\r\nX-Evil: 1", "\x7f", "ключ"]
HOUR_S = 3_600
MANY = settings(
    max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
Doors = dict[str, tuple[str, dict[str, Any], dict[str, Any]]]


@pytest.fixture
def doors(merchant, gateway) -> Doors:
    """Each door that creates or moves money: its address, a body, and another body."""
    open_one = make_payment(merchant)
    paid = make_settled(make_payment(merchant)).payment
    plan = {**MINIMAL, "interval": "monthly", "payment_method": make_method(merchant).reference}
    return {
        "payments": (PAYMENTS, MINIMAL, {**MINIMAL, "amount": 51}),
        "attempts": (f"{PAYMENTS}/{open_one.reference}/attempts", {}, {"gateway": "paystack"}),
        "refunds": (f"{PAYMENTS}/{paid.reference}/refunds", {"amount": 20}, {"amount": 21}),
        "subscriptions": ("/api/v1/subscriptions", plan, {**plan, "amount": 51}),
    }


DOORS = ["payments", "attempts", "refunds", "subscriptions"]


def send(caller: ApiClient, door: tuple[str, Any, Any], *, other: bool = False, key: str = "k-1") -> Any:
    path, body, another = door
    return caller.post(path, another if other else body, headers={"Idempotency-Key": key})


def made() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Payment, Attempt, Refund, Subscription, Cycle))


def the_object(answer: Any) -> dict[str, Any]:
    told = answer.json()
    return next(told[name] for name in ("payment", "attempt", "refund", "subscription") if name in told)


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("bad", BAD_KEYS, ids=lambda bad: ascii(bad)[:14])
def test_a15_a_key_that_is_none_is_refused_and_nothing_is_made(owner, doors, name, bad):
    before = made()

    answer = send(owner, doors[name], key=bad.encode().decode("latin-1"))

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")
    assert made() == before


@pytest.mark.parametrize("name", DOORS)
def test_a15_another_callers_key_shows_nothing_of_the_first(owner, stranger, live_owner, doors, name):
    first = the_object(send(owner, doors[name]))

    for caller in (stranger, live_owner):
        answer = send(caller, doors[name])
        assert "Idempotency-Replayed" not in answer
        assert first["id"] not in answer.content.decode()


@pytest.mark.parametrize("name", DOORS)
def test_m02_another_body_under_a_used_key_is_422_and_the_first_is_as_it_was(owner, doors, name):
    first = the_object(send(owner, doors[name]))
    before = made()

    refused, again = send(owner, doors[name], other=True), send(owner, doors[name])

    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert first["id"] not in refused.content.decode()
    assert (the_object(again), made()) == (first, before)


@pytest.mark.parametrize("name", DOORS)
def test_m04_a_hundred_replays_are_answered_with_the_first(owner, doors, name):
    first = send(owner, doors[name])
    before = made()

    answers = [send(owner, doors[name]) for _ in range(100)]

    assert first.status_code == 201
    assert "Idempotency-Replayed" not in first
    assert {(answer.status_code, answer.get("Idempotency-Replayed")) for answer in answers} == {(201, "true")}
    assert [the_object(answer) for answer in answers] == [the_object(first)] * 100
    assert made() == before


@pytest.mark.parametrize("name", DOORS)
def test_m04_a_refused_request_leaves_its_key_free(owner, doors, name):
    path, body, _ = doors[name]
    before = made()

    refused = [
        owner.post(path, {**body, "nonsense": 1}, headers={"Idempotency-Key": "k-1"}) for _ in range(3)
    ]

    assert {answer.status_code for answer in refused} == {400}
    assert made() == before
    assert "Idempotency-Replayed" not in send(owner, doors[name])


def test_m04_what_the_state_forbids_is_judged_anew_and_never_done_twice(owner, doors):
    path, _, _ = doors["refunds"]
    key = {"Idempotency-Key": "k-1"}

    too_much = [owner.post(path, {"amount": 51}, headers=key).status_code for _ in range(3)]
    all_of_it = [owner.post(path, {"amount": 50}, headers=key).status_code for _ in range(3)]

    assert (too_much, all_of_it, Refund.objects.count()) == ([409] * 3, [201] * 3, 1)


@at("paystack")
@pytest.mark.parametrize("fault", ["500_after", "500_before", "half_body", "reset_before"])
def test_m04_after_a_lost_answer_the_same_key_goes_on_with_the_work(world, fault):
    payment = world.order()
    path, key = f"/payments/{payment.reference}/attempts", {"Idempotency-Key": "k-1"}
    world.fault("initialize", fault)

    lost = world.post(path, {"gateway": "paystack"}, **key)
    again = [world.post(path, {"gateway": "paystack"}, **key) for _ in range(5)]
    attempt = Attempt.objects.get(reference=again[-1].json()["attempt"]["id"])
    world.pay(attempt)
    world.wait(20)

    assert lost.status_code in (503, 504)
    assert [answer.status_code for answer in again] == [201] * 5
    assert len({answer.json()["attempt"]["id"] for answer in again}) == 1
    assert (status_of(payment), world.charges()) == ("completed", 1)
    assert_in_order(world)


@at("paystack")
def test_m04_a_refund_whose_answer_is_lost_is_one_refund_however_often_it_is_asked_for(world):
    payment = world.bought()
    world.fault("refund", "500_after")

    answers = [world.refund(payment, "20.00") for _ in range(10)]
    world.work()
    answers += [world.refund(payment, "20.00") for _ in range(10)]
    world.heal()

    assert {answer.status_code for answer in answers} == {201}
    assert [move["amount_minor"] for move in world.journal() if move["kind"] == "refund"] == [2_000]
    assert_in_order(world)


@at("paystack")
def test_m05_a_key_is_kept_for_72_hours_and_as_long_as_its_payment_is_open(world):
    def order(key, **members):
        body = {**MINIMAL, "currency": "NGN", "expires_in": 20 * DAY_S, **members}
        return world.post("/payments", body, **{"Idempotency-Key": key}).json()["payment"]["id"]

    short, long = order("short"), order("long")
    attempt = world.session(Payment.objects.get(reference=short))
    world.pay(attempt)
    world.wait(71 * HOUR_S)
    assert status_of(attempt.payment) == "completed"
    assert (order("short"), order("long")) == (short, long)

    for _ in range(3):
        world.wait(DAY_S)

    assert order("long") == long
    assert order("short") != short
    opened, refund = f"/payments/{long}/attempts", f"/payments/{short}/refunds"
    first = [the_object(world.post(path, {}, **{"Idempotency-Key": "x"}))["id"] for path in (opened, refund)]
    for _ in range(9):
        world.wait(DAY_S)
    again = [the_object(world.post(path, {}, **{"Idempotency-Key": "x"}))["id"] for path in (opened, refund)]
    assert again == first


NAMES = st.sampled_from(["Adébáyọ̀ Ọlọ́runfẹ́mi", "José", "Ada", "Nguyễn Thị Ánh"])
SPELLED = {
    "amount": st.sampled_from(["50", "50.0", "50.00", '"50"', '"50.0"', '"50.00"', '"050"']),
    "customer_email": st.sampled_from(['"john@example.com"', '"JOHN@Example.com"', '" john@example.com "']),
    "currency": st.sampled_from(['"NGN"', "null", None]),
    "description": st.sampled_from(['""', '"  "', None]),
    "gateway": st.sampled_from(["null", None]),
    "metadata": st.sampled_from(["{}", None]),
    "return_url": st.sampled_from(["null", '""', None]),
    "merchant_reference": st.sampled_from(["null", None]),
    "expires_in": st.sampled_from(["86400", None]),
    "recurring": st.sampled_from(["null", None]),
}
SPACES = st.sampled_from(["", " ", "\n", "\t \r\n"])


@st.composite
def spellings(draw: Any, name: str) -> bytes:
    """One way to write the same request."""
    form = draw(st.sampled_from(["NFC", "NFD"]))
    spaces = draw(st.sampled_from(["", " ", "  "]))
    written = json.dumps(
        spaces + unicodedata.normalize(form, name) + spaces, ensure_ascii=draw(st.booleans())
    )
    members = {"customer_name": written} | {member: draw(words) for member, words in SPELLED.items()}
    order = draw(st.permutations([member for member, word in members.items() if word is not None]))
    space = draw(SPACES)
    pairs = [f'{space}"{member}"{space}:{space}{members[member]}{space}' for member in order]
    return f"{space}{{{','.join(pairs)}}}{space}".encode()


@MANY
@given(data=st.data(), name=NAMES)
def test_m07_however_the_same_request_is_written_it_is_the_same(key, merchant, data, name):
    caller = ApiClient(key)
    headers = {"Idempotency-Key": f"same-{ascii(name)[:40]}"}

    first, again = (caller.post(PAYMENTS, data.draw(spellings(name)), headers=headers) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201), again.content
    assert again["Idempotency-Replayed"] == "true"
    assert again.json()["payment"]["id"] == first.json()["payment"]["id"]


OTHERS = {
    "amount": st.integers(1, 10**9).map(lambda minor: f"{minor // 100}.{minor % 100:02}"),
    "currency": st.sampled_from(["USD", "XOF", "GHS"]),
    "customer_name": st.text("abcdefé ", min_size=1, max_size=9).filter(str.strip),
    "description": st.text("abc", min_size=1, max_size=9),
    "expires_in": st.integers(300, 2_000_000),
    "metadata": st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2"]), min_size=1),
}


@MANY
@given(members=st.fixed_dictionaries({}, optional=OTHERS), others=st.fixed_dictionaries({}, optional=OTHERS))
def test_m07_two_requests_of_other_meaning_are_never_taken_for_one(key, merchant, members, others):
    caller, headers = ApiClient(key), {"Idempotency-Key": "k-1"}
    meant = [{name: _meant(name, value) for name, value in one.items()} for one in (members, others)]

    answers = [caller.post(PAYMENTS, {**MINIMAL, **one}, headers=headers) for one in (members, others)]
    Payment.objects.all().delete()

    if any(answer.status_code == 400 for answer in answers):
        return  # It had decimals that its currency has not.
    assert [answer.status_code for answer in answers] == [201, 201 if meant[0] == meant[1] else 422]


def _meant(name: str, value: Any) -> Any:
    return value.strip() if name == "customer_name" else value


class Death:
    """The process dies before its step number `at`: each write, each commit, each request to a gateway."""

    def __init__(self, at: int) -> None:
        self.left = at

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed

    def statement(self, execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE", "RELEASE")):
            self.step()
        return execute(sql, *rest)


def dies(death: Death, monkeypatch: pytest.MonkeyPatch, act: Any) -> bool:
    """Say whether whoever acts was killed on the way."""
    send_it = httpx2.HTTPTransport.handle_request

    def stepping(transport: Any, request: Any) -> Any:
        death.step()
        answer = send_it(transport, request)
        death.step()
        return answer

    with monkeypatch.context() as patch, connection.execute_wrapper(death.statement):
        patch.setattr(httpx2.HTTPTransport, "handle_request", stepping)
        try:
            act()
        except Killed:
            return True
    return False


def until_answered(world: Any, ask: Any) -> Any:
    """The client asks another worker again, and waits when it is told to."""
    for _ in range(4):
        answer = ask()
        if answer.status_code == 201:
            return answer
        assert answer.status_code in (409, 503, 504), answer.content
        world.wait(30)
    raise AssertionError(answer.content)


MAKES: dict[str, dict[str, Any]] = {
    "payment": {},
    "recurring payment": {"recurring": {"interval": "monthly"}},
}


@at("paystack")
@pytest.mark.parametrize("kind", MAKES)
def test_m08_a_server_that_dies_while_it_creates_leaves_one_payment_to_the_repeat(world, monkeypatch, kind):
    body, steps = {**MINIMAL, "currency": "NGN", **MAKES[kind]}, 0
    for number in range(1, 40):
        ask = lambda: world.post("/payments", body, **{"Idempotency-Key": f"k-{number}"})  # noqa: B023, E731

        died = dies(Death(number), monkeypatch, ask)
        answers = [until_answered(world, ask) for _ in range(2)]

        assert len({the_object(answer)["id"] for answer in answers}) == 1
        assert Payment.objects.count() == number
        if not died:
            break
        steps += 1

    assert steps >= (1 if kind == "payment" else 4)
    assert Cycle.objects.count() == (0 if kind == "payment" else Payment.objects.count())


@at("paystack")
def test_m08_a_server_that_dies_while_it_opens_a_session_is_paid_once(world, monkeypatch):
    for number in range(1, 40):
        payment = world.order()
        path, key = f"/payments/{payment.reference}/attempts", {"Idempotency-Key": "k-1"}
        ask = lambda: world.post(path, {}, **key)  # noqa: B023, E731

        died = dies(Death(number), monkeypatch, ask)
        told = the_object(until_answered(world, ask))
        world.pay(Attempt.objects.get(reference=told["id"]))
        world.wait(20)

        assert (status_of(payment), world.charges()) == ("completed", number)
        if not died:
            break

    assert number >= 8, "it was hardly ever killed"
    assert_in_order(world)


@at("paystack")
def test_m08_a_server_that_dies_while_it_accepts_a_refund_sends_the_money_back_once(world, monkeypatch):
    for number in range(1, 40):
        payment = world.bought()
        ask = lambda: world.refund(payment, "20.00")  # noqa: B023, E731

        died = dies(Death(number), monkeypatch, ask)
        answers = [until_answered(world, ask) for _ in range(2)]

        assert len({the_object(answer)["id"] for answer in answers}) == 1
        assert payment.refunds.count() == 1
        if not died:
            break

    assert number >= 3, "it was hardly ever killed"
    world.heal()
    assert sum(move["kind"] == "refund" for move in world.journal()) == number
    assert_in_order(world)
