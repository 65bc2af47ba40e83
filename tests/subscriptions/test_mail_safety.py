"""Names are written by anyone: they forge no header, no line and no markup, and lose no mail."""

from email import policy
from email.parser import BytesParser
from typing import Any

import pytest
from django.core import mail as outbox_of

from tests.subscriptions.mail_scenes import SCENES, html, plain, sent
from tillgate.common.mail import one_line
from tillgate.merchants.models import Merchant
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.mails import Mail

HOSTILE = [
    "Shop\r\nBcc: all@example.com",
    "Shop\nSubject: Won\n\nA body",
    "\u202egnissel\u2066B",
    "Line\u2028separator\x85next\x0b\x1f",
    '"x" <a@b.example>, c@d.example',
    "a@b.example, c@d.example; (comment) \\",
    "<script>alert(1)</script><img src=//evil.example>",
    "{{ settings.SECRET_KEY }}{% include 'x' %}",
    "{0.__class__} {shop.__init__.__globals__} %(x)s ${x}",
    "=?utf-8?q?Bank=0D=0ABcc:_x=40y.example?=",
    "אבי & مُحَمَّد Ọláńrewájú 🙂",
    "名" * 120,
    "x" * 120,
]


@pytest.fixture(params=HOSTILE, ids=range(len(HOSTILE)))
def name(request: pytest.FixtureRequest, merchant: Merchant) -> str:
    return str(request.param)


def named(name: str, mail: Mail = Mail.PAY_LINK) -> Any:
    """Send a mail in which shop, customer, description and card all have this name."""
    scene = SCENES[mail]()
    Merchant.objects.update(name=name)
    Subscription.objects.update(customer_name=name, description=name)
    return sent(mail, scene)


def read(message: Any) -> Any:
    return BytesParser(policy=policy.default).parsebytes(message.message().as_bytes())


def test_a_name_adds_no_header_and_no_recipient(name: str) -> None:
    message = named(name)
    got = read(message)

    assert message.recipients() == ["john@example.com"]
    assert got["Bcc"] is None
    assert sorted(set(map(str.lower, got.keys()))) == [
        "auto-submitted",
        "content-type",
        "date",
        "from",
        "list-unsubscribe",
        "message-id",
        "mime-version",
        "subject",
        "to",
    ]
    assert len(got["To"].addresses) == 1


def test_the_shop_is_the_senders_name_and_the_address_ours(name: str) -> None:
    [sender] = read(named(name))["From"].addresses

    assert sender.addr_spec == "payments@127.0.0.1"
    # Python's own reader leaves a space between two encoded words.
    assert sender.display_name.replace(" ", "") == one_line(name).replace(" ", "")


def test_the_envelope_has_our_address_alone(name: str) -> None:
    message = named(name)

    assert message.from_email == "payments@127.0.0.1"


def test_every_occasion_survives_a_hostile_name(merchant: Merchant) -> None:
    for mail in Mail:
        named(HOSTILE[0], mail)

    assert len(outbox_of.outbox) == len(Mail)


def test_names_are_text_in_the_page_and_keep_their_own_direction(name: str) -> None:
    page = html(named(name))

    assert "<script" not in page
    assert "<img" not in page
    assert page.count("<bdi>") == page.count("</bdi>") >= 3


def test_names_forge_no_line_in_the_plain_part(name: str) -> None:
    said = plain(named(name))

    assert f"Hello {one_line(name)},\n" in said
    assert "\r" not in said
    assert "\nBcc:" not in said
    assert "\nSubject:" not in said


def test_template_words_in_a_name_stay_what_they_are(merchant: Merchant) -> None:
    name = "{{ 7|add:7 }} {amount}"
    message = named(name)

    assert name in message.subject
    assert name in plain(message)
    assert name in html(message)


def test_no_header_line_is_longer_than_mail_servers_take(name: str) -> None:
    head = named(name).message().as_bytes().partition(b"\n\n")[0]

    assert max(map(len, head.splitlines())) <= 998


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Ada's Shop", "Ada's Shop"),
        (" a \r\n b ", "a b"),
        ("a\x00b\u202ec", "a bc"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian needs it between its letters.
        ("=?utf-8?q?=0D=0A?=", "= ?utf-8?q?=0D=0A?="),  # A mail reader would decode it.
        ("", ""),
    ],
)
def test_one_line_keeps_every_real_name(text: str, kept: str) -> None:
    assert one_line(text) == kept
