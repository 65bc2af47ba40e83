"""`python -m deploy smoke URL`, at a real product, and at installations that are not what they should be."""

import pytest

from deploy import smoke
from deploy.__main__ import main
from deploy.failed import Failed
from deploy.smoke import KEY, Smoke, fitting_currency
from launcher.http import Client as Browser
from tests.deploy.conftest import make_key
from tests.deploy.scripted import DOCTOR, examined

PAYMENT = {"id": "PAY-1", "test": True, "amount": 50.0, "currency": "NGN", "status": "pending"}
ATTEMPT = {
    "status": "pending",
    "gateway_reference": "ATT-1",
    "next_action": {"type": "redirect", "url": "https://pay.example.com/1"},
}
API = "/api/v1/payments"


@pytest.fixture
def installation(server):
    """One that answers as it should; a test changes what it is about."""
    server.answers = {
        "GET /api/v1/gateways": [(200, {"gateways": [{"name": "paystack", "currencies": ["GHS", "NGN"]}]})],
        DOCTOR: [examined("One was at work 0 s ago.")],
        f"POST {API}": [(201, {"payment": PAYMENT})],
        f"GET {API}/PAY-1": [
            (200, {"payment": PAYMENT}),
            (200, {"payment": {**PAYMENT, "status": "canceled"}}),
        ],
        f"POST {API}/PAY-1/attempts": [(201, {"attempt": ATTEMPT})],
        f"POST {API}/PAY-1/cancel": [(200, {"payment": PAYMENT})],
    }
    return server


def try_out(installation, key="sk_test_1"):
    lines: list[str] = []
    Smoke(installation.url, key, lines.append).run()
    return lines


@pytest.mark.slow
@pytest.mark.journey
def test_a_product_with_its_sandbox_is_paid_at_each_gateway_and_pays_back(running, monkeypatch, capsys):
    monkeypatch.setenv(KEY, running.key)

    status = main(["smoke", running.here.url, "--sandbox", running.here.sandbox_url])

    out, err = capsys.readouterr()
    assert status == 0, out + err
    for gateway in ("paystack", "flutterwave", "paypal"):
        assert f"worker    asked {gateway}: PAY-" in out
    assert out.count(" succeeded") == 3
    assert "50.0 USD" in out
    entries = Browser().get(f"{running.here.sandbox_url}/control/journal").json()["entries"]
    assert sorted(entry["kind"] for entry in entries) == ["charge"] * 3 + ["refund"] * 3


@pytest.mark.slow
@pytest.mark.journey
def test_without_a_sandbox_no_money_moves_and_nothing_stays_open(running, monkeypatch, capsys):
    # With the scopes that docs/deploy.md names.
    monkeypatch.setenv(KEY, make_key(running.env, "create,read,admin"))

    status = main(["smoke", running.here.url])

    out, err = capsys.readouterr()
    assert status == 0, out + err
    assert out.count("canceled  PAY-") == 3
    assert out.count("sent twice, made once") == 3


def test_an_installation_that_answers_well_passes(installation):
    lines = try_out(installation)

    assert lines[-1] == "canceled  PAY-1"
    assert {sent.get("Authorization") for sent in installation.headers} == {"Bearer sk_test_1"}
    created = [
        body
        for name, body in zip(installation.asked, installation.bodies, strict=True)
        if name == f"POST {API}"
    ]
    assert created[0] == created[1]
    assert created[0]["currency"] == "NGN"


@pytest.mark.parametrize("key", ["sk_live_1", "pk_test_1", "", "rk_sk_test_1"])
def test_no_key_but_a_test_key_is_ever_sent(installation, key):
    with pytest.raises(Failed, match="must hold a test key"):
        try_out(installation, key)
    assert installation.asked == []


def test_a_missing_key_is_asked_for_by_its_name(monkeypatch, capsys):
    monkeypatch.delenv(KEY, raising=False)

    assert main(["smoke", "https://pay.example.com"]) == 1
    assert "TILLGATE_SMOKE_KEY is not set: a test key of the installation" in capsys.readouterr().err


WRONGS = [
    ("GET /api/v1/gateways", (200, {"gateways": []}), "set-gateway-account paystack --mode test"),
    ("GET /api/v1/gateways", (401, "who are you?"), "answered 401: who are you?"),
    (f"POST {API}", (400, "currency"), "answered 400: currency"),
    (f"POST {API}", (201, {"payment": {**PAYMENT, "test": False}}), "is a live payment"),
    (f"GET {API}/PAY-1", (200, {"payment": {**PAYMENT, "status": "review"}}), "is review and not pending"),
    (f"POST {API}/PAY-1/attempts", (201, {"attempt": {**ATTEMPT, "next_action": None}}), "opened no page"),
    (f"POST {API}/PAY-1/attempts", (500, "oops"), "answered 500: oops"),
    (f"POST {API}/PAY-1/cancel", (409, "processing"), "answered 409"),
]


@pytest.mark.parametrize(("asked", "answer", "told"), WRONGS)
def test_each_wrong_answer_ends_it_with_the_reason(installation, asked, answer, told):
    installation.answers[asked] = [answer]

    with pytest.raises(Failed, match=told):
        try_out(installation)


def test_a_key_that_makes_two_payments_is_noticed(installation):
    installation.answers[f"POST {API}"].append((201, {"payment": {**PAYMENT, "id": "PAY-2"}}))

    with pytest.raises(Failed, match="made two payments, PAY-1 and PAY-2"):
        try_out(installation)


@pytest.mark.parametrize("url", ["http://pay.example.com/1", "javascript:alert(1)", "", "/pay/1"])
def test_a_page_that_is_not_https_is_noticed(installation, url):
    action = {"type": "redirect", "url": url}
    installation.answers[f"POST {API}/PAY-1/attempts"] = [
        (201, {"attempt": {**ATTEMPT, "next_action": action}})
    ]

    with pytest.raises(Failed, match="paystack opened no page for PAY-1"):
        try_out(installation)


def test_a_payment_that_stays_open_at_the_sandbox_has_no_worker(installation, monkeypatch):
    monkeypatch.setattr(smoke, "WITHIN_S", 0.2)
    installation.answers[f"GET {API}/PAY-1"] = [(200, {"payment": PAYMENT})]
    installation.answers["POST /control/pay"] = [(200, {})]

    with pytest.raises(Failed, match="Does a worker run"):
        Smoke(installation.url, "sk_test_1", print, sandbox=installation.url).run()


@pytest.mark.parametrize(
    ("taken", "chosen"), [(["EUR", "USD"], "USD"), (["KES", "NGN"], "NGN"), (["XOF"], "XOF")]
)
def test_a_gateway_is_tried_in_a_currency_that_it_takes(taken, chosen):
    assert fitting_currency(taken) == chosen
