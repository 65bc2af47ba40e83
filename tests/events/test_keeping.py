"""The endpoint of the settings, what waits for a person, what is sent again, and what is forgotten."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from tests.builders import make_endpoint, make_staff
from tillgate.common import clock
from tillgate.common.crypto import decrypt
from tillgate.common.jobs import run_due_jobs
from tillgate.events.checks import check_webhooks
from tillgate.events.jobs import forget_old_events, look_after_endpoint, mail_owners
from tillgate.events.models import Delivery, Endpoint, OutboxEvent
from tillgate.events.services.endpoints import LOOK_AFTER, Change, change_endpoint, follow_settings
from tillgate.events.services.health import figures, look_for_stuck_events, waiting_for_a_person
from tillgate.events.services.sending import send_due
from tillgate.events.signing import new_secret

URL = "https://shop.example/hooks"


@pytest.fixture
def said(settings, merchant):
    """What the settings say, and a start of the product that follows them."""

    def say(url=URL, secret="", **more):
        settings.TILLGATE_WEBHOOK_URL, settings.TILLGATE_WEBHOOK_SECRET = url, secret
        for name, value in more.items():
            setattr(settings, name, value)
        follow_settings()

    return say


def test_the_settings_are_an_endpoint_of_the_default_merchant(said, merchant):
    secret = new_secret()
    for _ in range(2):
        said(secret=secret)

    endpoint = Endpoint.objects.get()
    assert (endpoint.merchant, endpoint.mode, endpoint.url) == (merchant, "test", URL)
    assert (endpoint.from_settings, endpoint.events, decrypt(endpoint.secret)) == (True, ["*"], secret)
    assert endpoint.former_secret_ends_at is None


def test_a_secret_that_was_changed_in_the_settings_leaves_the_former_one_a_day(said):
    first, second = new_secret(), new_secret()
    said(secret=first)
    said(secret=second)

    endpoint = Endpoint.objects.get()
    assert (decrypt(endpoint.secret), decrypt(endpoint.former_secret)) == (second, first)
    assert endpoint.former_secret_ends_at
    assert endpoint.former_secret_ends_at > clock.now() + timedelta(hours=23)


def test_an_address_that_was_taken_out_or_changed_is_told_no_more(said, merchant):
    said(secret=new_secret())
    first = Endpoint.objects.get()
    said("https://shop.example/other", new_secret())
    assert Endpoint.objects.get(pk=first.pk).url == "https://shop.example/other"

    said("", "")

    assert not Endpoint.objects.for_merchant(merchant, "test").exists()


def test_an_endpoint_that_was_added_by_hand_becomes_the_settings(said, merchant):
    by_hand = make_endpoint(merchant, url=URL)

    said(secret=new_secret())

    assert Endpoint.objects.get() == by_hand
    assert Endpoint.objects.get().from_settings


def test_in_the_other_mode_it_is_another_endpoint(said, merchant):
    said(secret=new_secret())
    said(secret=new_secret(), TILLGATE_GUEST_MODE="live")

    assert list(Endpoint.objects.filter(deleted_at__isnull=True).values_list("mode", "from_settings")) == [
        ("live", True)
    ]


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({}, []),
        ({"URL": URL, "SECRET": new_secret()}, []),
        ({"URL": URL}, ["tillgate.E043"]),
        ({"SECRET": new_secret()}, ["tillgate.E043"]),
        ({"URL": URL, "SECRET": "whsec_c2hvcnQ="}, ["tillgate.E044"]),
        ({"URL": "http://shop.example/", "SECRET": new_secret()}, ["tillgate.E042"]),
        ({"URL": "http://127.0.0.1:3000/", "SECRET": new_secret()}, ["tillgate.E042"]),
        (
            {"URL": "http://127.0.0.1/", "SECRET": new_secret(), "PRIVATE_HOSTS": ["127.0.0.0/8"]},
            [],
        ),
        ({"PRIVATE_HOSTS": ["10.0.0.0/33"]}, ["tillgate.E040"]),
        ({"PRIVATE_HOSTS": ["a b"]}, ["tillgate.E040"]),
        ({"PRIVATE_HOSTS": ["0.0.0.0/0"]}, ["tillgate.E041"]),
    ],
)
def test_s29_production_refuses_dangerous_webhook_settings(settings, members, found):
    settings.IS_LOCAL = False
    for name, value in members.items():
        setattr(settings, f"TILLGATE_WEBHOOK_{name}", value)

    assert [one.id for one in check_webhooks(None)] == found


def test_a_local_installation_may_send_to_itself(settings):
    settings.TILLGATE_WEBHOOK_URL, settings.TILLGATE_WEBHOOK_SECRET = "http://127.0.0.1:3000/", new_secret()

    assert check_webhooks(None) == []


def test_o08_what_is_due_and_not_sent_is_an_error_after_five_minutes(farm, pay):
    farm()
    pay()
    assert (figures().waiting, look_for_stuck_events()) == (1, False)

    clock.advance(301)

    assert look_for_stuck_events()
    assert figures().overdue_s >= 300
    assert any("worker" in sentence for sentence in waiting_for_a_person())
    send_due()
    assert not look_for_stuck_events()
    assert (figures().sends, figures().failures, figures().waiting) == (1, 0, 0)
    assert figures().last_send_s is not None


def test_what_waits_for_its_next_rung_or_rests_is_not_stuck(merchant, pay):
    make_endpoint(merchant, rest_until=clock.now() + timedelta(hours=2))
    pay()
    clock.advance(3_600)

    assert not look_for_stuck_events()


def test_an_endpoint_that_was_given_up_waits_for_a_person(merchant):
    gone = make_endpoint(merchant, enabled=False, disabled_reason="gone")
    make_endpoint(merchant, enabled=False, disabled_reason="switched_off")

    [sentence] = waiting_for_a_person()

    assert gone.reference in sentence
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    assert sentence in out.getvalue()


def test_the_mail_is_not_sent_where_it_has_been_enabled_again(merchant):
    make_staff(merchant, "owner")
    endpoint = make_endpoint(merchant)

    mail_owners.enqueue(endpoint.pk)
    run_due_jobs()

    assert mail.outbox == []


def test_where_nobody_owns_the_business_the_log_says_it(merchant, caplog):
    endpoint = make_endpoint(merchant, enabled=False, disabled_reason="failing")

    mail_owners.enqueue(endpoint.pk)
    run_due_jobs()

    assert mail.outbox == []
    assert "nobody_to_mail" in caplog.text


def test_a_range_is_sent_again_with_the_same_ids(farm, pay):
    receiver, endpoint = farm()
    for _ in range(3):
        pay()
    send_due()
    began = OutboxEvent.objects.order_by("pk")[1].created_at

    out = StringIO()
    call_command("redeliver", "--from", began.isoformat(), "--endpoint", endpoint.reference, stdout=out)
    send_due()

    assert "2 events" in out.getvalue()
    assert receiver.ids[3:] == receiver.ids[1:3]


def test_a_range_of_an_endpoint_that_is_none_is_refused(merchant):
    with pytest.raises(CommandError, match="no endpoint"):
        call_command("redeliver", "--from", "2026-01-01", "--endpoint", "WHE-X")
    with pytest.raises(CommandError, match="no time"):
        call_command("redeliver", "--from", "yesterday")


def test_after_90_days_events_are_forgotten_and_the_timeline_stays(farm, pay):
    farm()
    pay()
    send_due()
    clock.advance(91 * 86_400)
    pay()

    forget_old_events.enqueue()
    run_due_jobs()

    assert OutboxEvent.objects.count() == Delivery.objects.count() == 1


def test_a_change_is_looked_after_some_seconds_later(merchant, pay):
    endpoint = make_endpoint(merchant, enabled=False)
    change_endpoint(endpoint.pk, Change(enabled=True))
    Endpoint.objects.update(enabled=False, disabled_at=clock.now())
    pay()
    Delivery.objects.create(event=OutboxEvent.objects.get(), endpoint=endpoint, next_try_at=clock.now())

    clock.advance(int(LOOK_AFTER.total_seconds()) + 1)
    run_due_jobs()

    assert Delivery.objects.get().state == "dropped"


def test_a_deleted_endpoint_is_told_nothing_afterwards(merchant, pay):
    endpoint = make_endpoint(merchant)
    pay()
    Endpoint.objects.update(deleted_at=clock.now())

    look_after_endpoint.enqueue(endpoint.pk)
    run_due_jobs()

    assert Delivery.objects.get().state == "dropped"


def test_secrets_are_encrypted_anew_with_the_first_key_and_what_no_key_opens_is_said(merchant, settings):
    first, second = settings.TILLGATE_ENCRYPTION_KEYS[0], "c2Vjb25kLXNlY29uZC1zZWNvbmQtc2Vjb25kLTEyMzQ="
    secret = new_secret()
    endpoint = make_endpoint(merchant, secret=secret)
    settings.TILLGATE_ENCRYPTION_KEYS = (second, first)

    call_command("rotate_encryption", stdout=StringIO())

    settings.TILLGATE_ENCRYPTION_KEYS = (second,)
    endpoint.refresh_from_db()
    assert decrypt(endpoint.secret) == secret
    settings.TILLGATE_ENCRYPTION_KEYS = (first,)
    with pytest.raises(CommandError, match="Secrets of endpoints: 1 more"):
        call_command("rotate_encryption", stdout=StringIO())


def test_an_endpoint_whose_secret_no_key_opens_fails_and_says_so(merchant, pay, settings):
    make_endpoint(merchant)
    pay()
    settings.TILLGATE_ENCRYPTION_KEYS = ("c2Vjb25kLXNlY29uZC1zZWNvbmQtc2Vjb25kLTEyMzQ=",)

    send_due()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries) == ("pending", 1)
    assert "TILLGATE_ENCRYPTION_KEYS" in delivery.last_error
