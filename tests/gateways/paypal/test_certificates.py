"""A-13: whatever address an event names for its certificate, only PayPal's own is ever opened."""

import socket

import pytest

from tests.gateways.paypal.signing import Signer
from tests.gateways.raw_server import answer, raw_server
from tillgate.gateways import registry
from tillgate.gateways.errors import Unreachable
from tillgate.gateways.http import Patience
from tillgate.gateways.paypal.signature import transmission_of
from tillgate.gateways.protocol import CertificateTrust, GatewayAccount

WEBHOOK_ID = "8PT597110X687430L"
PATH = "/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"
TRUST = CertificateTrust(origin="http://127.0.0.1:8001", ca_file="/nowhere/ca.pem")
ATTACKS = [
    "https://attacker.example{path}",
    "https://api.paypal.com.attacker.example{path}",
    "https://apipaypal.com{path}",
    "https://api.paypal.co{path}",
    "https://evil-api.paypal.com{path}",
    "https://xapi.paypal.com{path}",
    "https://api.evil.paypal.com{path}",
    "https://www.paypal.com{path}",
    "http://api.paypal.com{path}",
    "ftp://api.paypal.com{path}",
    "//api.paypal.com{path}",
    "api.paypal.com{path}",
    "file:///etc/passwd",
    "https://127.0.0.1{path}",
    "https://[::1]{path}",
    "https://169.254.169.254{path}",
    "https://2130706433{path}",
    "https://api.paypal.com@attacker.example{path}",
    "https://attacker.example@api.paypal.com{path}",
    "https://api.paypal.com:pass@attacker.example{path}",
    "https://attacker.example/api.paypal.com{path}",
    "https://attacker.example?https://api.paypal.com{path}",
    "https://attacker.example#https://api.paypal.com{path}",
    "https://attacker.example\\@api.paypal.com{path}",
    "https://api.paypal.com\\.attacker.example{path}",
    "https://api.paypal.com:443{path}",
    "https://api.paypal.com:8443{path}",
    "https://api.paypal.com.{path}",
    "HTTPS://api.paypal.com{path}",
    "https://API.PAYPAL.COM{path}",
    "https://api.paypal.com/{path}",
    "https://api.paypal.com/x{path}",
    "https://api.paypal.com{path}?x=1",
    "https://api.paypal.com{path}#x",
    "https://api.paypal.com{path}/",
    "https://api.paypal.com{path}/../../x",
    "https://api.paypal.com{path}%2e",
    "https://api.paypal.com{path} ",
    " https://api.paypal.com{path}",
    "https://api.paypal.com{path}\n",
    "https://api.paypal.com\n{path}",
    "https://api.paypal.com\t{path}",
    "https://api.paypal.com\u2024attacker.example{path}",
    "https://аpi.paypal.com{path}",
    "https://api.paypal.com/v1/notifications/certs/",
    "https://api.paypal.com/v1/notifications/certs/CERT-",
    "https://api.paypal.com/v1/notifications/certs/CERT-../x",
    "https://api.paypal.com/v1/notifications/webhooks",
    "https://api.paypal.com/v1/oauth2/token",
    "https://api.paypal.com/v1/notifications/certs/CERT-" + "x" * 1_000,
    "http://127.0.0.1:8001{path}",
    "http://127.0.0.1:8001/paypal{path}",
    "http://localhost:8001{path}",
    "",
]
OF_THE_SANDBOX = ["https://api.sandbox.paypal.com", "https://api-m.sandbox.paypal.com"]
LIVE = ["https://api.paypal.com", "https://api-m.paypal.com"]


def account(mode="live", trust=None, verification="certificate", base_url="https://api-m.paypal.com"):
    credentials = {
        "client_id": "an-id",
        "client_secret": "a-secret",
        "webhook_id": WEBHOOK_ID,
        "webhook_verification": verification,
    }
    return GatewayAccount(
        gateway="paypal", mode=mode, base_url=base_url, credentials=credentials, trust=trust
    )


def paypal(*args, **more):
    return registry.connect(account(*args, **more), Patience(total_s=1, slot_s=0))


@pytest.fixture
def opened(monkeypatch):
    """Every address that somebody tries to connect to; none of them is reached."""
    tried = []

    def refuse(address, *args, **more):
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    return tried


def knock(gateway, url):
    body = b'{"id": "WH-1"}'
    return gateway.read_event(Signer().headers(body, WEBHOOK_ID) | {"paypal-cert-url": url}, body)


@pytest.mark.parametrize("way", ["certificate", "api"])
@pytest.mark.parametrize("attack", [*ATTACKS, *(f"{origin}{{path}}" for origin in OF_THE_SANDBOX)])
def test_A13_a_production_account_opens_no_other_address(opened, attack, way):
    assert knock(paypal(verification=way), attack.format(path=PATH)) is None
    assert opened == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_A13_a_test_account_opens_no_other_address(opened, attack):
    assert knock(paypal("test"), attack.format(path=PATH)) is None
    assert opened == []


@pytest.mark.parametrize(
    ("mode", "origin"), [*(("live", url) for url in LIVE), *(("test", url) for url in OF_THE_SANDBOX + LIVE)]
)
def test_paypals_own_addresses_are_opened_by_https(opened, mode, origin):
    with pytest.raises(Unreachable, match="certificate"):
        knock(paypal(mode), f"{origin}{PATH.replace('CERT-', f'CERT-{mode}-')}")

    assert opened == [(origin.removeprefix("https://"), 443)]


def test_A13_trust_given_to_a_live_account_is_not_used(opened):
    for url in (f"{TRUST.origin}{PATH}", f"{TRUST.origin}/paypal{PATH}"):
        assert knock(paypal("live", TRUST), url) is None
    assert opened == []


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:80010{PATH}",
        f"http://127.0.0.1{PATH}",
        f"https://127.0.0.1:8001{PATH}",
        f"http://127.0.0.1:8001@attacker.example{PATH}",
        f"http://127.0.0.1:8001.attacker.example{PATH}",
        f"http://127x0x0x1:8001{PATH}",
        f"http://127.0.0.1:8001/flutterwave{PATH}",
        f"http://127.0.0.1:8001/paypal/paypal{PATH}",
    ],
)
def test_A13_trust_in_one_origin_is_trust_in_no_other(opened, url):
    assert knock(paypal("test", TRUST), url) is None
    assert opened == []


def test_the_trusted_origin_is_known_by_every_letter():
    for url in (f"{TRUST.origin}{PATH}", f"{TRUST.origin}/paypal{PATH}"):
        sent = transmission_of(Signer().headers(b"{}", WEBHOOK_ID, url=url), account("test", TRUST))
        assert (sent.certificate.url, sent.certificate.ca_file) == (url, TRUST.ca_file)


def test_A13_headers_of_the_wrong_form_cost_no_fetch(tmp_path):
    with raw_server(answer(status=404)) as server:
        trust = CertificateTrust(origin=server.url, ca_file=str(tmp_path / "none"))
        gateway = paypal("test", trust)
        headers = Signer().headers(b"{}", WEBHOOK_ID, url=f"{server.url}{PATH}")
        for name, value in (
            ("paypal-auth-algo", "SHA1withRSA"),
            ("paypal-transmission-sig", "AAAA"),
            ("paypal-transmission-sig", "A" * 301),
            ("paypal-transmission-time", "2026-13-31T12:00:00Z"),
            ("paypal-transmission-time", "2026-01-31T12:00:00"),
            ("paypal-transmission-id", "a|b"),
            ("paypal-transmission-id", ""),
        ):
            assert gateway.read_event({**headers, name: value}, b"{}") is None
        assert server.connections == 0
