"""What people type, wherever it comes out again: pages, mails, spreadsheets and logs."""

import csv
import io
import json
import logging
import re
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.core import mail as outbox_of
from django.test import Client

from tests.api.client import PAYMENTS, ApiClient
from tests.attacks.corpus import (
    FORGING,
    FORMATS,
    FORMULAS,
    GOOD_EMAILS,
    HOSTILE_EMAILS,
    ODD_BUT_REAL,
    OVERRIDES,
    XSS,
)
from tests.builders import (
    make_dispute,
    make_method,
    make_payment,
    make_payment_in,
    make_settled,
    make_subscription,
)
from tests.checkout.test_safety import skeleton
from tests.subscriptions.mail_scenes import SCENES, html, plain, sent
from tillgate.common.logs import logging_config
from tillgate.customers.models import PaymentMethod
from tillgate.merchants.models import Merchant
from tillgate.payments.models import Payment
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.mails import Mail

MAILED = [*XSS[::7], *FORMATS[::3], "https://evil.example/pay Click here", "Ada <ada@evil.example>"]


class Links(HTMLParser):
    """Every address that a mail would open or load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("img", "script", "iframe", "object", "embed", "link", "form", "base"), tag
        self.found += [
            value or "" for name, value in attrs if name in ("href", "src", "background", "action")
        ]


def mailed(mail: Mail, words: str):
    """A mail in which shop, customer, description and card all have these words."""
    scene = SCENES[mail]()
    Merchant.objects.update(name=words[:120])
    Subscription.objects.update(customer_name=words, description=words)
    PaymentMethod.objects.update(brand=words[:20], last4=words[:4])
    return sent(mail, scene)


@pytest.mark.parametrize("mail", list(Mail))
def test_a31_a_mail_leads_to_our_own_pages_alone_whatever_a_name_says(merchant, mail):
    calm = Links(html(mailed(mail, "plain words")))

    for words in MAILED:
        links = Links(html(mailed(mail, words))).found
        assert len(links) == len(calm.found), words
        assert all(link.startswith(f"{settings.TILLGATE_PUBLIC_URL}/") for link in links), links


@pytest.mark.parametrize("member", ["customer_name", "description", "metadata", "key of metadata"])
@pytest.mark.parametrize("char", [*OVERRIDES, *FORGING], ids=ascii)
def test_a32_what_turns_or_forges_a_line_is_refused(owner, member, char):
    word = f"Ada{char}ebola"
    body = {"metadata": {"m": word}, "key of metadata": {word: "m"}}.get(member, word)

    answer = owner.create(**{"metadata" if "metadata" in member else member: body})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_field")
    assert not Payment.objects.exists()


@pytest.mark.parametrize("name", ODD_BUT_REAL, ids=ascii)
def test_a32_an_odd_name_is_kept_and_shut_off_from_its_neighbours(owner, merchant, name):
    told = owner.create(customer_name=name, description=name).json()["payment"]
    page = Client().get(f"/pay/{told['checkout_url'].rpartition('/')[2]}").content.decode()
    managed = make_subscription(merchant, customer_name=told["customer_name"])
    manage = Client().get(f"/subscription/{managed.manage_token}").content.decode()

    assert owner.get(f"{PAYMENTS}/{told['id']}").json()["payment"]["customer_name"] == told["customer_name"]
    assert f"<bdi>{told['customer_name']}</bdi>" in page
    assert f'dir="auto">{told["description"]}' in page
    assert f"<bdi>{told['customer_name']}</bdi>" in manage


@pytest.mark.parametrize("name", ["Z" + "\u0300" * 10_000, "🦊" * 201, "ﷺ" * 201, "x" * 201])
def test_a32_a_name_has_its_limit_in_characters(owner, name):
    assert owner.create(customer_name=name).json()["errors"].keys() == {"customer_name"}


def test_a33_words_of_a_gateway_are_text_on_every_page(merchant, gateways):
    def pages(words: str) -> list:
        attempt = make_settled(make_payment(merchant))
        failed = {"code": "declined", "message": words, "retryable": True}
        Payment.objects.filter(pk=attempt.payment_id).update(status="failed", failure=failed)
        type(attempt).objects.filter(pk=attempt.pk).update(channel=words[:30])
        method = make_method(merchant, brand=words[:20], last4=words[:4], kind=words[:20])
        subscription = make_subscription(merchant, payment_method=method)
        paths = (f"/pay/{attempt.payment.checkout_token}", f"/subscription/{subscription.manage_token}")
        return [skeleton(Client().get(path).content) for path in paths]

    calm = pages("plain words")

    for words in XSS[::3]:
        assert pages(words) == calm, words


def test_a33_words_of_a_gateway_come_out_of_the_api_as_json(owner, merchant, gateway):
    attempt = make_settled(make_payment(merchant))
    make_dispute(attempt, reason=XSS[0])

    answer = owner.get(f"{PAYMENTS}/{attempt.payment.reference}")

    assert answer.json()["payment"]["disputes"][0]["reason"] == XSS[0]
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/json", "nosniff")


@pytest.mark.parametrize("email", HOSTILE_EMAILS, ids=ascii)
def test_a34_what_is_not_plainly_one_address_is_refused(owner, email):
    for path, more in ((PAYMENTS, {}), ("/api/v1/subscriptions", {"interval": "monthly"})):
        body = {"customer_name": "Ada", "customer_email": email, "amount": 50, **more}
        answer = owner.post(path, body)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["customer_email"]), path


@pytest.mark.parametrize("email", GOOD_EMAILS)
def test_a34_an_address_that_is_one_gets_the_mail_alone(owner, merchant, email):
    assert owner.create(customer_email=email).status_code == 201
    scene = SCENES[Mail.PAY_LINK]()
    Subscription.objects.update(customer_email=email)

    message = sent(Mail.PAY_LINK, scene)

    assert (message.recipients(), message.message()["To"]) == ([email], email)
    assert len(outbox_of.outbox) == 1


@pytest.mark.parametrize("words", FORMATS, ids=ascii)
def test_a35_words_of_a_template_stay_what_they_are(owner, merchant, words):
    Merchant.objects.update(name=words)
    told = owner.create(customer_name=words, description=words, metadata={"m": words}).json()["payment"]
    page = Client().get(f"/pay/{told['checkout_url'].rpartition('/')[2]}").content.decode()
    message = mailed(Mail.SET_UP, words)

    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#x27;")
    assert told["customer_name"] == told["description"] == told["metadata"]["m"] == words
    assert page.count(escaped) >= 3
    assert words in plain(message)
    assert escaped in html(message)
    assert settings.SECRET_KEY not in page + plain(message) + html(message)


def exported(owner, **members):
    make_payment(Merchant.objects.get(), **members)
    answer = owner.get(PAYMENTS, headers={"Accept": "text/csv"})
    return b"".join(answer.streaming_content).decode()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("words", FORMULAS, ids=ascii)
def test_a36_no_cell_of_an_export_is_a_formula_however_a_spreadsheet_splits_it(
    owner, merchant, words, delimiter
):
    text = exported(
        owner, customer_name=words, description=words, merchant_reference=words, customer_email=words
    )

    cells = [cell for row in csv.reader(io.StringIO(text), delimiter=delimiter) for cell in row]

    numbers = re.compile(r"-?\d+(\.\d+)?")
    assert [cell for cell in cells if cell.lstrip(' "').startswith(tuple("=+-@＝＋－＠\t\r"))] == []
    assert delimiter != "," or any(numbers.fullmatch(cell) for cell in cells)


def test_a36_an_export_is_read_back_as_it_was_but_for_the_mark(owner, merchant):
    payment = make_payment_in("completed", merchant, fee_minor=6_000, customer_name="Ada; Ade - O'Brien")

    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(exported(owner)))}

    row = rows[payment.reference]
    assert (row["customer_name"], row["net"]) == ("Ada; Ade - O'Brien", "-10.00")


@pytest.mark.parametrize(
    "word", ["a\r\nFORGED", "a\x1b[2K", 'a", "event": "FORGED', "a\u2028FORGED", "%0d%0aFORGED"]
)
def test_a37_a_request_writes_whole_lines_or_none(monkeypatch, merchant, word):
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    before = logging.getLogger().handlers[:]
    logging_config(local=False)
    try:
        wire = word.encode().decode("latin-1")
        caller = ApiClient()
        caller.get(f"{PAYMENTS}/{word}", headers={"X-Request-ID": wire, "User-Agent": wire, "Referer": wire})
        caller.get(PAYMENTS, headers={"Authorization": f"Bearer sk_test_{wire}"})
        caller.create(customer_name=word, customer_email=word)
        Client().post(f"/api/v1/webhooks/paystack?{word}", headers={"X-Paystack-Signature": wire})
    finally:
        monkeypatch.undo()
        logging_config(local=True)
        logging.getLogger().handlers[:] = before

    lines = written.getvalue().splitlines()
    events = [json.loads(line) for line in lines]
    assert {event["event"] for event in events} >= {"event_bad_signature"}
    assert not [event for event in events if event["event"].startswith("FORGED")]
    assert "\x1b" not in written.getvalue()
