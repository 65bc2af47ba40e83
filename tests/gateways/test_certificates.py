"""Certificates: which are believed, how long they are kept, and how little a forger can make us fetch."""

import re
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.gateways.paypal.signing import HOST, Made, key
from tests.gateways.raw_server import answer, bytes_of, hang_up, in_turn, raw_server
from tillgate.gateways import certificates
from tillgate.gateways.certificates import Source, is_signed, key_of
from tillgate.gateways.errors import Unreachable

NAMES = re.compile(r"([a-z0-9-]+\.)+paypal\.com")
CA = Made(key=key("authority"), is_ca=True)
MIDDLE = Made(key=key("middle"), is_ca=True, signed_by=CA)
LEAF = Made(key=key("leaf"), signed_by=CA)


@pytest.fixture(autouse=True)
def _fresh_process():
    certificates._known.clear()
    yield
    certificates._known.clear()


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    file.write_bytes(CA.pem())
    return str(file)


def ask(server, ca_file, path="/CERT-1"):
    return key_of(Source(url=f"{server.url}{path}", names=NAMES, ca_file=ca_file))


def is_leaf(found):
    return found is not None and found.public_numbers() == key("leaf").public_key().public_numbers()


@pytest.mark.parametrize("tail", ["nothing", "authority"])
def test_a_certificate_of_the_authority_is_believed(ca_file, tail):
    pem = LEAF.pem() + (CA.pem() if tail == "authority" else b"")
    with raw_server(answer(pem)) as server:
        assert is_leaf(ask(server, ca_file))


def test_a_chain_over_another_authority_is_believed(ca_file):
    pem = Made(key=key("leaf"), signed_by=MIDDLE).pem() + MIDDLE.pem()
    with raw_server(answer(pem)) as server:
        assert is_leaf(ask(server, ca_file))


WRONG = {
    "expired": Made(key=key("leaf"), signed_by=CA, begins_in_days=-9, ends_in_days=-1).pem(),
    "not yet valid": Made(key=key("leaf"), signed_by=CA, begins_in_days=1).pem(),
    "self-signed": Made(key=key("leaf")).pem(),
    "by another authority": Made(key=key("leaf"), signed_by=Made(key=key("stranger"), is_ca=True)).pem(),
    "by another authority, which is along": Made(
        key=key("leaf"), signed_by=Made(key=key("stranger"), is_ca=True)
    ).pem()
    + Made(key=key("stranger"), is_ca=True).pem(),
    "one letter changed": LEAF.pem().replace(b"MI", b"MJ", 1),
    "by a leaf": Made(key=key("stranger"), signed_by=LEAF).pem() + LEAF.pem(),
    "chain without its middle": Made(key=key("leaf"), signed_by=MIDDLE).pem(),
    "for paypal.com.evil.example": Made(key=key("leaf"), signed_by=CA, host=f"{HOST}.evil.example").pem(),
    "for notpaypal.com": Made(key=key("leaf"), signed_by=CA, host="notpaypal.com").pem(),
    "for any name": Made(key=key("leaf"), signed_by=CA, host="*.paypal.com").pem(),
    "for another name": Made(key=key("leaf"), signed_by=CA, host=None).pem(),
    "for mail": Made(key=key("leaf"), signed_by=CA, usage=ExtendedKeyUsageOID.EMAIL_PROTECTION).pem(),
    "not of RSA": Made(key=ec.generate_private_key(ec.SECP256R1()), signed_by=CA).pem(),
    "the authority itself": CA.pem(),
    "html": b"<html>Sorry</html>",
    "nothing": b"",
    "half of one": LEAF.pem()[:500],
    "a key": b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
}


@pytest.mark.parametrize("kind", WRONG)
def test_A13_another_certificate_is_not_believed(ca_file, kind):
    with raw_server(answer(WRONG[kind])) as server:
        assert ask(server, ca_file) is None
        assert server.connections == 1


def test_A13_an_authority_of_our_own_is_none_where_the_public_ones_count():
    with raw_server(answer(LEAF.pem() + CA.pem())) as server:
        assert ask(server, None) is None


@pytest.mark.parametrize("status", [201, 301, 302, 307, 400, 403, 404])
def test_A13_another_answer_is_no_certificate_and_no_redirect_is_followed(ca_file, status):
    with raw_server(answer(LEAF.pem())) as genuine:
        headers = (f"Location: {genuine.url}/CERT-1",)
        with raw_server(answer(LEAF.pem(), status=status, headers=headers)) as server:
            assert ask(server, ca_file) is None
        assert genuine.connections == 0


