"""Staff look at how the installation is doing, in a browser."""

import pytest

from tests.builders import PASSWORD
from tests.e2e.journey import LOOKS
from tests.e2e.test_forms_journey import KEPT, complaints, fill, sign_in
from tests.e2e.test_looks import assert_fits_and_can_be_read

pytestmark = [pytest.mark.browser, pytest.mark.journey]
PATH = "/api/v1/doctor"


@pytest.fixture(scope="module")
def staff() -> set[str]:
    return set()


@pytest.fixture
def owner(shop, staff) -> str:
    if not staff:
        shop.sign_up("ada")
        shop.put_on_staff("ada", "owner")
        staff.add("ada")
    return "ada"


def verdicts(visitor) -> dict[str, list[str]]:
    rows = visitor.page.locator(".finding").all()
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.locator(".about").inner_text(), []).append(row.locator(".verdict").inner_text())
    return found


def test_an_owner_signs_in_and_is_told_and_nothing_is_kept(product, visit, owner):
    visitor = visit()
    visitor.page.goto(product.url + PATH)
    sign_in(visitor, owner)
    visitor.page.locator(".finding").first.wait_for()

    found = verdicts(visitor)
    assert {"database", "worker", "disk", "webhooks"} <= set(found)
    assert found["worker"] == ["ok", "ok"]
    visitor.press("Examine again")
    visitor.page.get_by_role("status").filter(has_text="All is well").wait_for()
    assert visitor.page.evaluate(KEPT) == [0, 0, ""]
    assert visitor.page.locator("#password").input_value() == ""
    assert complaints(visitor) == []


def test_who_is_only_a_customer_is_told_why_not(product, visit, shop):
    visitor = visit()
    shop.sign_up("cleo")
    visitor.page.goto(product.url + PATH)
    sign_in(visitor, "cleo")

    visitor.page.get_by_role("alert").filter(has_text="You work for no merchant").wait_for()
    assert visitor.page.locator(".finding").count() == 0


def test_a_wrong_password_is_said_and_can_be_corrected(product, visit, owner):
    visitor = visit()
    visitor.page.goto(product.url + PATH)
    fill(visitor, username=owner, password="wrong")
    visitor.press("Sign in")
    visitor.page.get_by_role("alert").filter(has_text="password").wait_for()
    fill(visitor, password=PASSWORD)
    visitor.press("Sign in")

    visitor.page.locator(".finding").first.wait_for()


@LOOKS
def test_the_page_fits_can_be_pressed_and_read(product, visit, owner, viewport, scheme):
    visitor = visit(viewport=viewport, color_scheme=scheme)
    visitor.page.goto(product.url + PATH)
    visitor.page.get_by_role("button").first.wait_for()
    assert_fits_and_can_be_read(visitor.page)
    sign_in(visitor, owner)
    visitor.page.locator(".finding").first.wait_for()
    assert_fits_and_can_be_read(visitor.page)
    # Each tone can be read, whatever the installation is like just now.
    tones = "document.querySelectorAll('.finding').forEach((row, i) => row.className = 'finding finding-' + "
    visitor.page.evaluate(f"{tones} ['broken', 'look', 'ok'][i % 3])")
    assert_fits_and_can_be_read(visitor.page)


def test_without_javascript_it_says_what_to_do(product, visit):
    visitor = visit(java_script_enabled=False)
    visitor.page.goto(product.url + PATH)

    assert "./run doctor" in visitor.page.locator("noscript .note").inner_text()
    assert visitor.page.get_by_role("button").count() == 0
