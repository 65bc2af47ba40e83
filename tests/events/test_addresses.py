"""A-27: whatever a merchant writes, and wherever its name leads, nothing inside the house is reached."""

import socket
import threading
import time
from ipaddress import ip_address
from typing import Any

import pytest

from tests.builders import make_endpoint
from tests.events.farm import answers, running
from tillgate.events.addresses import BadAddress, innermost, is_public, read_url
from tillgate.events.client import Connection
from tillgate.events.models import Delivery
from tillgate.events.services.endpoints import reach
from tillgate.events.services.sending import send_due


def words(text: str) -> list[str]:
    return text.split()


NOT_PUBLIC = words("""
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.1.2.3 127.255.255.255
168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.0.170 192.0.2.1
192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1
239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::10.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1
::ffff:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::7f00:1 100::1
2001::1 2001:0:7f00:1:: 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::
2002:a9fe:a9fe:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1 4000::1
""")
PUBLIC = words("""
8.8.8.8 93.184.216.34 1.1.1.1 100.63.255.255 100.128.0.1 172.15.255.255 172.32.0.1 169.253.1.1
198.17.255.255 2606:4700::1111 2a00:1450:4001::200e 64:ff9b::808:808 2002:808:808:: ::ffff:8.8.8.8
""")
# Ways to write this machine, or a house's inside, of which many a check knows only some.
HOSTS = words("""
localhost LOCALHOST localhost. 127.0.0.1 127.0.0.1. 127.1 127.0.1 127.000.000.001 0177.0.0.1 0x7f.0.0.1
0x7f000001 2130706433 017700000001 0 0.0.0.0 0x0 [::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1]
[0:0:0:0:0:ffff:127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [::127.0.0.1] [0000::1] [fe80::1] [fd00::1]
10.0.0.1 192.168.1.1 172.16.0.1 169.254.169.254 2852039166 0xa9fea9fe [::ffff:a9fe:a9fe] 100.64.0.1
inside.example mixed.example mapped.example ip6.example rebinding.example metadata.google.internal
instance-data
""")
SHAPES = [
    "http://{}:PORT/",
    "https://{}:PORT/",
    "https://{}/",
    "https://user:password@{}:PORT/",
    "https://public.example@{}:PORT/",
    "https://public.example:443@{}:PORT/",
]
ODD = [
    "gopher://127.0.0.1:PORT/_x",
    "ftp://127.0.0.1:PORT/",
    "file:///etc/passwd",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "dict://127.0.0.1:PORT/",
    "//127.0.0.1:PORT/",
    "https:127.0.0.1:PORT",
    "https:///127.0.0.1:PORT/",
    "https://public.example\\@127.0.0.1:PORT/",
    "https://public.example%2f@127.0.0.1:PORT/",
    "https://public.example#@127.0.0.1:PORT/",
    "https://127.0.0.1:PORT#@public.example/",
    "https://public.example\r\nHost: 127.0.0.1:PORT/",
    "https://public.example/\r\nX: y",
    " https://127.0.0.1:PORT/",
    "https://127.0.0.1\t:PORT/",
    "https://１２７.０.０.１:PORT/",
    "https://①②⑦.⓪.⓪.①:PORT/",
    "https://ⓛocalhost:PORT/",
    "https://127。0。0。1:PORT/",
    "https://127.0.0.1:PORT\x00.public.example/",
    "https://[::1%25lo]:PORT/",
    "https://[::1]public.example:PORT/",
    "https://[127.0.0.1]:PORT/",
    "https://public.example:PORT:443/",
    "https://public.example:-1/",
    "https://public.example:99999/",
    "https://public.example:22/",
    "https://public.example:25/",
    "https://public.example:5432/",
    "https://public.example:6379/",
    "https://public_example/",
    "https://-public.example/",
    "https://public..example/",
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 127 + "example/",
    "https://public.example/" + "a" * 500,
    "https://",
    "https://:PORT/",
    "https://?",
    "",
    "javascript:alert(1)",
]
NAMES: dict[str, list[str]] = {
    "public.example": ["93.184.216.34"],
    "inside.example": ["127.0.0.1"],
    "mixed.example": ["93.184.216.34", "127.0.0.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "ip6.example": ["2606:4700::1111", "::1"],
    "rebinding.example": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "instance-data": ["169.254.169.254"],
}


def variants(port: int) -> list[str]:
    urls = [shape.format(host) for shape in SHAPES for host in HOSTS] + ODD
    return [url.replace("PORT", str(port)) for url in urls]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """A name server of our own; what is written as an address is left to the system."""
    real, listed = socket.getaddrinfo, {name: list[Any](found) for name, found in NAMES.items()}

    def look_up(host: str, port: int, *args: Any, **more: Any) -> list[Any]:
        if host.rstrip(".").lower() not in listed:
            return real(host, port, *args, **more)
        found = listed[host]
        now = found.pop(0) if isinstance(found[0], list) else found
        families = [socket.AF_INET6 if ":" in one else socket.AF_INET for one in now]
        return [(f, socket.SOCK_STREAM, 6, "", (one, port)) for f, one in zip(families, now, strict=True)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return listed


@pytest.fixture
def production(settings: Any) -> Any:
    settings.IS_LOCAL = False
    settings.TILLGATE_WEBHOOK_PRIVATE_HOSTS = []
    return settings


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_s29_what_is_not_anybodys_on_the_internet_is_not_public(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_public(address):
    assert is_public(ip_address(address))


def test_what_is_wrapped_is_unwrapped():
    assert str(innermost(ip_address("64:ff9b::7f00:1"))) == "127.0.0.1"
    assert str(innermost(ip_address("2002:7f00:1::"))) == "127.0.0.1"
    assert str(innermost(ip_address("2606:4700::1111"))) == "2606:4700::1111"


def test_a27_there_are_two_hundred_ways_and_more():
    assert len(set(variants(1))) >= 200


def test_a27_no_way_of_writing_it_reaches_a_canary_when_it_is_added(production, names):
    with running() as canary:
        reached = [url for url in variants(canary.port) if _is_accepted(url)]
        assert reached == []
        assert canary.connections == 0


def test_a27_no_way_of_writing_it_reaches_a_canary_when_it_is_sent_to(production, names, monkeypatch, db):
    # As if each had been stored before the rule was there: at the port of the canary, too.
    with running() as canary:
        monkeypatch.setattr("tillgate.events.addresses.PORTS", (443, canary.port))
        for url in variants(canary.port):
            assert post(url) is None, url
        assert canary.connections == 0


def post(url: str) -> int | None:
    """What a receiver answers; None where it is not asked."""
    try:
        connection = Connection(read_url(url))
    except BadAddress:
        return None
    status = connection.post(b"{}", {}).status
    connection.close()
    return status


def _is_accepted(url: str) -> bool:
    try:
        reach(url)
    except BadAddress:
        return False
    return True


def test_a27_a_name_that_led_outside_first_and_leads_inside_now_is_not_followed(production, names, pay, db):
    with running() as canary:
        names["rebinding.example"] = [["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]]
        url = "https://rebinding.example/hooks"
        assert reach(url).host == "rebinding.example"
        make_endpoint(url=url)
        pay()

        send_due()

        assert canary.connections == 0
    assert "not public" in Delivery.objects.get().last_error


def test_a27_it_is_the_address_that_was_looked_at_that_is_connected_to(names, settings, db):
    with running() as receiver:
        settings.TILLGATE_WEBHOOK_PRIVATE_HOSTS = ["rebinding.example"]
        # Whoever asked again before connecting would be sent elsewhere.
        names["rebinding.example"] = [["127.0.0.1"], ["10.255.255.1"]]

        assert post(f"http://rebinding.example:{receiver.port}/") == 200
        assert receiver.received[0].headers["host"] == f"rebinding.example:{receiver.port}"


def test_a27_no_redirect_leads_anywhere(farm, pay):
    with running() as canary:
        receiver, _ = farm(answers(307, Location=f"http://127.0.0.1:{canary.port}/"))
        pay()

        send_due()

        assert len(receiver.received) == 1
        assert canary.connections == 0


def test_a27_no_proxy_of_the_environment_is_asked(farm, pay, monkeypatch):
    with running() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        receiver, _ = farm()
        pay()

        send_due()

        assert len(receiver.received) == 1
        assert proxy.connections == 0


def test_a_name_server_that_does_not_answer_holds_nobody_longer_than_the_call(monkeypatch, hurried):
    forever = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: [forever.wait(30)][:0])

    began = time.monotonic()
    answer = Connection(read_url("https://slow.example/")).post(b"{}", {})
    forever.set()

    assert (answer.status, answer.error) == (None, "no answer within 1 seconds")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("opened", "url", "is_reached"),
    [
        (["127.0.0.0/8"], "http://127.0.0.1:PORT/", True),
        (["127.0.0.0/8"], "http://inside.example:PORT/", False),  # http only where the host is named.
        (["inside.example"], "http://inside.example:PORT/", True),
        (["inside.example"], "http://mixed.example:PORT/", False),
        (["10.0.0.0/8"], "http://127.0.0.1:PORT/", False),
        (["metadata.google.internal"], "http://metadata.google.internal:PORT/", False),
    ],
)
def test_the_operator_opens_what_is_named_and_no_more(production, names, opened, url, is_reached):
    production.TILLGATE_WEBHOOK_PRIVATE_HOSTS = opened
    with running() as receiver:
        assert post(url.replace("PORT", str(receiver.port))) == (200 if is_reached else None)
        assert receiver.connections == int(is_reached)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_local_installation_sends_to_its_own_machine(settings, host):
    assert settings.IS_LOCAL
    assert read_url(f"http://{host}:3000/hooks").port == 3000


def test_a_local_installation_sends_to_no_other_private_address(names):
    for url in (
        "http://10.0.0.1/",
        "https://10.0.0.1/",
        "http://public.example/",
        "https://169.254.169.254/",
    ):
        assert not _is_accepted(url), url
