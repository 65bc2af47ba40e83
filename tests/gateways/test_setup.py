"""From settings to an account: what all adapters share, tried with a gateway that does not exist."""

import pytest

from tillgate.gateways import registry
from tillgate.gateways.protocol import CertificateTrust, Problem
from tillgate.gateways.setup import FromSettings, Rule, Setup

TRUST = "http://127.0.0.1:8001 /var/ca.pem"
GOOD = {
    "SHOP_KEY": "key_test_0123456789",
    "SHOP_ID": "12345",
    "SHOP_TRUST": "",
    "SHOP_URL": "https://api.example",
}


class Shop(FromSettings):
    name = "shop"
    setup = Setup(
        keys={"SHOP_KEY": "key_(test|live)_[0-9]+", "SHOP_ID": "[0-9]+"},
        mode_by="SHOP_KEY",
        modes={"key_test_.*": "test", "key_live_.*": "live"},
        base_url="SHOP_URL",
        credentials={"key": "SHOP_KEY", "id": "SHOP_ID"},
        trust="SHOP_TRUST",
        rules=(
            Rule(name="SHOP_KEY", form=r"key_(test|live)_[0-9]{10,}", message="No key.", hint="Copy it."),
            Rule(name="SHOP_ID", form=r"[0-9]+", message="No id.", hint="Ask for it."),
            Rule(name="SHOP_TRUST", form="", message="Trust in live mode.", hint="Unset it.", mode="live"),
        ),
    )


def account(**changes):
    return Shop.account_from({**GOOD, **changes})


def problems(**changes):
    return [problem.message for problem in Shop.problems_of({**GOOD, **changes})]


def test_the_settings_make_an_account():
    made = account()

    assert (made.gateway, made.mode, made.base_url) == ("shop", "test", "https://api.example")
    assert made.credentials == {"key": "key_test_0123456789", "id": "12345"}
    assert made.trust is None
    assert problems() == []


def test_blanks_around_values_do_not_count():
    padded = {name: f" {value}\n" for name, value in GOOD.items()}

    assert account(**padded) == account()
    assert problems(**padded) == []


@pytest.mark.parametrize("name", ["SHOP_KEY", "SHOP_ID"])
@pytest.mark.parametrize("value", ["", "oops", "key_other_1", "12345 6"])
def test_without_every_key_in_its_form_there_is_no_account(name, value):
    assert account(**{name: value}) is None
    assert len(problems(**{name: value})) == 1


def test_with_no_key_set_nothing_is_wrong():
    assert problems(SHOP_KEY=" ", SHOP_ID="", SHOP_TRUST=TRUST) == []


def test_a_rule_may_ask_more_than_an_account_needs():
    assert account(SHOP_KEY="key_test_1") is not None
    assert list(Shop.problems_of({**GOOD, "SHOP_KEY": "key_test_1"})) == [
        Problem(setting="SHOP_KEY", message="No key.", hint="Copy it.")
    ]


def test_a_rule_for_one_mode_is_asked_in_that_mode_only():
    assert problems(SHOP_TRUST=TRUST) == []
    assert problems(SHOP_TRUST=TRUST, SHOP_KEY="key_live_0123456789") == ["Trust in live mode."]
    assert problems(SHOP_TRUST=TRUST, SHOP_KEY="oops") == ["No key."]


def test_trust_counts_in_test_mode_only():
    trust = CertificateTrust(origin="http://127.0.0.1:8001", ca_file="/var/ca.pem")

    assert account(SHOP_TRUST=TRUST).trust == trust
    assert account(SHOP_TRUST=TRUST, SHOP_KEY="key_live_0123456789").trust is None
    assert account(SHOP_TRUST="https://evil.example /var/ca.pem").trust is None


def test_a_setup_names_all_its_settings_the_secret_first():
    assert Shop.setup.names == ("SHOP_KEY", "SHOP_ID", "SHOP_TRUST", "SHOP_URL")


@pytest.mark.parametrize("adapter", registry.GATEWAYS.values(), ids=list(registry.GATEWAYS))
def test_every_setting_that_an_adapter_speaks_of_is_among_its_settings(adapter):
    told = {rule.name for rule in adapter.setup.rules} | set(adapter.setup.keys) | {adapter.setup.mode_by}

    assert told <= set(adapter.settings)
    assert adapter.settings[0].endswith(("_KEY", "_SECRET"))
