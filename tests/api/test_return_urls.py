import pytest

REFUSED = [
    "https://evil.com/",
    "https://shop.example.evil.com/",
    "https://evil.com/shop.example",
    "https://shop.example@evil.com/",
    "https://evil.com\\@shop.example/",
    "https://evil.com#@shop.example",
    "https://shop.example:99999/",
    "//shop.example/x",
    "/relative",
    "shop.example",
    "http://shop.example/",
    "ftp://shop.example/",
    "javascript:alert(1)",
    "JAVASCRIPT://shop.example/%0aalert(1)",
    "data:text/html,<script>",
    "https:/shop.example",
    "https:shop.example",
    "https:///shop.example",
    "https://shop。example/",
    "https://shop.example。evil.com/",
    "https://ѕhop.example/",
    "https://shop%2eexample/",
    "https://shop.example%00.evil.com/",
    "https://shop.example\t/",
    "https://shop.example/\r\nX: y",
    " https://shop.example/",
    "https://shop.example/\x00",
    "https://[::1]/",
    "https://[",
    "http://[",
    "https://[v1.x]/",
    "http://[::ffff:127.0.0.1]/",
    "http://127.0.0.1/",
    "http://169.254.169.254/",
    "https://user:pw@shop.example/",
    "https://shop.example:8443/",
    "https://SHOP.EXAMPLE.evil/",
    "https://",
    "https://?",
    "\\\\shop.example",
    "https://shop.example/" + "x" * 2_000,
]


@pytest.fixture(autouse=True)
def return_hosts(settings):
    settings.TILLGATE_RETURN_HOSTS = ["shop.example", "localhost:3000", "127.0.0.1:3000"]


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("url", REFUSED, ids=lambda url: ascii(url)[:40])
def test_a_way_back_to_elsewhere_is_refused(guest, settings, url, local):
    settings.IS_LOCAL = local
    answer = guest.create(return_url=url)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_return_url")
    assert list(answer.json()["errors"]) == ["return_url"]


@pytest.mark.parametrize("url", ["https://shop.example/thanks?order=1#top", "https://shop.example"])
def test_a_way_back_to_a_listed_host_is_kept(guest, url):
    assert guest.create(return_url=url).json()["payment"]["return_url"] == url


@pytest.mark.parametrize("url", [None, ""])
def test_no_way_back_is_fine(guest, url):
    assert guest.create(return_url=url).json()["payment"]["return_url"] is None


@pytest.mark.parametrize("url", ["http://localhost:3000/thanks", "http://127.0.0.1:3000/"])
def test_a_developers_own_machine_may_be_listed_in_local_only(guest, settings, url):
    assert guest.create(return_url=url).status_code == 201

    settings.IS_LOCAL = False

    assert guest.create(return_url=url).status_code == 400


def test_where_no_host_is_listed_every_way_back_is_refused(guest, settings):
    settings.TILLGATE_RETURN_HOSTS = []

    assert "none is set" in guest.create(return_url="https://shop.example/").json()["message"]
