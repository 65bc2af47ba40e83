"""The two pages about the API in a real browser: they work under our policy and ask nobody else."""

from pathlib import Path
from typing import Any

import pytest

from tests.requires import skip_without

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        ("/api/v1/docs", ".opblock-summary-path >> text=attempts"),
        ("/api/v1/redoc", "h2 >> text=Create a payment"),
    ],
)
def test_a_page_shows_the_api_and_breaks_no_policy(
    live_server: Any, merchant: Any, page: str, seen: str
) -> None:
    if not CHROMIUM.exists():
        skip_without("browser", "there is no chromium on this machine")
    from playwright.sync_api import sync_playwright

    told: list[str] = []
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        tab = browser.new_page()
        tab.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: told.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(live_server.url + page)
        tab.locator(seen).first.wait_for(timeout=20_000)
        tab.wait_for_timeout(500)
        browser.close()

    assert told == [], told
    elsewhere = [
        url for url in asked if not url.startswith((live_server.url, "data:", f"blob:{live_server.url}"))
    ]
    assert elsewhere == []
