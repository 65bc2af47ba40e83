"""What people with an account are told: one mail each time, to one address, that no name can bend."""

from typing import Any

import pytest
from django.core import mail as outbox_of

from tests.builders import make_user
from tests.subscriptions.mail_scenes import html, plain
from tests.subscriptions.test_mail_safety import HOSTILE, read
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.common.mail import one_line
from tillgate.merchants.models import Merchant, User
from tillgate.merchants.services.account_mails import OCCASIONS, AccountMail, send, tell, warn
from tillgate.merchants.services.merchants import forget_default_merchant

LINKED = {AccountMail.CONFIRM, AccountMail.RESET}


def sent(mail: AccountMail, user: User) -> Any:
    before = len(outbox_of.outbox)
    send(user.pk, mail.value, "news", "", "")
    assert len(outbox_of.outbox) == before + 1, f"{mail} was not sent"
    return outbox_of.outbox[-1]


@pytest.fixture
def ada(merchant: Merchant) -> User:
    return make_user("ada", confirmed=False)


@pytest.mark.parametrize("mail", AccountMail)
def test_every_occasion_is_told_in_both_parts(ada, mail):
    message = sent(mail, ada)

    said = plain(message)
    assert message.to == ["ada@example.com"]
    assert said.startswith("Hello ada,\n")
    assert said.endswith("This is about the account ada at My shop.\n")
    assert "{" not in said
    assert "{{" not in html(message)
    for part in (said, html(message)):
        assert ("http://127.0.0.1:8000/account/" in part) == (mail in LINKED)


@pytest.mark.parametrize("mail", AccountMail)
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a34_a_name_bends_no_header_no_line_and_no_page(ada, mail, name):
    Merchant.objects.update(name=name)
    forget_default_merchant()
    User.objects.update(username=name[:60])

    message = sent(mail, ada)

    got = read(message)
    assert message.recipients() == ["ada@example.com"]
    assert set(map(str.lower, got.keys())) == {
        *("auto-submitted", "content-type", "date", "from", "message-id", "mime-version", "subject", "to")
    }
    assert "\nBcc:" not in plain(message)
    assert f"Hello {one_line(name[:60])}," in plain(message)
    assert "<script" not in html(message)
    assert "<img" not in html(message)


def test_a_mail_that_is_sent_again_is_recognised(ada):
    first, again = (sent(AccountMail.PASSWORD_CHANGED, ada).extra_headers["Message-ID"] for _ in range(2))
    send(ada.pk, AccountMail.PASSWORD_CHANGED.value, "other news", "", "")

    assert first == again != outbox_of.outbox[-1].extra_headers["Message-ID"]


@pytest.mark.parametrize(
    ("mail", "change"),
    [
        (AccountMail.CONFIRM, {"confirmed_email": "ada@example.com"}),
        (AccountMail.CONFIRM, {"email": ""}),
        (AccountMail.CONFIRM, {"is_active": False}),
        (AccountMail.RESET, {"is_active": False}),
        (AccountMail.RESET, {"email": ""}),
    ],
)
def test_a_link_that_has_lost_its_meaning_is_not_sent(ada, mail, change):
    tell(ada, mail)
    User.objects.update(**change)

    run_due_jobs()

    assert outbox_of.outbox == []


def test_i13_no_link_waits_in_the_table_of_jobs(ada):
    for mail in LINKED:
        tell(ada, mail)

    assert "/account/" not in repr(list(Job.objects.values("args", "kwargs")))


def test_the_link_is_of_the_address_that_it_is_sent_to(ada):
    tell(ada, AccountMail.CONFIRM)
    User.objects.update(email="other@example.com")
    tell(ada, AccountMail.CONFIRM)  # One that waits already says what is new, too.

    run_due_jobs()

    assert [message.to for message in outbox_of.outbox] == [["other@example.com"]]


def test_a_warning_goes_to_the_address_that_was_confirmed_then(merchant):
    user = make_user("ada")
    warn(user, AccountMail.EMAIL_CHANGED)
    User.objects.update(email="thief@example.com", confirmed_email=None)

    run_due_jobs()

    assert [message.to for message in outbox_of.outbox] == [["ada@example.com"]]


def test_who_has_confirmed_nothing_is_not_warned(ada):
    warn(ada, AccountMail.PASSWORD_CHANGED)

    assert not Job.objects.exists()


def test_every_occasion_has_a_row():
    assert set(OCCASIONS) == set(AccountMail)
