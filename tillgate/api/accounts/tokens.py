"""Access and refresh tokens: signed and read by the library; a `Login` row says whether they still count."""

from typing import TypeVar

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token, UntypedToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from tillgate.api.errors import Unauthorized
from tillgate.merchants.models import Login
from tillgate.merchants.services.logins import live_login, renew_login

T = TypeVar("T", bound=Token)
NOT_GOOD = "The token is not valid, or has ended. Refresh it, or sign in again."
LOGIN = "sid"  # The claim that names the login; `jti`, `exp` and the type the library asks for itself.


def token_pair(login: Login) -> tuple[str, str]:
    """Return an access token and the refresh token of a login."""
    refresh = RefreshToken.for_user(login.user)
    refresh["jti"], refresh[LOGIN] = login.refresh_jti, login.reference
    return str(refresh.access_token), str(refresh)


def login_of(access: str) -> Login:
    """Return the login that an access token came of, with its user. Raises Unauthorized."""
    return _live(read_token(AccessToken, access))


def require_good(text: str) -> None:
    """Raise Unauthorized unless this is a token, of either kind, that opens something now."""
    token = read_token(UntypedToken, text)
    login, kind = _live(token), token.get("token_type")
    is_newest = token["jti"] == login.refresh_jti
    if kind != AccessToken.token_type and not (kind == RefreshToken.token_type and is_newest):
        raise Unauthorized(NOT_GOOD, code="token_not_valid")


def refreshed(refresh: str) -> tuple[str, str]:
    """Return a new pair for a refresh token, which is good once. Raises Unauthorized, LoginEnded."""
    token = read_token(RefreshToken, refresh)
    _live(token)
    return token_pair(renew_login(token[LOGIN], token["jti"]))


def read_token(kind: type[T], text: str) -> T:
    """Return a token of this kind: its signature, end, issuer and audience are right, and no claim of
    ours is missing. Raises Unauthorized."""
    try:
        token = kind(text)  # type: ignore[arg-type]
    except TokenError as error:
        raise Unauthorized(NOT_GOOD, code="token_not_valid") from error
    if (
        not all(isinstance(token.get(claim), str) for claim in (LOGIN, "user_id", "jti"))
        or "iat" not in token
    ):
        raise Unauthorized(NOT_GOOD, code="token_not_valid")
    return token


def _live(token: Token) -> Login:
    login = live_login(token[LOGIN])
    if login is None or str(login.user_id) != token["user_id"]:
        raise Unauthorized(NOT_GOOD, code="token_not_valid")
    _require_same_password(token, login)
    return login


def _require_same_password(token: Token, login: Login) -> None:
    # As the library's own authentication does it, which would read the user once more.
    if token.get(api_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(login.user.password):
        raise Unauthorized(NOT_GOOD, code="token_not_valid")
