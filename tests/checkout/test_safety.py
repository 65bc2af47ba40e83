"""Nothing that anybody types becomes markup, an address, or a cookie; and looking changes nothing."""

import re
import socket
from html.parser import HTMLParser

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.builders import make_merchant, make_payment
from tillgate.checkout.page import shop_url
from tillgate.checkout.policy import form_targets
from tillgate.common.jobs.models import Job
from tillgate.common.throttles import Policy
from tillgate.gateways.protocol import GatewayAccount
from tillgate.payments.models import Attempt, Payment

XSS = [
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</bdi></p><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<<script>alert(1)//<</script>",
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href='javascript:alert(1)'>pay</a>",
    "<form action=https://evil.example><button>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<style>*{background:url(https://evil.example)}</style>",
    "<link rel=stylesheet href=//evil.example>",
    "<!--", "-->", "<![CDATA[", "<?php", "</main>", "</noscript><script>alert(1)</script>",
    "{{ page.payment }}", "{% load static %}", "{# #}", "${alert(1)}",
    "{{constructor.constructor('alert(1)')()}}",
    "&lt;script&gt;", "&#60;script&#62;", "\\u003cscript\\u003e", "%3Cscript%3E", "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>", "＜script＞alert(1)＜/script＞", "<x onclick=alert(1)>",
    "<math><mi//xlink:href='data:x,<script>alert(4)</script>'>", "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>", "<body onload=alert(1)>", "<input autofocus onfocus=alert(1)>",
    "`${alert(1)}`", "=cmd|' /C calc'!A0", "<template><script>alert(1)</script></template>",
]  # fmt: skip
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
}
SMALL = 30_000


