"""How the pipeline's steps ask: patiently where it does no harm, and never with a key in the open."""

import pytest

from deploy.failed import Failed, NoAnswer
from deploy.http import TRIES, Client
from tests.deploy.scripted import HANG_UP

OK = (200, {"well": True})


@pytest.fixture
def client(server):
    return Client(base=server.url, key="sk_test_1", pause_s=0.01)


@pytest.mark.parametrize(
    "trouble", [(503, "busy"), (502, ""), (429, "", {"Retry-After": "0"}), (HANG_UP, "")]
)
def test_a_question_is_put_again_where_the_server_could_not_answer(server, client, trouble):
    server.answers = {"GET /thing": [trouble, trouble, OK]}

    assert client.get("/thing").json(200) == {"well": True}
    assert len(server.asked) == 3


def test_what_has_a_key_is_sent_again_under_the_same_one(server, client):
    server.answers = {"POST /thing": [(HANG_UP, ""), OK]}

    client.post("/thing", {"amount": 50}, key="k-1")

    assert [sent["Idempotency-Key"] for sent in server.headers] == ["k-1", "k-1"]
    assert server.bodies == [{"amount": 50}] * 2


@pytest.mark.parametrize("status", [503, 500])
def test_what_has_no_key_is_sent_once(server, client, status):
    server.answers = {"POST /thing": [(status, "trouble")]}

    assert client.post_once("/thing", {}).status == status
    assert len(server.asked) == 1


def test_what_has_no_key_and_was_not_answered_is_not_sent_again(server, client):
    server.answers = {"POST /thing": [(HANG_UP, "")]}

    with pytest.raises(NoAnswer, match=r"POST .* got no answer"):
        client.post_once("/thing", {})
    assert len(server.asked) == 1


def test_asking_ends(server, client):
    server.answers = {"GET /thing": [(503, "still busy")]}

    assert client.get("/thing").status == 503
    assert len(server.asked) == TRIES


def test_a_server_says_how_long_to_wait(server, client):
    server.answers = {"GET /thing": [(429, "", {"Ratelimit-Reset": "1"}), OK]}

    assert client.get("/thing").status == 200
    assert client.get("/thing").wait_s == 0


def test_a_wrong_answer_is_told_with_what_was_asked(server, client):
    server.answers = {"GET /thing": [(403, "not yours")]}

    with pytest.raises(Failed, match=r"GET http://127.0.0.1:\d+/thing answered 403: not yours"):
        client.get("/thing").json(200)


def test_a_page_where_json_should_be_is_told(server, client):
    server.answers = {"GET /thing": [(200, "<html>Welcome</html>")]}

    with pytest.raises(Failed, match="no JSON: <html>"):
        client.get("/thing").json(200)


def test_a_key_is_sent_as_a_bearer_token_and_follows_no_redirect(server, client):
    server.answers = {"GET /thing": [(302, "", {"Location": f"{server.url}/elsewhere"})]}

    assert client.get("/thing").status == 302
    assert server.asked == ["GET /thing"]
    assert server.headers[0]["Authorization"] == "Bearer sk_test_1"


def test_no_key_stands_in_what_is_printed_of_a_client(client):
    assert "sk_test_1" not in repr(client)


@pytest.mark.parametrize(
    "base", ["http://pay.example.com", "ftp://127.0.0.1", "pay.example.com", "file:///etc"]
)
def test_no_key_travels_in_the_open(base):
    with pytest.raises(Failed, match="must begin with https"):
        Client(base=base, key="sk_test_1")
