"""What an installation is told about its gateways' settings before it starts."""

import pytest
from django.core.checks import run_checks

from tillgate.merchants.checks import check_gateways

KEY = "sk_live_not_a_real_key_0123456789abcdef"
HEALTHY = {
    "IS_LOCAL": False,
    "TILLGATE_GUEST_CREATE": "on",
    "TILLGATE_GUEST_MODE": "",
    "TILLGATE_DEFAULT_CURRENCY": "NGN",
    "PAYSTACK_SECRET_KEY": KEY,
    "PAYSTACK_BASE_URL": "https://api.paystack.co",
    "PAYSTACK_SECRET_KEY_PREVIOUS": "",
    "FLUTTERWAVE_SECRET_KEY": "",
    "FLUTTERWAVE_WEBHOOK_HASH": "",
    "FLUTTERWAVE_WEBHOOK_HASH_PREVIOUS": "",
    "FLUTTERWAVE_BASE_URL": "https://api.flutterwave.com",
    "PAYPAL_CLIENT_ID": "",
    "PAYPAL_CLIENT_SECRET": "",
    "PAYPAL_WEBHOOK_ID": "",
    "PAYPAL_WEBHOOK_ID_PREVIOUS": "",
    "PAYPAL_WEBHOOK_VERIFICATION": "certificate",
    "PAYPAL_CERTIFICATE_TRUST": "",
    "PAYPAL_BASE_URL": "https://api-m.paypal.com",
}
PAYPAL = {
    "PAYPAL_CLIENT_ID": "client-0123456789",
    "PAYPAL_CLIENT_SECRET": "secret-0123456789",
    "PAYPAL_WEBHOOK_ID": "4JH86294D6297924G",
}
FLUTTERWAVE = {
    "FLUTTERWAVE_SECRET_KEY": "FLWSECK-0123456789abcdef0123456789abcdef-X",
    "FLUTTERWAVE_WEBHOOK_HASH": "a-hash-that-nobody-guesses-0123456789",
}
# What is wrong, the id of the error in production, and what `local` says of it.
SICK = [
    ({"PAYSTACK_SECRET_KEY": ""}, "W004", "W004"),
    ({"PAYSTACK_SECRET_KEY": "   "}, "W004", "W004"),
    ({"PAYSTACK_SECRET_KEY": "pk_live_not_a_real_key_0123456789abcdef"}, "E005", "E005"),
    ({"PAYSTACK_SECRET_KEY": "sk_live_short"}, "E005", "E005"),
    ({"PAYSTACK_SECRET_KEY": "changeme"}, "E005", "E005"),
    ({**FLUTTERWAVE, "FLUTTERWAVE_SECRET_KEY": "FLWPUBK-0123456789abcdef-X"}, "E005", "E005"),
    ({**FLUTTERWAVE, "FLUTTERWAVE_WEBHOOK_HASH": ""}, "E005", "E005"),
    ({**FLUTTERWAVE, "FLUTTERWAVE_WEBHOOK_HASH": "changeme"}, "E005", "E005"),
    ({**PAYPAL, "PAYPAL_CLIENT_ID": ""}, "E005", "E005"),
    ({**PAYPAL, "PAYPAL_CLIENT_SECRET": ""}, "E005", "E005"),
    ({**PAYPAL, "PAYPAL_WEBHOOK_ID": ""}, "E005", "E005"),
    ({**PAYPAL, "PAYPAL_WEBHOOK_VERIFICATION": "none"}, "E005", "E005"),
    ({"PAYSTACK_BASE_URL": "http://api.paystack.co"}, "E006", None),
    ({"PAYSTACK_BASE_URL": "https://127.0.0.1:8001/paystack"}, "E006", None),
    ({"PAYSTACK_BASE_URL": "https://localhost/paystack"}, "E006", None),
    ({"PAYSTACK_BASE_URL": "https://[::1]/paystack"}, "E006", None),
    ({"FLUTTERWAVE_BASE_URL": "http://127.0.0.1:8001/flutterwave"}, "E006", None),
    ({"PAYPAL_BASE_URL": "http://127.0.0.1:8001/paypal"}, "E006", None),
    ({"PAYSTACK_SECRET_KEY_PREVIOUS": "sk_live_the_former_key_0123456789abcdef"}, "W015", "W015"),
    ({**FLUTTERWAVE, "FLUTTERWAVE_WEBHOOK_HASH_PREVIOUS": "the-former-0123456789"}, "W015", "W015"),
    ({**PAYPAL, "PAYPAL_WEBHOOK_ID_PREVIOUS": "FORMER0123456789"}, "W015", "W015"),
    ({**PAYPAL, "PAYSTACK_SECRET_KEY": ""}, "W016", "W016"),
    ({"TILLGATE_GUEST_MODE": "test"}, "E012", "W012"),
    ({"PAYSTACK_SECRET_KEY": "sk_test_not_a_real_key_0123456789abcdef"}, "W034", None),
    ({"PAYPAL_CERTIFICATE_TRUST": "http://127.0.0.1:8001 /var/lib/ca.pem"}, "E013", None),
]


def found(settings, **changes):
    for name, value in {**HEALTHY, **changes}.items():
        setattr(settings, name, value)
    return check_gateways(None)


def ids(messages):
    return [str(message.id).removeprefix("tillgate.") for message in messages]


@pytest.mark.parametrize("more", [{}, FLUTTERWAVE, PAYPAL, {**FLUTTERWAVE, **PAYPAL}], ids=str)
def test_a_healthy_production_has_nothing_to_say(settings, more):
    assert found(settings, **more) == []


@pytest.mark.parametrize(("changes", "in_production", "in_local"), SICK, ids=str)
def test_production_refuses_what_local_at_most_warns_about(settings, changes, in_production, in_local):
    assert ids(found(settings, **changes)) == [in_production]

    local = ids(found(settings, **{"IS_LOCAL": True, **changes}))

    assert local == [in_local] * (in_local is not None)


@pytest.mark.parametrize("changes", [changes for changes, _, _ in SICK], ids=str)
def test_each_message_says_what_to_set_and_shows_no_secret(settings, changes):
    (message,) = found(settings, **changes)

    assert message.hint
    secrets = {name: value for name, value in changes.items() if name.endswith(("_KEY", "_SECRET", "_HASH"))}
    for secret in filter(str.strip, [KEY, *secrets.values()]):
        assert secret not in message.msg + message.hint


@pytest.mark.parametrize("former", ["changeme", "short", "0123456789"])
def test_a07_a_former_secret_that_anybody_could_guess_is_refused(settings, former):
    messages = found(settings, **FLUTTERWAVE, FLUTTERWAVE_WEBHOOK_HASH_PREVIOUS=former)

    assert ids(messages) == ["W015", "E033"]
    assert former not in messages[1].msg


def test_a_live_mode_for_guests_needs_a_live_key(settings):
    test_key = "sk_test_not_a_real_key_0123456789abcdef"

    messages = found(settings, TILLGATE_GUEST_MODE="live", PAYSTACK_SECRET_KEY=test_key)

    assert ids(messages) == ["W034", "E012"]


def test_guests_kept_out_need_no_gateway_of_their_mode(settings):
    assert found(settings, TILLGATE_GUEST_MODE="test", TILLGATE_GUEST_CREATE="off") == []


def test_they_are_checked_by_django_itself(settings):
    settings.PAYSTACK_SECRET_KEY = "changeme"

    assert "tillgate.E005" in [message.id for message in run_checks(tags=["security"])]
