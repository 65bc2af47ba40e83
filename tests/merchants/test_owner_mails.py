"""What owners are told: each by a mail of their own, that no name can bend, and only once."""

from typing import Any

import pytest
from django.core import mail as outbox_of

from tests.builders import make_staff
from tests.subscriptions.mail_scenes import html, plain
from tests.subscriptions.test_mail_safety import HOSTILE, read
from tillgate.common.mail import one_line
from tillgate.merchants.models import Merchant, User
from tillgate.merchants.services.pauses import mail_about

FACTS = {"answered": 24, "declined": 20, "minutes": 10}


@pytest.fixture
def owners(merchant: Merchant) -> list[str]:
    for name in ("ada", "bob"):
        make_staff(merchant, "owner", name)
    return ["ada@example.com", "bob@example.com"]


def letters(merchant: Merchant, news: str = "news") -> list[Any]:
    before = len(outbox_of.outbox)
    mail_about(merchant.pk, "live", news, FACTS)
    return outbox_of.outbox[before:]


def test_no_owner_reads_the_address_of_another(merchant, owners):
    sent = letters(merchant)

    assert [letter.recipients() for letter in sent] == [[owner] for owner in owners]
    for name, letter in zip(("ada", "bob"), sent, strict=True):
        assert letter.subject == "Guests cannot pay for 15 minutes: many cards were declined"
        assert plain(letter).startswith(f"Hello {name},\n\n20 of the last 24 tries")
        assert plain(letter).endswith("You are told because you own My shop.\n")
        assert "You are told because you own <bdi>My shop</bdi>." in html(letter)


def test_a_mail_that_is_sent_again_is_recognised_and_the_next_wave_is_news(merchant, owners):
    first, again, later = (
        [letter.extra_headers["Message-ID"] for letter in letters(merchant, news)]
        for news in ("one", "one", "two")
    )

    assert first == again
    assert len({*first, *later}) == 4


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a34_a_name_bends_no_header_no_line_and_no_page(merchant, name):
    Merchant.objects.update(name=name)
    make_staff(merchant, "owner", "ada")
    User.objects.update(username=name[:60])

    [letter] = letters(merchant)

    assert letter.recipients() == ["ada@example.com"]
    assert set(map(str.lower, read(letter).keys())) == {
        *("auto-submitted", "content-type", "date", "from", "message-id", "mime-version", "subject", "to")
    }
    assert "\nBcc:" not in plain(letter)
    assert f"Hello {one_line(name[:60])}," in plain(letter)
    assert "<script" not in html(letter)
    assert "<img" not in html(letter)
