"""Every door × two merchants × every caller, in both modes: nobody meets a row that is not theirs.

The doors come from the URL resolver, so that a new one fails until `world.py` knows what to send to it.
"""

from typing import Any

import pytest

from tests.api.doors import api_doors
from tests.api.world import PERSONAL, WHOSE, World, call, make_callers, make_world, snapshot
from tests.builders import make_merchant

# Whoever holds the id of a payment may read its public view, and pay it; a merchant's own callers may not.
BY_ID = {"GET api/v1/payments/<str:reference>", "POST api/v1/payments/<str:reference>/attempts"}
SHARED = {"GET api/v1/schema", "GET api/v1/docs", "GET api/v1/redoc"}  # The same for all.
DOORS = sorted(api_doors() - SHARED)
OF_ONE = [door for door in DOORS if "<" in door]
OF_ALL = [door for door in DOORS if "<" not in door]
BY_ID_TO = ("guest", "customer")
# They show no row of the merchant's, or only what the caller has paid.
NOBODYS = {"GET api/v1/gateways", "GET api/v1/doctor"} | {
    door for door in OF_ALL if door.partition(" ")[2].startswith(PERSONAL)
}
NEEDS_A_GATEWAY = {"POST api/v1/payments/<str:reference>/attempts"}


@pytest.fixture(params=["test", pytest.param("live", marks=pytest.mark.long)])
def mode(request, settings):
    settings.TILLGATE_GUEST_MODE = request.param  # Of people; keys have their own.
    settings.IS_LOCAL = request.param == "test"  # Live accounts are stored in production only.
    settings.PAYSTACK_SECRET_KEY = f"sk_{request.param}_not_a_real_key_0123456789abcdef"
    return request.param


@pytest.fixture
def mine(merchant, mode):
    return make_world(merchant, mode)


@pytest.fixture
def theirs(mine) -> World:
    """The same of another merchant."""
    return make_world(make_merchant(name="Another shop"), mine.mode)


def _foreign(mine: World, theirs: World) -> list[World]:
    """What is not to be met: another merchant's of this mode and of the other, and our own of the other."""
    other = "live" if mine.mode == "test" else "test"
    return [theirs, make_world(theirs.merchant, other), make_world(mine.merchant, other)]


def _is_of_no_mode(door: str, caller: str, mine: World, other: World) -> bool:
    """People, and what people do, belong to the merchant and not to one of its modes."""
    is_ours = mine.merchant == other.merchant
    return (
        is_ours and caller == "owner" and door.split("/")[2] in ("staff", "keys", "audit", "gateway-accounts")
    )


def _met(answer: Any, path: str, words: set[str]) -> set[str]:
    """The words in an answer that the request did not hold itself."""
    text = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
    return {word for word in words if word in text and word not in path}


@pytest.mark.parametrize("door", OF_ONE)
def test_a21_nobody_opens_what_is_not_theirs(mine, theirs, door):
    callers = make_callers(mine.merchant, mine.mode)
    foreign = _foreign(mine, theirs)
    before = [snapshot(world.merchant) for world in (theirs, mine)]

    for name, caller in callers.items():
        if door in BY_ID and name in BY_ID_TO:
            continue
        for world in foreign:
            if _is_of_no_mode(door, name, mine, world):
                continue
            path = world.path(door)
            answer = call(caller, door, path, mode=mine.mode)
            assert answer.status_code in (401, 403, 404), (name, door, answer.content)
            assert not _met(answer, path, world.words), (name, door)
            if answer.status_code != 404:
                break  # This door is closed to them, whatever they ask for.

    assert [snapshot(world.merchant) for world in (theirs, mine)] == before


@pytest.mark.parametrize(
    "door", [door for door in OF_ONE if "<str:surplus>" in door or "<str:dispute>" in door]
)
def test_a21_what_hangs_below_a_payment_is_looked_for_there_only(mine, theirs, door):
    owner = make_callers(mine.merchant, mine.mode)["owner"]
    theirs_below = {kind: theirs.rows[kind].reference for kind in ("surplus", "dispute")}
    before = snapshot(theirs.merchant)

    for path in (
        mine.path(door, **theirs_below),
        mine.path(door, reference=theirs.rows["payment"].reference),
        mine.path(door, reference=mine.rows["pending"].reference),
    ):
        assert call(owner, door, path).status_code == 404

    assert snapshot(theirs.merchant) == before


@pytest.mark.parametrize("door", OF_ALL)
def test_a21_no_list_filter_cursor_or_export_shows_what_is_not_theirs(mine, theirs, door):
    callers = make_callers(mine.merchant, mine.mode)
    foreign = _foreign(mine, theirs)
    before = snapshot(theirs.merchant)

    for name, caller in callers.items():
        worlds = [world for world in foreign if not _is_of_no_mode(door, name, mine, world)]
        words = set().union(*(world.words for world in worlds), {theirs.merchant.reference})
        for path, headers in _questions(door, worlds):
            answer = (
                caller.get(path, headers=headers) if headers else call(caller, door, path, mode=mine.mode)
            )
            assert not _met(answer, path, words), (name, door, path, answer.content)
            if answer.status_code in (401, 403):
                break

    assert snapshot(theirs.merchant) == before


def _questions(door: str, worlds: list[World]) -> list[tuple[str, dict[str, str]]]:
    path = "/" + door.split()[1]
    if not door.startswith("GET"):
        return [(path, {})]
    queries = ["", "?status=pending", "?actor=test", "?limit=200"]
    for world in worlds:
        row = world.rows[WHOSE.get(path.rpartition("/")[2], "entry")]
        queries += [f"?cursor={way}.{row.reference}" for way in ("after", "before")]
        queries += [f"?customer_email={world.email}"]
    return [(path, {"Accept": "text/csv"}), *((path + query, {}) for query in queries)]


@pytest.mark.parametrize(
    "field", ["payment_method", "gateway", "merchant_reference", "return_url", "description"]
)
def test_a21_no_member_of_a_body_reaches_into_another_shop(mine, theirs, field):
    callers = make_callers(mine.merchant, mine.mode)
    reference = theirs.rows["method"].reference
    before = snapshot(theirs.merchant)

    for door in ("POST api/v1/subscriptions", "POST api/v1/payments"):
        for caller in callers.values():
            answer = call(caller, door, "/" + door.split()[1], **{field: reference})
            assert not _met(answer, reference, theirs.words)

    assert snapshot(theirs.merchant) == before


@pytest.mark.parametrize("door", [door for door in OF_ONE if not door.partition(" ")[2].startswith(PERSONAL)])
def test_the_walk_would_notice_since_what_is_ours_opens(mine, door):
    owner = make_callers(mine.merchant, mine.mode)["owner"]

    answer = call(owner, door, mine.path(door), mode=mine.mode)

    assert answer.status_code in (200, 201, 204, 409), answer.content
    assert door in NEEDS_A_GATEWAY or answer.status_code != 409


@pytest.mark.parametrize("door", [door for door in OF_ALL if door.startswith("GET")])
def test_the_walk_would_notice_since_lists_hold_what_is_ours(mine, door):
    owner = make_callers(mine.merchant, mine.mode)["owner"]

    answer = owner.get("/" + door.split()[1])

    assert door in NOBODYS or _met(answer, "", mine.words), answer.content