@pytest.mark.parametrize(
    "say",
    [
        hang_up,
        answer(status=500),
        answer(status=503),
        answer(status=429),
        answer(b" " * (certificates.LARGEST + 1)),
        bytes_of(b"no HTTP\r\n\r\n"),
    ],
)
def test_what_cannot_be_had_just_now_is_unreachable_and_not_asked_for_at_once_again(ca_file, say):
    with raw_server(say) as server:
        for _ in range(3):
            with pytest.raises(Unreachable, match="certificate"):
                ask(server, ca_file)
        assert server.connections == 1


@pytest.mark.parametrize("kind", ["absent", "odd"])
def test_without_the_file_of_the_authority_nothing_is_believed(tmp_path, kind):
    file = tmp_path / "ca.pem"
    if kind == "odd":
        file.write_text("no certificate")
    with raw_server(answer(LEAF.pem())) as server, pytest.raises(Unreachable):
        ask(server, str(file))


def test_a_certificate_is_fetched_once_by_all_threads(ca_file):
    found = []
    with raw_server(answer(LEAF.pem())) as server:
        threads = [threading.Thread(target=lambda: found.append(ask(server, ca_file))) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.requests) == 1

    assert len(found) == 30
    assert all(map(is_leaf, found))


def test_a_certificate_is_kept_no_longer_than_it_lives(ca_file, monkeypatch):
    with raw_server(in_turn(answer(LEAF.pem()), answer(WRONG["expired"]))) as server:
        assert is_leaf(ask(server, ca_file))
        later = time.monotonic() + certificates.GOOD_S
        monkeypatch.setattr(time, "monotonic", lambda: later)
        assert ask(server, ca_file) is None


def test_what_was_no_certificate_may_become_one(ca_file, monkeypatch):
    with raw_server(in_turn(answer(status=404), answer(LEAF.pem()))) as server:
        assert ask(server, ca_file) is None
        assert ask(server, ca_file) is None
        later = time.monotonic() + certificates.BAD_S
        monkeypatch.setattr(time, "monotonic", lambda: later)
        assert is_leaf(ask(server, ca_file))


def test_forgers_make_us_fetch_so_much_and_no_more(ca_file):
    with raw_server(answer(LEAF.pem())) as genuine, raw_server(answer(status=404)) as server:
        assert is_leaf(ask(genuine, ca_file))
        for n in range(certificates.MOST_BAD):
            assert ask(server, ca_file, f"/CERT-{n}") is None
        with pytest.raises(Unreachable, match="too many"):
            ask(server, ca_file, "/CERT-NEW")
        assert len(server.requests) == certificates.MOST_BAD
        assert is_leaf(ask(genuine, ca_file))


def test_what_is_kept_has_a_limit(ca_file, monkeypatch):
    monkeypatch.setattr(certificates, "MOST_KEPT", 3)
    with raw_server(answer(LEAF.pem())) as server:
        for n in range(10):
            assert is_leaf(ask(server, ca_file, f"/CERT-{n}"))

    assert len(certificates._known) <= 3


def test_nobody_waits_long_for_anothers_certificate(ca_file, monkeypatch):
    monkeypatch.setattr(certificates, "WAIT_S", 0.05)
    with raw_server(answer(LEAF.pem())) as server, certificates._lock:
        with pytest.raises(Unreachable, match="another certificate"):
            ask(server, ca_file)
        assert server.connections == 0


def test_a_signature_of_the_certificates_owner_is_one(ca_file):
    signed = key("leaf").sign(b"news", PKCS1v15(), SHA256())
    with raw_server(answer(LEAF.pem())) as server:
        source = Source(url=f"{server.url}/CERT-1", names=NAMES, ca_file=ca_file)

        assert is_signed(b"news", signed, source)
        assert not is_signed(b"other news", signed, source)
        assert not is_signed(b"news", key("other").sign(b"news", PKCS1v15(), SHA256()), source)


def test_nothing_is_signed_by_a_certificate_that_cannot_be_believed(ca_file):
    signed = key("other").sign(b"news", PKCS1v15(), SHA256())
    with raw_server(answer(Made(key=key("other")).pem())) as server:
        assert not is_signed(b"news", signed, Source(url=server.url, names=NAMES, ca_file=ca_file))


@pytest.mark.parametrize(
    ("base64", "read"),
    [("AAAA", b"\0\0\0"), ("AAE=", b"\0\1"), ("AAF=", None), ("AAE", None), ("AA-_", None), ("é", None)],
)
def test_a_signature_has_one_spelling(base64, read):
    assert certificates.signature_of(base64) == read
