"""A-30: seventy payloads in every text field, in a browser that would tell if one of them ran."""

from typing import Any
from urllib.parse import quote

import pytest
from django.core import mail as outbox_of
from django.test import Client

from tests.api.client import MINIMAL, PAYMENTS
from tests.attacks.corpus import XSS
from tests.attacks.test_texts import mailed
from tests.attacks.window import Shown, unescaped, window
from tests.builders import make_attempt, make_method, make_payment, make_subscription, make_user
from tests.subscriptions.mail_scenes import html
from tillgate.checkout import waiting
from tillgate.common import clock
from tillgate.common.web import PROBLEM
from tillgate.merchants.models import Merchant, User
from tillgate.merchants.services.account_mails import AccountMail
from tillgate.merchants.services.account_mails import send as send_account_mail
from tillgate.merchants.services.links import CONFIRMING, link_for
from tillgate.merchants.services.merchants import forget_default_merchant
from tillgate.subscriptions.services.mails import Mail

pytestmark = pytest.mark.browser
# Two at a time, the longest with the shortest, so that both fit into a name.
BY_LENGTH = sorted(XSS, key=len)
PAIRS = [f"{short} {long}" for short, long in zip(BY_LENGTH, reversed(BY_LENGTH), strict=True)][
    : len(XSS) // 2
]
PAID = {"status": "completed", "received_minor": 5_000, "gateway": "paystack"}
SILENT = {"no page", "no address", "no gateway"}  # They repeat nothing of what was asked for.
MAILS = (Mail.SET_UP, Mail.DECLINED, Mail.PAY_LINK, Mail.CARD_EXPIRES)


def pages(merchant: Merchant, typed: str) -> dict[str, Any]:
    """The pages that customers see, with this text wherever somebody can put one."""
    Merchant.objects.filter(pk=merchant.pk).update(name=typed[:120])
    words = {"customer_name": typed, "description": typed}
    failure = {"code": "declined", "message": typed, "retryable": True}
    method = make_method(merchant, brand=typed[:20], last4=typed[:4], kind=typed[:20])
    subscription = make_subscription(merchant, payment_method=method, **words)
    first = make_payment(
        merchant, subscription_reference=subscription.reference, method_saving="required", **words
    )
    failed = make_payment(merchant, status="failed", failure=failure, **words)
    paid = make_payment(
        merchant, completed_at=clock.now(), return_url=f"https://shop.example/?{typed}", **PAID, **words
    )
    make_attempt(paid, channel=typed[:30])
    manage = f"/subscription/{subscription.manage_token}"
    forget_default_merchant()  # Some pages take its name from what the process remembers.
    person = make_user(typed[:150], confirmed=False, email=f"a{first.pk}@example.com")
    paths = {
        "checkout": f"/pay/{first.checkout_token}",
        "failed": f"/pay/{failed.checkout_token}",
        "receipt": f"/pay/{paid.checkout_token}",
        "manage": manage,
        "confirm": f"{manage}/stop",
        "account": "/account/" + link_for(person, CONFIRMING).partition("/account/")[2],
        "sign up": "/auth/users/",
        "form": "/dukka/api/initialize-payment/",
        "no page": f"/pay/{quote(typed, safe='')}",
        "no address": f"/{quote(typed, safe='')}?{quote(typed)}",
    }
    return {name: Client().get(path, headers={"Accept": "text/html"}) for name, path in paths.items()}


def answers(owner: Any, typed: str) -> dict[str, Any]:
    """What the API says of it, which nobody should open as a page, and somebody will."""
    told = owner.create(customer_name=typed, description=typed, metadata={"m": typed}).json()["payment"]
    return {
        "payment": owner.get(f"{PAYMENTS}/{told['id']}"),
        "list": owner.get(f"{PAYMENTS}?limit=1"),
        "unknown member": owner.post(PAYMENTS, {**MINIMAL, typed: typed}),
        "problem": owner.post(PAYMENTS, {**MINIMAL, typed: typed}, headers={"Accept": PROBLEM}),
        "no payment": owner.get(f"{PAYMENTS}/{quote(typed, safe='')}"),
        "no gateway": Client().post(f"/api/v1/webhooks/{quote(typed, safe='')}"),
        "export": owner.get(PAYMENTS, headers={"Accept": "text/csv"}),
    }


@pytest.fixture
def everything(owner, merchant, monkeypatch) -> dict[str, list[Shown]]:
    """Every answer with every payload, by its kind."""
    monkeypatch.setattr(waiting, "WAIT_S", 0.0)
    found: dict[str, list[Shown]] = {}
    for typed in PAIRS:
        for name, answer in (pages(merchant, typed) | answers(owner, typed)).items():
            found.setdefault(name, []).append(Shown.of(answer))
        for mail in MAILS:
            body = html(mailed(mail, typed)).encode()
            shown = Shown(body=body, content_type="text/html; charset=utf-8")
            found.setdefault(f"mail {mail}", []).append(shown)
        send_account_mail(User.objects.latest("pk").pk, AccountMail.CONFIRM.value, "news", "", "")
        told: Any = outbox_of.outbox[-1]
        body = html(told).encode()
        shown = Shown(body=body, content_type="text/html; charset=utf-8")
        found.setdefault("mail of an account", []).append(shown)
    return found


def test_a30_no_payload_runs_loads_or_is_even_tried_on_any_page(everything):
    told = {name for name, shown in everything.items() if any(b"alert(" in one.body for one in shown)}
    assert told == set(everything) - SILENT

    with window() as open_window:
        heard = {name: open_window.show(name.replace(" ", "-"), shown) for name, shown in everything.items()}

    assert len(XSS) >= 60
    assert len(everything) == 18 + len(MAILS)
    assert all(len(shown) == len(PAIRS) for shown in everything.values())
    assert {name: said for name, said in heard.items() if said} == {}


def test_a30_the_browser_hears_what_a_careless_page_would_run_and_our_policy_stops_it(merchant):
    policy = Client().get(f"/pay/{make_payment(merchant).checkout_token}").headers["Content-Security-Policy"]

    with window() as open_window:
        without = open_window.show("without", [unescaped(typed, "") for typed in XSS])
        under_ours = open_window.show("under", [unescaped(typed, policy) for typed in XSS])

    assert len({said for said in without if said.startswith(("RAN", "CALLED"))}) >= 30, without
    assert [said for said in under_ours if said.startswith("RAN")] == []
    assert len([said for said in under_ours if said.startswith("CSP")]) >= 30
