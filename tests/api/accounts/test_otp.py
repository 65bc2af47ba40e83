import time
from typing import Any

import pyotp
import pytest

from tests.api.accounts.conftest import NEW_PASSWORD, sign_in
from tests.api.client import PAYMENTS, ApiClient
from tests.builders import PASSWORD, access_token, make_staff, make_user
from tests.races.conftest import race
from tillgate.api.accounts.urls import ROUTES
from tillgate.common.crypto import decrypt
from tillgate.merchants.errors import OtpInvalid
from tillgate.merchants.models import Login, RecoveryCode, User
from tillgate.merchants.services.keys import create_api_key
from tillgate.merchants.services.logins import Device
from tillgate.merchants.services.sign_in import Credentials
from tillgate.merchants.services.sign_in import sign_in as service
from tillgate.merchants.services.totp import begin_otp, confirm_otp

OTP = "/api/v1/me/otp"
WAYS = ["/auth/jwt/create/", "/api/token/"]
# The addresses that give no token whatever is sent, and the one that goes on with a login that was proved.
GIVE_NO_TOKEN = {
    *("auth/users", "auth/users/me", "auth/users/activation", "auth/users/resend_activation"),
    *("auth/users/set_password", "auth/users/reset_password", "auth/users/reset_password_confirm"),
    *("auth/jwt/verify", "auth/jwt/logout"),
}
GO_ON = {"auth/jwt/refresh", "api/token/refresh"}


