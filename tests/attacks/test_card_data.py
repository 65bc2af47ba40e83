"""A-49, S-40: a card number that somebody types is refused, and is in no table, no log and no mail."""

import logging
import re

import pytest
from django.apps import apps
from django.core import mail as outbox_of
from django.test import Client

from tests.api.client import MINIMAL, PAYMENTS
from tests.attacks.corpus import CARDS
from tests.builders import make_dispute, make_payment, make_settled, make_subscription
from tillgate.checkout import waiting
from tillgate.common.jobs import run_due_jobs
from tools.paths import ROOT

CARD = "4084084084084081"
TEMPLATES = sorted((ROOT / "tillgate").rglob("templates/**/*.html"))
INPUT = re.compile(r"<(?:input|select|textarea)\b[^>]*>")


def in_tables(word: str) -> list[str]:
    """The tables in which a word stands, whatever the column."""
    found = []
    for model in apps.get_models():
        rows = repr([*model._default_manager.values_list()])
        found += [model._meta.label] * (word in re.sub(r"[\s.-]", "", rows))
    return found


@pytest.fixture
def doors(owner, merchant, gateway):
    """Every door that takes a text which people write: its name, and a call with that text."""
    attempt = make_settled(make_payment(merchant))
    paid = f"{PAYMENTS}/{attempt.payment.reference}"
    dispute = make_dispute(attempt).reference
    monthly = {**MINIMAL, "interval": "monthly"}

    def ask(path, body):
        return owner.post(path, body, headers={"Idempotency-Key": "k"})

    return {
        "customer_name": lambda text: ask(PAYMENTS, {**MINIMAL, "customer_name": text}),
        "customer_email": lambda text: ask(PAYMENTS, {**MINIMAL, "customer_email": f"{text}@example.com"}),
        "description": lambda text: ask(PAYMENTS, {**MINIMAL, "description": f"Card {text}, thanks"}),
        "metadata": lambda text: ask(PAYMENTS, {**MINIMAL, "metadata": {"note": text}}),
        "reason": lambda text: ask(f"{paid}/refunds", {"reason": text}),
        "text": lambda text: ask(f"{paid}/disputes/{dispute}/evidence", {"text": f"Paid by\n{text}\nin May"}),
        "customer_name of a subscription": lambda text: ask(
            "/api/v1/subscriptions", {**monthly, "customer_name": text}
        ),
        "description of a subscription": lambda text: ask(
            "/api/v1/subscriptions", {**monthly, "description": text}
        ),
        "metadata of a subscription": lambda text: ask(
            "/api/v1/subscriptions", {**monthly, "metadata": {"note": text}}
        ),
    }


@pytest.mark.parametrize("card", CARDS)
def test_a49_a_card_number_is_refused_at_every_door_for_text(doors, caplog, card):
    caplog.set_level(logging.DEBUG)

    for name, call in doors.items():
        typed = card.replace(" ", "") if "email" in name else card
        answer = call(typed)
        assert answer.status_code == 400, name
        refused = answer.json()["code"]
        assert refused == "card_data_not_accepted" or (name, refused) == ("customer_email", "invalid_email")
        assert typed not in answer.content.decode(), name

    digits = re.sub(r"\D", "", card)
    assert in_tables(digits) == []
    assert digits not in re.sub(r"[\s.-]", "", caplog.text.replace("\\", ""))


def test_a49_the_detector_sees_a_card_number_that_is_there(merchant):
    """The control: what is looked for above would be found."""
    make_payment(merchant, description=f"card {CARD[:4]} {CARD[4:]}")

    assert in_tables(CARD) == ["payments.Payment"]


@pytest.mark.parametrize(
    "member", ["card_number", "cvv", "card", "expiry", "pan", "card[number]", "pin", "otp"]
)
def test_s40_no_door_has_a_member_for_a_card(owner, member):
    answer = owner.create(**{member: CARD})

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_member")
    assert CARD not in answer.content.decode()


def test_s40_no_page_of_ours_has_a_field_for_a_card_or_a_frame_of_a_gateway(merchant):
    fields = [found for path in TEMPLATES for found in INPUT.findall(path.read_text())]
    typed = [field for field in fields if 'type="checkbox"' not in field and 'type="hidden"' not in field]
    asked = " ".join(typed).lower()

    assert TEMPLATES
    assert not re.search(r"card|cvv|cvc|expir|cc-|pan\b", asked), asked
    for path in TEMPLATES:
        page = path.read_text()
        assert not re.search(r"<(iframe|object|embed|frame)\b", page), path
        assert not re.search(r'<script[^>]+src="(?:https?:)?//', page), path


def test_s40_a_form_that_is_made_to_carry_a_card_leaves_it_nowhere(merchant, gateways, caplog, monkeypatch):
    monkeypatch.setattr(waiting, "WAIT_S", 0.0)
    caplog.set_level(logging.DEBUG)
    payment, subscription = make_payment(merchant), make_subscription(merchant)
    card = {"card_number": CARD, "cvv": "123", "name": CARD}

    Client().post(f"/pay/{payment.checkout_token}", {"gateway": "paystack", "consent": CARD, **card})
    Client().get(f"/pay/{payment.checkout_token}/return", card)
    Client().post(f"/pay/{payment.checkout_token}/link", card)
    Client().post(f"/subscription/{subscription.manage_token}/pause", card)
    run_due_jobs()

    assert in_tables(CARD) == []
    assert CARD not in caplog.text
    assert not any(CARD in str(message.message()) for message in outbox_of.outbox)
    told = [arguments for script in gateways.values() for _, arguments in script.calls]
    assert told
    assert CARD not in repr(told)
