"""Which settings make a PayPal account, in which mode, and what is said of wrong ones."""

import pytest

from tillgate.gateways import registry
from tillgate.gateways.protocol import CertificateTrust

LIVE, TEST = "https://api-m.paypal.com", "https://api-m.sandbox.paypal.com"
PAYPAL = registry.GATEWAYS["paypal"]
GOOD = {
    "PAYPAL_CLIENT_ID": "not-a-real-client-id-0123456789_ABCDEF",
    "PAYPAL_CLIENT_SECRET": "not-a-real-client-secret-0123456789_ABCDEF",
    "PAYPAL_WEBHOOK_ID": "8PT597110X687430LKGECATA",
    "PAYPAL_WEBHOOK_VERIFICATION": "certificate",
    "PAYPAL_CERTIFICATE_TRUST": "",
    "PAYPAL_BASE_URL": LIVE,
}
LOCAL = "http://127.0.0.1:8001"


def account(**changes):
    return PAYPAL.account_from({**GOOD, **changes})


def problems(**changes):
    found = list(PAYPAL.problems_of({**GOOD, **changes}))
    assert all(problem.message.endswith(".") and problem.hint.endswith(".") for problem in found)
    return [problem.message for problem in found]


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        (LIVE, "live"),
        (TEST, "test"),
        (f"{LOCAL}/paypal", "test"),
        ("http://localhost:8001/paypal", "test"),
        ("http://[::1]:8001", "test"),
        ("https://127.0.0.1/paypal", "test"),
    ],
)
def test_the_host_is_the_mode(url, mode):
    assert account(PAYPAL_BASE_URL=url).mode == mode
    assert problems(PAYPAL_BASE_URL=url) == []


@pytest.mark.parametrize(
    "url",
    [
        *("", "http://api-m.paypal.com", "https://api.paypal.com.evil.example", f"{LIVE}.evil.example"),
        *(f"{LIVE}@evil.example", f"{LIVE}:443", f"{LIVE}/x", "https://evil.example", "http://10.0.0.1:8001"),
        *(
            f"{LOCAL}@evil.example",
            f"{LOCAL}.evil.example",
            f"{LIVE}\n.evil.example",
            "https://apixm.paypal.com",
        ),
    ],
)
def test_A13_another_host_gets_no_secret(url):
    assert account(PAYPAL_BASE_URL=url) is None
    assert problems(PAYPAL_BASE_URL=url) == ["PAYPAL_BASE_URL is no address of PayPal's API."]


def test_without_an_id_and_a_secret_there_is_no_account_and_no_problem():
    nothing = dict.fromkeys(GOOD, "") | {"PAYPAL_BASE_URL": LIVE}

    assert PAYPAL.account_from(nothing) is None
    assert list(PAYPAL.problems_of(nothing)) == []


@pytest.mark.parametrize("name", ["PAYPAL_CLIENT_ID", "PAYPAL_CLIENT_SECRET"])
@pytest.mark.parametrize("value", ["", " ", "short", "with a space in it", "with:colon-in-it", "né" * 10])
def test_half_of_the_keys_is_a_problem_and_no_account(name, value):
    assert account(**{name: value}) is None
    assert problems(**{name: value}) == [f"{name} is missing or not one of PayPal's."]


@pytest.mark.parametrize("value", ["", " ", "WEBHOOK_ID", "a-b", "x" * 51])
def test_without_a_webhook_id_payments_work_and_somebody_is_told(value):
    assert account(PAYPAL_WEBHOOK_ID=value) is not None
    assert len(problems(PAYPAL_WEBHOOK_ID=value)) == 1
    assert "no event can be verified" in problems(PAYPAL_WEBHOOK_ID=value)[0]


def test_blanks_around_what_was_copied_do_no_harm():
    padded = {name: f" {value}\n" for name, value in GOOD.items()}

    assert account(**padded) == account()
    assert problems(**padded) == []


@pytest.mark.parametrize("way", ["", "Certificate", "none", "off"])
def test_an_unknown_way_to_verify_is_a_problem(way):
    assert problems(PAYPAL_WEBHOOK_VERIFICATION=way) == [
        "PAYPAL_WEBHOOK_VERIFICATION is neither certificate nor api."
    ]


def test_trust_is_an_origin_on_this_machine_and_a_file():
    trusting = account(
        PAYPAL_BASE_URL=f"{LOCAL}/paypal", PAYPAL_CERTIFICATE_TRUST=f"{LOCAL} /var/a b/paypal-ca.pem"
    )

    assert trusting.trust == CertificateTrust(origin=LOCAL, ca_file="/var/a b/paypal-ca.pem")
    assert account().trust is None


@pytest.mark.parametrize("trust", [LOCAL, "/ca.pem", "https://evil.example /ca.pem", f"{LOCAL}/x /ca.pem"])
def test_malformed_trust_is_a_problem_and_no_trust(trust):
    changes = {"PAYPAL_BASE_URL": TEST, "PAYPAL_CERTIFICATE_TRUST": trust}

    assert account(**changes).trust is None
    assert len(problems(**changes)) == 1


def test_A13_trust_beside_a_live_host_is_a_problem_and_no_trust():
    trust = f"{LOCAL} /ca.pem"

    assert account(PAYPAL_CERTIFICATE_TRUST=trust).trust is None
    assert problems(PAYPAL_CERTIFICATE_TRUST=trust) == [
        "PAYPAL_CERTIFICATE_TRUST stands beside a live account."
    ]


def test_no_problem_shows_a_secret():
    for name in GOOD:
        for problem in PAYPAL.problems_of({**GOOD, name: "a secret in the wrong place"}):
            assert "a secret" not in problem.message + problem.hint
    assert GOOD["PAYPAL_CLIENT_SECRET"] not in repr(account())
