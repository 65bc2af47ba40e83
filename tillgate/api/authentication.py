"""What the header Authorization says: a key of a merchant, or the access token of a person."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from tillgate.api.errors import Unauthorized
from tillgate.merchants.models import ApiKey, Login, User
from tillgate.merchants.services.keys import find_api_key, note_use

KEY_STARTS = ("sk_", "pk_")
TOKEN_SCHEMES = ("bearer", "jwt")


class Authentication(BaseAuthentication):
    """`Bearer sk_test_…`, or `Bearer` or `JWT` and an access token; a request without it is a guest's."""

    def authenticate(self, request: Request) -> tuple[User | None, ApiKey | Login] | None:
        if "HTTP_AUTHORIZATION" not in request.META:
            return None
        scheme, _, secret = request.META["HTTP_AUTHORIZATION"].partition(" ")
        scheme, secret = scheme.lower(), secret.strip()
        if scheme == "bearer" and secret.startswith(KEY_STARTS):
            return None, _key(secret)
        if scheme in TOKEN_SCHEMES and secret.count(".") == 2:
            from tillgate.api.accounts.tokens import login_of  # Megabytes, where nobody signs in.

            login = login_of(secret)
            return login.user, login
        raise Unauthorized

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="tillgate"'


def _key(secret: str) -> ApiKey:
    key = find_api_key(secret)
    if key is None:
        raise Unauthorized
    note_use(key)
    return key
