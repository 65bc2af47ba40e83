"""The page on accounts names every route that there is, and none that is not."""

import re
from pathlib import Path

from tests.api.client import schema
from tillgate.api.accounts.urls import ROUTES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "accounts.md").read_text(encoding="utf-8")


def test_every_route_of_accounts_is_on_the_page_and_no_other():
    told = {path.strip("/") for path in re.findall(r"/(?:auth|api/token)[\w/]*", PAGE)}

    assert told == {route for route, _, _ in ROUTES}


def test_what_the_page_says_of_ones_own_things_is_there():
    for path in ("/api/v1/me/logins", "/api/v1/me/logins/{reference}", "/api/v1/me/otp", "/api/v1/me/export"):
        assert path in schema()["paths"]
        assert path.removesuffix("/{reference}") in PAGE
