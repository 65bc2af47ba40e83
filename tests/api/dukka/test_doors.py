"""Who may call the Dukka API and how; and what a browser gets at its addresses."""

import re

import pytest
from django.contrib.staticfiles import finders

from tests.api.client import ApiClient
from tests.api.dukka.calls import HISTORY, INITIALIZE, PLAIN, stop
from tillgate.merchants.services.keys import NewKey, create_key
from tillgate.payments.models import Payment

DOORS = [("post", INITIALIZE), ("get", HISTORY), ("post", stop(1))]
PAGES = {
    INITIALIZE: "Pay with Paystack",
    stop(123): "Stop a recurring payment",
    "/auth/users/": "Make an account",
}
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FORMS = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "application/xml",
]


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_without_a_login_each_door_is_closed(guest, method, path):
    answer = getattr(guest, method)(path)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer["WWW-Authenticate"]


@pytest.mark.parametrize("publishable", [False, True], ids=["secret", "publishable"])
@pytest.mark.parametrize(("method", "path"), DOORS)
def test_a_key_is_told_that_a_person_is_wanted(merchant, method, path, publishable):
    _, key = create_key(merchant, NewKey(mode="test", is_publishable=publishable))

    answer = getattr(ApiClient(key), method)(path)

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert answer.json()["message"].endswith("send an access token, not a key.")


@pytest.mark.parametrize("path", [INITIALIZE, stop(1)])
@pytest.mark.parametrize("content_type", FORMS)
@pytest.mark.parametrize(
    "body", [b"", b"email=ada@example.com&amount=50", b'{"email": "a@b.example"}'], ids=len
)
def test_a44_what_a_form_of_another_site_can_send_is_refused(customer, path, content_type, body):
    # Django's client would leave the type out where there is no body.
    answer = customer.post(path, body, content_type=content_type, CONTENT_TYPE=content_type)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        (INITIALIZE, ("get", "put", "patch", "delete", "options")),
        (HISTORY, ("post", "put", "delete")),
        (stop(1), ("get",)),
    ],
)
def test_a17_a_method_that_an_address_does_not_take_is_refused(customer, path, methods):
    for method in methods:
        answer = getattr(customer, method)(path)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert "GET" not in answer["Allow"] or path == HISTORY


def test_in_production_nothing_of_it_is_sent_in_the_clear(customer, settings):
    settings.SECURE_SSL_REDIRECT = True

    for method, path in DOORS:
        answer = getattr(customer, method)(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "https_required")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("spelling", ["with", "without"])
def test_a_browser_gets_a_form(guest, path, spelling):
    answer = guest.get(path if spelling == "with" else path.rstrip("/"), headers=HTML)

    page = answer.content.decode()
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f'<h1 class="title">{PAGES[path]}</h1>' in page
    assert "My shop" in page
    assert (answer["Cache-Control"], answer["Vary"]) == ("no-store", "Accept")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "application/problem+json"])
def test_whoever_asks_for_no_page_gets_json(guest, path, accept):
    answer = guest.get(path, headers={"Accept": accept})

    assert answer.status_code in (401, 404, 405)
    assert answer["Content-Type"] in ("application/json", "application/problem+json")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_holds_no_script_of_its_own_and_no_cookie(guest, path):
    answer = guest.get(path, headers=HTML)
    page = answer.content.decode()

    assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style| on\w+=| style=|javascript:", page)
    assets = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(assets) == 4
    assert all(finders.find(asset.removeprefix("/static/")) for asset in assets)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not answer.cookies


def test_s15_the_script_keeps_the_token_in_memory_alone():
    path = finders.find("api/forms.js")
    assert isinstance(path, str)
    with open(path, encoding="utf-8") as file:
        script = file.read()

    assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie|innerHTML|eval\(", script)


def test_a30_the_shops_name_and_the_address_are_text(guest, merchant):
    merchant.name = '<img src=x onerror="alert(1)">'
    merchant.save()

    page = guest.get(INITIALIZE, headers=HTML).content.decode()

    assert "<img" not in page
    assert "&lt;img" in page


def test_test_mode_is_said(guest, settings):
    settings.TILLGATE_GUEST_MODE = "test"
    assert "Test mode" in guest.get(INITIALIZE, headers=HTML).content.decode()
    settings.TILLGATE_GUEST_MODE = "live"
    assert "Test mode" not in guest.get(INITIALIZE, headers=HTML).content.decode()


def test_what_is_posted_at_a_pages_address_is_the_apis(customer, gateway):
    assert customer.post(INITIALIZE, PLAIN, headers=HTML).status_code == 201