class Phone:
    """An authenticator app: each code that it shows is new."""

    def __init__(self, secret: str) -> None:
        self._totp, self._shown = pyotp.TOTP(secret), int(time.time()) // 30 - 2

    def code(self) -> str:
        """The next one that is good now: of the step before, of this one, of the next."""
        self._shown += 1
        assert self._shown <= int(time.time()) // 30 + 1, "no more codes for now"
        return self._totp.generate_otp(self._shown)

    def at(self, steps: int) -> str:
        return self._totp.generate_otp(int(time.time()) // 30 + steps)


def with_phone(user: User) -> tuple[Phone, list[str]]:
    """Give an account a second factor; the code of the step before this one is used up."""
    phone = Phone(begin_otp(user.pk)[0])
    return phone, confirm_otp(user.pk, phone.code())


def delete(client: ApiClient, path: str, body: dict[str, Any]) -> Any:
    return client.delete(path, body, content_type="application/json")


def test_a_second_factor_is_begun_confirmed_and_asked_for(signed_in, ada, mails):
    begun = signed_in.post(OTP, {"password": PASSWORD})
    assert begun.status_code == 200
    assert sign_in(ApiClient()).status_code == 200  # Nothing asks for it yet.
    phone = Phone(begun.json()["otp"]["secret"])

    confirmed = signed_in.post(f"{OTP}/confirm", {"otp": phone.code()})

    codes = confirmed.json()["otp"]["recovery_codes"]
    assert (confirmed.status_code, len(set(codes))) == (200, 10)
    assert begun.json()["otp"]["uri"].startswith("otpauth://totp/My%20shop:ada?secret=")
    assert sign_in(ApiClient()).json()["code"] == "otp_required"
    assert sign_in(ApiClient(), otp=phone.code()).status_code == 200
    assert signed_in.get("/auth/users/me/").json()["otp"] is True
    assert [mail.subject for mail in mails()] == ["A second factor protects your account at My shop"]


@pytest.mark.parametrize("path", WAYS)
def test_s16_every_way_to_a_token_asks_for_it(guest, ada, path):
    phone, _ = with_phone(ada)
    right = {"username": "ada", "password": PASSWORD}

    answers = {
        "missing": guest.post(path, right),
        "empty": guest.post(path, {**right, "otp": ""}),
        "null": guest.post(path, {**right, "otp": None}),
        "wrong": guest.post(path, {**right, "otp": "000000"}),
        "too old": guest.post(path, {**right, "otp": phone.at(-3)}),
        "too early": guest.post(path, {**right, "otp": phone.at(4)}),
        "by e-mail": guest.post(path, {**right, "username": "ada@example.com"}),
        "wrong password": guest.post(path, {**right, "password": NEW_PASSWORD, "otp": phone.at(1)}),
    }

    told = {why: (answer.status_code, answer.json()["code"]) for why, answer in answers.items()}
    assert told == {
        **dict.fromkeys(("missing", "empty", "null", "by e-mail"), (401, "otp_required")),
        **dict.fromkeys(("wrong", "too old", "too early"), (401, "otp_invalid")),
        "wrong password": (401, "invalid_credentials"),
    }
    assert all(answer["WWW-Authenticate"] for answer in answers.values())
    assert not Login.objects.exists()
    assert guest.post(path, {**right, "otp": phone.code()}).status_code == 200


def test_s16_the_ways_to_a_token_are_these():
    assert {route for route, _, _ in ROUTES} == {way.strip("/") for way in WAYS} | GIVE_NO_TOKEN | GO_ON


def test_s16_neither_sign_up_nor_a_mailed_link_is_a_way_round_it(guest, ada):
    from tests.api.accounts.test_passwords import link_of

    with_phone(ada)
    reset = guest.post("/auth/users/reset_password_confirm/", {**link_of(ada), "new_password": NEW_PASSWORD})

    assert (reset.status_code, reset.content) == (204, b"")
    assert sign_in(guest, password=NEW_PASSWORD).json()["code"] == "otp_required"


def test_s16_keys_are_exempt(merchant):
    with_phone(make_staff(merchant, "owner", "owner"))

    assert ApiClient(create_api_key(merchant, "test")).get(PAYMENTS).status_code == 200


def test_a_code_is_good_once(guest, ada):
    phone, _ = with_phone(ada)
    code = phone.code()

    assert sign_in(guest, otp=f"{code[:3]} {code[3:]}").status_code == 200
    assert sign_in(guest, otp=code).json()["code"] == "otp_invalid"


def test_the_code_that_confirmed_is_used_up(guest, ada):
    phone = Phone(begin_otp(ada.pk)[0])
    code = phone.at(0)
    confirm_otp(ada.pk, code)

    assert sign_in(guest, otp=code).json()["code"] == "otp_invalid"
    assert sign_in(guest, otp=phone.at(-1)).json()["code"] == "otp_invalid"  # None older than that, either.


def test_a_recovery_code_stands_in_once(guest, ada):
    _, codes = with_phone(ada)

    first, again = (sign_in(guest, otp=codes[0]) for _ in range(2))

    assert (first.status_code, again.json()["code"]) == (200, "otp_invalid")
    assert sign_in(guest, otp=codes[1].lower().replace("-", "").replace("0", "O")).status_code == 200


def test_a_recovery_code_is_its_owners(guest, ada):
    _, codes = with_phone(ada)
    with_phone(make_user("eve"))

    assert sign_in(guest, "eve", otp=codes[0]).json()["code"] == "otp_invalid"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("which", ["app", "recovery"])
def test_of_two_sign_ins_with_one_code_at_once_one_wins(merchant, which):
    phone, codes = with_phone(make_user("ada"))
    otp = phone.code() if which == "app" else codes[0]
    right = Credentials(username="ada", password=PASSWORD, otp=otp)

    results = race(*[lambda: service(right, Device())] * 3)

    names = sorted(type(result).__name__ for result in results)
    assert names == ["Login", OtpInvalid.__name__, OtpInvalid.__name__]


def test_secret_and_recovery_codes_are_not_stored_as_they_are(ada):
    secret, _ = begin_otp(ada.pk)
    codes = confirm_otp(ada.pk, pyotp.TOTP(secret).now())

    ada.refresh_from_db()
    assert secret not in ada.totp_secret
    assert decrypt(ada.totp_secret) == secret
    stored = repr(list(RecoveryCode.objects.values()))
    assert not [code for code in codes if code in stored or code.replace("-", "") in stored]


@pytest.mark.parametrize("otp", ["", "12345", "1234567", "abcdef", "٠٠٠٠٠٠", "000000", "\x00", "x" * 3_000])
def test_nothing_but_the_code_confirms(signed_in, ada, otp):
    begin_otp(ada.pk)

    answer = signed_in.post(f"{OTP}/confirm", {"otp": otp})

    assert (answer.status_code, answer.json()["code"]) == (400, "otp_invalid")
    assert not User.objects.get().has_otp


@pytest.mark.parametrize("password", [NEW_PASSWORD, ""])
def test_the_password_is_asked_for_once_more(signed_in, ada, password):
    phone, _ = with_phone(make_user("eve"))

    assert signed_in.post(OTP, {"password": password}).json()["code"] == "invalid_password"
    body = {"password": password, "otp": phone.code()}
    assert delete(signed_in, OTP, body).json()["code"] == "invalid_password"


def test_one_in_use_is_not_replaced_and_one_not_begun_not_confirmed(signed_in, ada):
    assert signed_in.post(f"{OTP}/confirm", {"otp": "123456"}).json()["code"] == "otp_state"

    with_phone(ada)

    again = signed_in.post(OTP, {"password": PASSWORD})
    assert (again.status_code, again.json()["code"]) == (409, "otp_state")
    assert signed_in.post(f"{OTP}/confirm", {"otp": "123456"}).status_code == 409


def test_begun_anew_the_secret_before_is_worth_nothing(signed_in, ada):
    first, second = (Phone(begin_otp(ada.pk)[0]) for _ in range(2))

    assert signed_in.post(f"{OTP}/confirm", {"otp": first.code()}).status_code == 400
    assert signed_in.post(f"{OTP}/confirm", {"otp": second.code()}).status_code == 200


def test_it_is_removed_by_both_factors(signed_in, ada, mails):
    phone, _ = with_phone(ada)

    without = delete(signed_in, OTP, {"password": PASSWORD})
    wrong = delete(signed_in, OTP, {"password": PASSWORD, "otp": "000000"})
    assert [(answer.status_code, answer.json()["code"]) for answer in (without, wrong)] == [
        (400, "otp_required"),
        (400, "otp_invalid"),
    ]
    removed = delete(signed_in, OTP, {"password": PASSWORD, "otp": phone.code()})

    assert removed.status_code == 204
    assert sign_in(ApiClient()).status_code == 200
    assert not RecoveryCode.objects.exists()
    assert "was removed" in mails()[-1].subject


def test_a_lost_encryption_key_locks_nobody_out(guest, ada, settings):
    phone, codes = with_phone(ada)
    settings.TILLGATE_ENCRYPTION_KEYS = ("b3RoZXItb25seS1vdGhlci1vbmx5LW90aGVyLW9ubHk=",)

    assert sign_in(guest, otp=phone.code()).json()["code"] == "otp_invalid"
    assert sign_in(guest, otp=codes[0]).status_code == 200


def test_the_second_factor_is_for_people(key, guest):
    for caller, status in ((guest, 401), (ApiClient(key), 403)):
        assert caller.post(OTP, {"password": PASSWORD}).status_code == status
        assert delete(caller, OTP, {"password": PASSWORD}).status_code == status


def test_a_login_from_before_goes_on(guest, ada):
    access = access_token(ada)
    with_phone(ada)

    assert ApiClient(access).get("/auth/users/me/").status_code == 200
