"""Keys: which power they have, how long they live, and what one of them may make."""

from datetime import timedelta

import pytest

from tillgate.common import clock
from tillgate.merchants.errors import BeyondKey, KeyEnded
from tillgate.merchants.models import ApiKey
from tillgate.merchants.roles import KEY_SCOPES, ROLE_SCOPES, Role, Scope
from tillgate.merchants.services.keys import (
    NewKey,
    create_key,
    ended_at,
    find_api_key,
    keys_called,
    revoke_key,
    rotate_key,
)

DAY = timedelta(days=1)


def test_a_new_key_is_found_by_its_secret_alone(merchant):
    key, secret = create_key(merchant, NewKey(mode="test", scopes=[Scope.READ]))

    assert find_api_key(secret) == key
    assert find_api_key(key.prefix) is None
    assert find_api_key(secret + " ") is None


def test_a_publishable_key_has_no_scope_whatever_was_asked_for(merchant):
    key, secret = create_key(merchant, NewKey(mode="live", scopes=KEY_SCOPES, is_publishable=True))

    assert (key.scopes, secret[:8]) == ([], "pk_live_")


def test_a_key_lives_as_long_as_it_was_made_for(merchant):
    key, secret = create_key(merchant, NewKey(mode="test", lifetime_days=90))

    assert key.expires_at == key.created_at + 90 * DAY
    clock.advance(90 * 86_400)
    assert find_api_key(secret) is None
    assert ended_at(key) == key.expires_at


def test_a_successor_lives_as_long_as_the_one_before_was_made_for(merchant):
    key, _ = create_key(merchant, NewKey(mode="test", lifetime_days=90))
    clock.advance(60 * 86_400)

    new, _ = rotate_key(key.pk, overlap=DAY)

    key.refresh_from_db()
    assert new.expires_at == new.created_at + 90 * DAY
    assert key.expires_at
    assert key.expires_at < new.created_at + 2 * DAY


def test_a_key_without_an_end_has_successors_without_one_however_often_it_is_replaced(merchant):
    key, _ = create_key(merchant, NewKey(mode="test"))

    first, _ = rotate_key(key.pk, overlap=DAY)
    second, _ = rotate_key(key.pk, overlap=DAY)

    assert (first.expires_at, second.expires_at) == (None, None)


def test_a_key_that_ends_sooner_anyway_keeps_its_end(merchant):
    key, _ = create_key(merchant, NewKey(mode="test", lifetime_days=1))
    before = key.expires_at

    rotate_key(key.pk, overlap=30 * DAY)

    key.refresh_from_db()
    assert key.expires_at == before


def test_what_has_ended_is_not_replaced(merchant):
    revoked, _ = create_key(merchant, NewKey(mode="test"))
    revoke_key(revoked)
    expired, _ = create_key(merchant, NewKey(mode="test", lifetime_days=1))
    clock.advance(86_401)

    for key in (revoked, expired):
        with pytest.raises(KeyEnded):
            rotate_key(key.pk, overlap=DAY)
    assert ApiKey.objects.count() == 2


def test_a_refused_rotation_leaves_the_old_key_as_it_was(merchant):
    weak, _ = create_key(merchant, NewKey(mode="test", scopes=[Scope.ADMIN]))
    strong, _ = create_key(merchant, NewKey(mode="test"))

    with pytest.raises(BeyondKey):
        rotate_key(strong.pk, overlap=timedelta(0), by=weak)

    strong.refresh_from_db()
    assert ended_at(strong) is None


@pytest.mark.parametrize(("days", "allowed"), [(None, False), (31, False), (30, True), (1, True)])
def test_a_key_that_ends_makes_none_that_lives_longer(merchant, days, allowed):
    by, _ = create_key(merchant, NewKey(mode="test", lifetime_days=30))
    new = NewKey(mode="test", scopes=[Scope.READ], lifetime_days=days)
    ApiKey.objects.filter(pk=by.pk).update(expires_at=clock.now() + 30 * DAY + timedelta(minutes=1))
    by.refresh_from_db()

    if allowed:
        create_key(merchant, new, by=by)
    else:
        with pytest.raises(BeyondKey, match="lives longer"):
            create_key(merchant, new, by=by)

    assert ApiKey.objects.count() == 1 + allowed


def test_a_key_that_replaces_itself_gets_no_later_end_however_often(merchant):
    first, _ = create_key(merchant, NewKey(mode="test", lifetime_days=30))
    end = first.expires_at
    clock.advance(20 * 86_400)

    second, _ = rotate_key(first.pk, overlap=DAY, by=first)
    clock.advance(86_400)
    third, _ = rotate_key(second.pk, overlap=DAY, by=second)
    anew, _ = rotate_key(third.pk, overlap=DAY)

    assert (second.expires_at, third.expires_at) == (end, end)
    assert anew.expires_at == anew.created_at + 30 * DAY


def test_a_key_that_ends_does_not_replace_another_by_one_that_lives_longer(merchant):
    by, _ = create_key(merchant, NewKey(mode="test", lifetime_days=30))
    lasting, _ = create_key(merchant, NewKey(mode="test"))

    with pytest.raises(BeyondKey):
        rotate_key(lasting.pk, overlap=timedelta(0), by=by)

    lasting.refresh_from_db()
    assert ended_at(lasting) is None


def test_revoking_twice_keeps_the_first_time(merchant):
    key, _ = create_key(merchant, NewKey(mode="test"))
    revoke_key(key)
    key.refresh_from_db()
    first = key.revoked_at
    clock.advance(60)

    revoke_key(key)

    key.refresh_from_db()
    assert key.revoked_at == first


def test_keys_are_called_by_id_or_by_how_they_begin(merchant):
    key, secret = create_key(merchant, NewKey(mode="test"))

    assert keys_called(key.reference) == keys_called(secret) == keys_called(secret[:12]) == [key]
    revoke_key(key)
    assert keys_called(key.reference) == []


def test_no_key_has_todays_scope_and_only_owners_administer():
    assert Scope.TODAY not in KEY_SCOPES
    assert [role for role in Role if Scope.ADMIN in ROLE_SCOPES[role]] == [Role.OWNER]
    assert ROLE_SCOPES[Role.AUDITOR] == {Scope.READ}
