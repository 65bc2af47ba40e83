"""One access token for all threads: asked for once, renewed in time, and never mixed up with the call."""

import json
import threading
import time
import traceback

import pytest

from tests.gateways.raw_server import answer, bytes_of, hang_up, in_turn, raw_server
from tillgate.gateways import http
from tillgate.gateways.errors import GatewayError, GatewayUnknown, Rejected, Unreachable
from tillgate.gateways.http import Patience
from tillgate.gateways.oauth import Tokens, tokens_of

SECRET = "this-must-never-be-seen"
CALM = Patience(total_s=5, slot_s=5)
HASTY = Patience(total_s=0.4, slot_s=0)


def granted(token="A21AA", expires_in=32_400):
    return answer(json.dumps({"access_token": token, "expires_in": expires_in}).encode())


def tokens(server):
    return Tokens(f"{server.url}/v1/oauth2/token", "an-id", SECRET)


def slow(say, seconds=0.3):
    def wait(connection):
        time.sleep(seconds)
        say(connection)

    return wait


def at_once(count, ask):
    """What `count` threads are told that ask in the same moment: a value, or the type of the error."""
    said, start = [], threading.Barrier(count)

    def run():
        start.wait()
        try:
            said.append(ask())
        except GatewayError as error:
            said.append(type(error))

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def test_the_request_is_a_form_with_the_id_and_the_secret():
    with raw_server(granted()) as server:
        assert tokens(server).get(CALM) == "A21AA"

    (request,) = server.requests
    assert request.startswith(b"POST /v1/oauth2/token HTTP/1.1\r\n")
    assert b"Content-Type: application/x-www-form-urlencoded\r\n" in request
    assert b"Authorization: Basic YW4taWQ6dGhpcy1tdXN0LW5ldmVyLWJlLXNlZW4=\r\n" in request
    assert request.endswith(b"\r\n\r\ngrant_type=client_credentials")


def test_G19_a_token_is_asked_for_once_while_it_lasts():
    with raw_server(granted()) as server:
        ours = tokens(server)

        assert [ours.get(CALM) for _ in range(5)] == ["A21AA"] * 5
    assert len(server.requests) == 1


def test_G19_fifty_threads_ask_once():
    with raw_server(slow(granted())) as server:
        ours = tokens(server)

        assert at_once(50, lambda: ours.get(CALM)) == ["A21AA"] * 50
    assert len(server.requests) == 1


def test_G19_fifty_threads_share_a_failure():
    with raw_server(slow(answer(status=503))) as server:
        ours = tokens(server)

        assert at_once(50, lambda: ours.get(CALM)) == [Unreachable] * 50
    assert len(server.requests) == 1


def test_G19_after_a_failure_the_next_one_asks_again():
    with raw_server(in_turn(answer(status=503), granted())) as server:
        ours = tokens(server)
        with pytest.raises(Unreachable):
            ours.get(CALM)

        assert ours.get(CALM) == "A21AA"


def test_G19_fifty_threads_that_find_their_token_refused_ask_for_one_more():
    with raw_server(in_turn(granted("OLD"), slow(granted("NEW")))) as server:
        ours = tokens(server)
        old = ours.get(CALM)

        def again():
            ours.forget(old)
            return ours.get(CALM)

        assert at_once(50, again) == ["NEW"] * 50
    assert len(server.requests) == 2


def test_a_token_is_renewed_a_little_before_it_ends(monkeypatch):
    with raw_server(in_turn(granted("OLD", 100), granted("NEW", 100))) as server:
        ours, began = tokens(server), time.monotonic()
        assert ours.get(CALM) == "OLD"

        for seconds, token in ((80, "OLD"), (95, "NEW")):
            monkeypatch.setattr(time, "monotonic", lambda seconds=seconds: began + seconds)
            assert ours.get(CALM) == token


