"""A worker that lives is seen, and nobody is taken for one."""

import pytest

from deploy import worker
from deploy.failed import Failed
from deploy.http import Client
from deploy.worker import refuse_bad_key, see_worker
from tests.deploy.scripted import DOCTOR, examined


@pytest.fixture
def shop(server, monkeypatch):
    monkeypatch.setattr(worker, "POLL_EVERY_S", 0.05)
    monkeypatch.setattr(worker, "CERTAIN_AFTER_S", 2.0)
    return Client(base=f"{server.url}/api/v1", key="sk_test_1", pause_s=0.01)


@pytest.mark.slow
@pytest.mark.journey
def test_the_worker_of_a_product_is_seen_by_how_old_its_sign_of_life_is(running):
    lines: list[str] = []
    shop = Client(base=f"{running.here.url}/api/v1", key=running.key)
    findings = shop.get("/doctor").json(200)["doctor"]["findings"]

    see_worker(shop, lines.append)

    assert any(worker.SIGN.search(one["seen"]) for one in findings if one["about"] == "worker"), findings
    assert lines[0] == "doctor    worker, ok"


def test_a_sign_of_life_from_before_we_asked_is_none(server, shop):
    server.answers = {DOCTOR: [examined("One was at work 50 s ago."), examined("One was at work 0 s ago.")]}

    see_worker(shop, print)

    assert len(server.asked) > 1


def test_words_that_are_not_understood_count_once_an_old_sign_is_out_of_the_question(server, shop):
    server.answers = {DOCTOR: [examined("It is lively.")]}

    see_worker(shop, print)

    assert len(server.asked) > 10


@pytest.mark.parametrize(("seen", "verdict"), [("None was ever seen.", "broken"), ("Silent.", "look at it")])
def test_no_worker_is_told_with_what_to_do(server, shop, seen, verdict):
    server.answers = {DOCTOR: [examined(seen, verdict)]}

    with pytest.raises(Failed, match=f"No worker is at work: {seen} Start one"):
        see_worker(shop, print)


def test_a_worker_that_comes_up_late_is_waited_for(server, shop):
    server.answers = {
        DOCTOR: [examined("None was ever seen.", "broken"), examined("One was at work 0 s ago.")]
    }

    see_worker(shop, print)

    assert server.asked[-1] == DOCTOR


def test_what_else_is_not_well_is_named_without_a_word_of_the_business_and_stops_nothing(server, shop):
    lines: list[str] = []
    mail = {"about": "mail", "verdict": "broken", "seen": "It does not answer.", "fix": "Mend EMAIL_URL."}
    disk = {"about": "disk", "verdict": "ok", "seen": "There is room.", "fix": None}
    money = {"about": "money", "verdict": "look at it", "seen": "2 things wait.", "fix": "Look at them."}
    server.answers = {DOCTOR: [examined("One was at work 0 s ago.", "ok", mail, disk, money, money)]}

    see_worker(shop, lines.append)

    assert lines == ["doctor    worker, ok", "doctor    mail, broken", "doctor    money, look at it"]


def test_where_no_doctor_is_nothing_is_taken_for_a_worker(server, shop):
    server.answers = {DOCTOR: [(404, "")]}

    with pytest.raises(Failed, match="answered 404"):
        see_worker(shop, print)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("look", [refuse_bad_key, lambda shop: see_worker(shop, print)])
def test_a_key_that_opens_too_little_is_refused_with_what_it_needs(server, shop, status, look):
    server.answers = {DOCTOR: [(status, "no")]}

    with pytest.raises(Failed, match=r"create, read and admin: ./run create-key --mode test"):
        look(shop)


@pytest.mark.parametrize("answer", [(200, {}), (404, ""), (500, ""), (503, ""), (0, "")])
def test_what_is_down_keeps_no_key_out(server, shop, answer):
    server.answers = {DOCTOR: [answer]}

    refuse_bad_key(shop)

    assert server.asked
