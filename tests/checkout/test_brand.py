"""What a shop's pages wear, and that any colour can be read on them."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.builders import make_subscription
from tillgate.checkout.colors import DARK_PAGE, LIGHT_PAGE, contrast, style_of
from tillgate.merchants.models import Merchant
from tillgate.merchants.services.merchants import change_merchant, set_logo

COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
ON_WHITE, ON_BLACK = "#ffffff", "#131917"  # The other grounds of the pages.
STYLE = re.compile(r'<link rel="stylesheet" href="(/brand/[^"]+\.css)">')


def variables(style: str) -> list[dict[str, str]]:
    """The variables of the light and of the dark page."""
    return [dict(re.findall(r"(--[a-z-]+): ([^;]+);", rule)) for rule in style.splitlines()]


def wear(merchant: Merchant, **brand: str) -> None:
    change_merchant(merchant.pk, brand)


@given(COLORS)
@example("#000000")
@example("#ffffff")
@example("#777777")
@example("#ffd400")
@example("#0a1a4f")
def test_any_colour_can_be_read(color):
    light, dark = variables(style_of(color))

    for told, grounds in ((light, (LIGHT_PAGE, ON_WHITE)), (dark, (DARK_PAGE, ON_BLACK))):
        assert told["--accent"] == color
        for button in (told["--accent"], told["--accent-deep"]):
            assert contrast(told["--on-accent"], button) >= 4.5
        for ground in grounds:
            assert contrast(told["--accent-ink"], ground) >= 4.5
            assert contrast(told["--accent-edge"], ground) >= 3


@pytest.mark.parametrize(
    ("one", "other", "known"), [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48)]
)
def test_the_contrast_is_the_one_of_the_standard(one, other, known):
    assert contrast(one, other) == contrast(other, one) == pytest.approx(known, abs=0.01)


@pytest.mark.parametrize("color", ["", "red", "#fff", "#0A7D4F", "#0a7d4f;}*{x", "#0a7d4f\n"])
def test_what_is_no_colour_has_no_style(color):
    assert style_of(color) == ""


def test_without_a_brand_a_page_wears_ours(payment, look):
    page = look(payment).content.decode()

    assert "/brand/" not in page
    assert '<span class="shop-mark" aria-hidden="true">M</span><bdi>My shop</bdi>' in page


def test_the_pages_wear_the_merchants_name_logo_and_colour(merchant, payment, look, see):
    wear(merchant, name="Ọjà Books", color="#0a1a4f")
    set_logo(merchant.pk, b"a picture", "image/png")
    merchant.refresh_from_db()
    subscription = make_subscription(merchant)

    for answer in (look(payment), see(subscription), see(subscription, "/stop")):
        page = answer.content.decode()
        assert "<bdi>Ọjà Books</bdi>" in page
        assert f'src="/brand/{merchant.reference}/{merchant.logo_sha256}"' in page
        assert STYLE.search(page)
        assert "shop-mark" not in page


def test_a_receipt_wears_it_too(merchant, paid, look):
    wear(merchant, color="#0a1a4f")

    assert STYLE.search(look(paid()).content.decode())


def test_a_colour_is_a_file_that_is_kept_for_good(merchant, payment, look, client):
    wear(merchant, color="#ffd400")
    [url] = STYLE.findall(look(payment).content.decode())

    answer = client.get(url)

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.content.decode() == style_of("#ffd400")


def test_another_colour_has_another_address(merchant, payment, look, client):
    wear(merchant, color="#ffd400")
    [first] = STYLE.findall(look(payment).content.decode())
    wear(merchant, color="#ffd401")
    [second] = STYLE.findall(look(payment).content.decode())

    assert first != second
    assert (client.get(first).status_code, client.get(second).status_code) == (404, 200)


def test_a21_each_merchant_wears_its_own(merchant, other_merchant, payment, look):
    wear(other_merchant, color="#ffd400", name="Other shop")

    page = look(payment).content.decode()
    assert "/brand/" not in page
    assert "Other shop" not in page


def test_a_brand_costs_the_page_no_statement(merchant, payment, look, django_assert_num_queries):
    wear(merchant, color="#ffd400")
    set_logo(merchant.pk, b"a picture", "image/png")
    look(payment)

    with django_assert_num_queries(1):
        look(payment)


def test_too_many_from_one_address_are_refused(merchant, client, settings):
    settings.TILLGATE_WEB_PROCESSES = 600
    url = f"/brand/{merchant.reference}/{'0' * 64}"

    statuses = [client.get(url, REMOTE_ADDR="192.0.2.1").status_code for _ in range(3)]

    assert statuses == [404, 429, 429]