def test_a_waiter_waits_no_longer_than_its_own_patience():
    with raw_server(slow(granted(), 1.5)) as server:
        ours = tokens(server)
        first = threading.Thread(target=lambda: ours.get(CALM))
        first.start()
        while not server.requests:
            time.sleep(0.01)
        began = time.monotonic()

        with pytest.raises(Unreachable, match="in time"):
            ours.get(HASTY)

        assert time.monotonic() - began < 1
        first.join()


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_wrong_secret_is_rejected_and_not_told(status):
    body = json.dumps({"error": "invalid_client", "error_description": SECRET}).encode()
    with (
        raw_server(answer(body, status=status)) as server,
        pytest.raises(Rejected, match="refused") as caught,
    ):
        tokens(server).get(CALM)

    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "say",
    [
        hang_up,
        answer(status=500),
        answer(status=429),
        answer(b"<html>"),
        answer(b"{}"),
        answer(b'{"access_token": "A", "expires_in": 0}'),
        answer(b'{"access_token": "A", "expires_in": "100"}'),
        answer(b'{"access_token": "A", "expires_in": true}'),
        answer(b'{"access_token": "A", "expires_in": 1.5}'),
        answer(b'{"access_token": "A B", "expires_in": 100}'),
        answer(b'{"access_token": "A\\r\\nX: y", "expires_in": 100}'),
        answer(b'{"access_token": "", "expires_in": 100}'),
        answer(b'{"access_token": null, "expires_in": 100}'),
        bytes_of(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
    ],
)
def test_G19_a_token_that_did_not_come_means_that_nothing_was_sent(say):
    with raw_server(in_turn(say, hang_up)) as server:
        with pytest.raises(Unreachable) as caught:
            post(tokens(server), server, HASTY)

        assert all(b"/v1/oauth2/token" in request for request in server.requests)
        assert SECRET not in "".join(traceback.format_exception(caught.value))


def post(ours, server, patience=CALM):
    return ours.call("POST", f"{server.url}/x", headers={"X": "y"}, patience=patience, payload={"a": 1})


def test_a_call_carries_the_token():
    with raw_server(in_turn(granted(), answer(b'{"done": true}'))) as server:
        assert post(tokens(server), server).body == {"done": True}

    assert b"Authorization: Bearer A21AA\r\n" in server.requests[1]
    assert b"X: y\r\n" in server.requests[1]


def test_G19_a_token_that_ended_in_between_is_renewed_and_the_call_made():
    says = (granted("OLD"), answer(status=401), granted("NEW"), answer(b'{"done": true}'))
    with raw_server(in_turn(*says)) as server:
        assert post(tokens(server), server).body == {"done": True}

    assert [b"Bearer OLD" in request for request in server.requests] == [False, True, False, False]
    assert b"Bearer NEW" in server.requests[3]


def test_G19_a_second_refusal_is_an_answer_and_ends_it():
    with raw_server(
        in_turn(granted("OLD"), answer(status=401), granted("NEW"), answer(status=401))
    ) as server:
        assert post(tokens(server), server).status == 401

    assert len(server.requests) == 4


def test_G19_a_lost_answer_after_the_token_is_unknown_and_not_sent_again():
    with raw_server(in_turn(granted(), hang_up)) as server:
        with pytest.raises(GatewayUnknown):
            post(tokens(server), server)
        assert len(server.requests) == 2


def test_all_of_a_call_together_takes_no_longer_than_its_patience():
    says = (slow(granted("OLD")), slow(answer(status=401)), slow(granted("NEW")), slow(answer()))
    with raw_server(in_turn(*says)) as server:
        began = time.monotonic()

        with pytest.raises(GatewayError):
            post(tokens(server), server, Patience(total_s=0.7, slot_s=0))

        assert time.monotonic() - began < 1.5


def test_a_call_whose_time_went_for_the_token_was_not_sent(monkeypatch):
    with raw_server(granted()) as server:
        with pytest.raises(Unreachable, match="used up"):
            post(tokens(server), server, Patience(total_s=0, slot_s=0))
        assert server.requests == []


def test_a_bug_while_asking_leaves_nobody_waiting(monkeypatch):
    ours = Tokens("http://127.0.0.1:9", "an-id", SECRET)

    def broken(*args, **more):
        raise RuntimeError("bug")

    monkeypatch.setattr(http, "call", broken)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            ours.get(HASTY)


def test_one_client_has_one_token_in_a_process():
    said = at_once(20, lambda: id(tokens_of("http://x", "an-id", SECRET)))

    assert len(set(said)) == 1
    for other in (("http://y", "an-id", SECRET), ("http://x", "id", SECRET), ("http://x", "an-id", "s")):
        assert id(tokens_of(*other)) not in said
