import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from msgspec import Struct

from tests.api.client import schema
from tillgate.api.payments import Payments
from tillgate.api.schema import SHAPES
from tools import openapi

PAGES = ["/api/v1/docs", "/api/v1/redoc"]


def test_the_schema_is_valid_and_the_committed_file_says_what_the_code_says(capsys):
    assert openapi.main() == 0, capsys.readouterr().out


def test_the_served_schema_needs_no_key_and_names_every_address(merchant):
    answer = Client().get("/api/v1/schema")

    assert answer.status_code == 200
    for path in schema()["paths"]:
        assert path.encode() in answer.content


def test_every_operation_says_who_may_call_it_and_every_refusal_it_gives():
    for path, operations in schema()["paths"].items():
        for method, operation in operations.items():
            assert operation["operationId"], (method, path)
            assert operation["summary"], (method, path)
            assert "security" in operation, (method, path)
            assert {"401", "503"} <= set(operation["responses"]), (method, path)


def test_the_schema_shows_amounts_as_the_wire_has_them():
    shapes = schema()["components"]["schemas"]

    assert shapes["PaymentOut"]["properties"]["amount"]["type"] == "number"
    assert shapes["PaymentIn"]["properties"]["amount"]["type"] == ["number", "string"]
    assert shapes["PaymentIn"]["required"] == ["customer_name", "customer_email", "amount"]
    assert shapes["PaymentIn"]["additionalProperties"] is False


def test_no_two_shapes_share_a_name():
    shapes = [shape for module in SHAPES for shape in vars(module).values() if isinstance(shape, type)]
    named = {shape for shape in shapes if issubclass(shape, Struct)}

    assert len(named) == len({shape.__name__ for shape in named})


def test_both_ways_to_create_and_list_stand_at_one_address():
    assert set(schema()["paths"]["/api/v1/payments"]) == {"get", "post"}
    assert Payments.http_method_names == ["get", "head", "post"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_about_the_api_loads_its_own_assets_only(page):
    html = Client().get(page).content.decode()
    assets = re.findall(r'(?:src|href|spec-url)="([^"]+)"', html)

    assert assets
    assert not [asset for asset in assets if not asset.startswith("/")]
    for asset in assets:
        found = finders.find(asset.removeprefix("/static/")) if asset.startswith("/static/") else None
        assert found or Client().get(asset).status_code == 200, asset


@pytest.mark.parametrize("page", PAGES)
def test_no_script_stands_in_a_page_itself(page):
    answer = Client().get(page)

    assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", answer.content.decode())
    assert "script-src 'self';" in answer["Content-Security-Policy"] + ";"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