class Skeleton(HTMLParser):
    """The elements of a page and the names of their attributes: what typed text must never change."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, ...]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _ in attrs)))

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", data))


def skeleton(page: bytes) -> list[tuple[str, ...]]:
    return Skeleton(page.decode()).tags


@pytest.mark.parametrize("typed", XSS)
def test_typed_text_never_becomes_markup(merchant, look, typed):
    def page(words: str) -> bytes:
        failure = {"code": "declined", "message": words, "retryable": True}
        type(merchant).objects.filter(pk=merchant.pk).update(name=words)
        told = {"customer_name": words, "description": words, "failure": failure}
        return look(make_payment(merchant, status="failed", **told)).content

    assert skeleton(page(typed)) == skeleton(page("plain words"))


def test_names_of_any_script_are_isolated_and_kept(merchant, look):
    payment = make_payment(merchant, customer_name="محمد بن عبد الله")

    assert "<bdi>محمد بن عبد الله</bdi>" in look(payment).content.decode()


@pytest.mark.parametrize("below", ["", "/", "/return", "/return/", "/status", "/status/"])
@pytest.mark.parametrize("token", [None, "A" * 26, "short", "%00", "I" * 26])
def test_every_route_has_the_safe_headers_and_no_cookie(payment, client, token, below):
    response = client.get(f"/pay/{token or payment.checkout_token}{below}")

    assert response.status_code == (404 if token else 200)
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    policy = response.headers["Content-Security-Policy"]
    for directive in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "script-src 'self'"):
        assert directive in policy
    assert "unsafe" not in policy
    assert "Set-Cookie" not in response.headers
    assert not response.cookies


def test_an_unknown_token_gets_a_friendly_page(db, client):
    response = client.get("/pay/" + "A" * 26)

    assert response.status_code == 404
    assert "There is no payment at this address" in response.content.decode()


def test_the_payments_id_does_not_open_its_page(payment, client):
    assert client.get(f"/pay/{payment.reference}").status_code == 404


@pytest.mark.parametrize(
    ("method", "below", "status"),
    [
        ("head", "", 200), ("head", "/return", 200), ("head", "/status", 200),
        ("put", "", 405), ("patch", "", 405), ("delete", "", 405), ("options", "", 405), ("trace", "", 405),
        ("post", "/return", 405), ("post", "/status", 405), ("delete", "/return", 405),
    ],
)  # fmt: skip
def test_methods(payment, client, method, below, status):
    response = getattr(client, method)(f"/pay/{payment.checkout_token}{below}")

    assert response.status_code == status
    assert response.headers["Cache-Control"] == "no-store"
    assert not response.cookies


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("below", ["", "/return", "/status"])
def test_looking_creates_nothing_and_calls_nobody(payment, client, settings, method, below):
    gateway = socket.create_server(("127.0.0.1", 0))
    gateway.setblocking(False)
    settings.PAYSTACK_BASE_URL = f"http://127.0.0.1:{gateway.getsockname()[1]}"
    with (
        gateway,
        CaptureQueriesContext(
            connection,
        ) as queries,
    ):
        getattr(client, method)(f"/pay/{payment.checkout_token}{below}")

        assert not [query for query in queries if not query["sql"].startswith("SELECT")]
        with pytest.raises(BlockingIOError):
            gateway.accept()
    assert not Attempt.objects.exists()
    assert not Job.objects.exists()


def test_looking_costs_one_statement(payment, look, django_assert_num_queries):
    with django_assert_num_queries(1):
        look(payment)


def test_the_whole_page_is_small(tried, merchant, look):
    payment = tried(customer_name="A" * 200, description="W" * 500)
    page = look(payment).content
    files = re.findall(r'(?:src|href)="/static/([^"]+)"', page.decode())

    weight = len(page) + sum(_size(name) for name in files)
    assert set(files) == {"checkout/checkout.css", "checkout/checkout.js", "checkout/icon.svg"}
    assert weight <= SMALL


def _size(name: str) -> int:
    path = finders.find(name)
    assert path, name
    with open(path, "rb") as file:
        return len(file.read())


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(tried, look):
    page = look(tried()).content.decode()

    assert " style=" not in page
    assert "<style" not in page
    assert not re.search(r"\son[a-z]+=", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_the_form_may_lead_to_the_gateway_and_nowhere_else(payment, look, settings):
    settings.PAYSTACK_BASE_URL = "http://127.0.0.1:8001/paystack"

    policy = look(payment).headers["Content-Security-Policy"]
    assert "form-action 'self' https://checkout.paystack.com http://127.0.0.1:8001;" in policy + ";"


def test_in_production_the_address_of_the_gateways_api_is_not_a_page(settings):
    settings.IS_LOCAL = False
    account = GatewayAccount(
        gateway="paystack",
        mode="live",
        base_url="https://api.paystack.co",
        credentials={"secret_key": "sk_live_x"},
    )

    assert form_targets([account]) == ["'self'", "https://checkout.paystack.com"]


def test_another_merchants_gateways_are_not_offered(merchant, look):
    payment = make_payment(make_merchant(name="Another shop"))
    response = look(payment)

    assert "Paying is not possible just now" in response.content.decode()
    assert "paystack" not in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("return_url", "shown"),
    [
        ("", ""),
        ("https://shop.example", "https://shop.example?payment=PAY-1"),
        ("https://shop.example/a?b=c&b=d%20e", "https://shop.example/a?b=c&b=d%20e&payment=PAY-1"),
        ("https://shop.example/a?#top", "https://shop.example/a?payment=PAY-1#top"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//evil.example/", ""),
        ("/pay/x", ""),
    ],
)
def test_the_way_back_to_the_shop(return_url, shown):
    assert shop_url(Payment(return_url=return_url, reference="PAY-1")) == shown


@pytest.mark.parametrize("page", ["", "/return", "/status"])
def test_an_address_that_asks_too_often_is_told_to_wait(client, payment, page, monkeypatch):
    monkeypatch.setattr("tillgate.checkout.views.READ", Policy(name="few", calls=6, window_s=600))
    address = f"/pay/{payment.checkout_token}{page}"

    answers = [client.get(address, REMOTE_ADDR="203.0.113.9") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3]["Retry-After"]
    assert "One moment" in answers[3].content.decode()
