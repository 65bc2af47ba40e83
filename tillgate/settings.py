"""All settings, read from the environment in the order of `.env.example`.

Every secret may also be given as a file: `SECRET_KEY_FILE=/run/secrets/key`.
What is missing or dangerous is a system check (`tillgate.common.checks`), not a traceback.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from environ import FileAwareEnv

from tillgate.common.logs import logging_config
from tillgate.gateways.registry import accounts_from

ROOT = Path(__file__).resolve().parent.parent
env = FileAwareEnv()


def whole(name: str) -> int | None:
    """A number, or None for what is none: a system check says what is missing, not a traceback."""
    text = env.str(name, "")
    return int(text) if text.isascii() and text.isdigit() else None


# What kind of installation this is. Production unless somebody says otherwise; `./run` says `local`.
TILLGATE_ENV = env.str("TILLGATE_ENV", "production")
TILLGATE_DATA_DIR = Path(env.str("TILLGATE_DATA_DIR", str(ROOT / "var")))
TILLGATE_PUBLIC_URL = env.str("TILLGATE_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
SECRET_KEY = env.str("SECRET_KEY", "") or "missing"  # Too short to start with: a system check says so.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
TILLGATE_TRUSTED_PROXIES = whole("TILLGATE_TRUSTED_PROXIES")
TILLGATE_WEB_PROCESSES = whole("TILLGATE_WEB_PROCESSES") or 2

# What whoever watches is told.
TILLGATE_METRICS_TOKEN = env.str("TILLGATE_METRICS_TOKEN", "").strip()
TILLGATE_ACCESS_LOG = env.str("TILLGATE_ACCESS_LOG", "")  # Empty: below, by what kind it is.

# Money.
TILLGATE_DEFAULT_CURRENCY = env.str("TILLGATE_DEFAULT_CURRENCY", "NGN")
TILLGATE_GUEST_CREATE = env.str("TILLGATE_GUEST_CREATE", "on")
TILLGATE_GUEST_MODE = env.str("TILLGATE_GUEST_MODE", "")
TILLGATE_LATE_PAYMENT = env.str("TILLGATE_LATE_PAYMENT", "accept")
TILLGATE_RETURN_HOSTS = env.list("TILLGATE_RETURN_HOSTS", default=[])
TILLGATE_THROTTLES = env.str("TILLGATE_THROTTLES", "on")

# Accounts.
TILLGATE_JWT_KEY = env.str("TILLGATE_JWT_KEY", "") or "missing"  # As above.

# Recurring payments.
TILLGATE_ENCRYPTION_KEYS = tuple(
    filter(None, map(str.strip, env.str("TILLGATE_ENCRYPTION_KEYS", "").split(",")))
)
TILLGATE_MISSED_CYCLES = env.str("TILLGATE_MISSED_CYCLES", "latest")
TILLGATE_PAST_DUE = env.str("TILLGATE_PAST_DUE", "cancel")
TILLGATE_RETRY_DAYS = env.str("TILLGATE_RETRY_DAYS", "1,3,5,7")
TILLGATE_RETRY_AROUND_PAYDAYS = env.str("TILLGATE_RETRY_AROUND_PAYDAYS", "off")
TILLGATE_RENEWALS_PER_SECOND = whole("TILLGATE_RENEWALS_PER_SECOND") or 10

# Events out.
TILLGATE_WEBHOOK_URL = env.str("TILLGATE_WEBHOOK_URL", "")
TILLGATE_WEBHOOK_SECRET = env.str("TILLGATE_WEBHOOK_SECRET", "")
TILLGATE_WEBHOOK_PRIVATE_HOSTS = env.list("TILLGATE_WEBHOOK_PRIVATE_HOSTS", default=[])

# Mail. Locally it is written into files, for everyone to read; production says where to.
email_url = env.str("EMAIL_URL", "") or f"filemail:///{TILLGATE_DATA_DIR / 'mail'}"
vars().update(env.email_url_config(email_url))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("TILLGATE_MAIL_FROM", "") or f"payments@{urlsplit(TILLGATE_PUBLIC_URL).hostname}"

# Gateways.
PAYSTACK_SECRET_KEY = env.str("PAYSTACK_SECRET_KEY", "")
PAYSTACK_SECRET_KEY_PREVIOUS = env.str("PAYSTACK_SECRET_KEY_PREVIOUS", "")
PAYSTACK_BASE_URL = env.str("PAYSTACK_BASE_URL", "https://api.paystack.co").rstrip("/")
FLUTTERWAVE_SECRET_KEY = env.str("FLUTTERWAVE_SECRET_KEY", "")
FLUTTERWAVE_WEBHOOK_HASH = env.str("FLUTTERWAVE_WEBHOOK_HASH", "")
FLUTTERWAVE_WEBHOOK_HASH_PREVIOUS = env.str("FLUTTERWAVE_WEBHOOK_HASH_PREVIOUS", "")
FLUTTERWAVE_BASE_URL = env.str("FLUTTERWAVE_BASE_URL", "https://api.flutterwave.com").rstrip("/")
PAYPAL_CLIENT_ID = env.str("PAYPAL_CLIENT_ID", "")
PAYPAL_CLIENT_SECRET = env.str("PAYPAL_CLIENT_SECRET", "")
PAYPAL_WEBHOOK_ID = env.str("PAYPAL_WEBHOOK_ID", "")
PAYPAL_WEBHOOK_ID_PREVIOUS = env.str("PAYPAL_WEBHOOK_ID_PREVIOUS", "")
PAYPAL_WEBHOOK_VERIFICATION = env.str("PAYPAL_WEBHOOK_VERIFICATION", "certificate")
PAYPAL_CERTIFICATE_TRUST = env.str("PAYPAL_CERTIFICATE_TRUST", "")
PAYPAL_BASE_URL = env.str("PAYPAL_BASE_URL", "https://api-m.paypal.com").rstrip("/")
TILLGATE_FEES_FILE = env.str("TILLGATE_FEES_FILE", "")

if any(account.mode == "live" for account in accounts_from(globals())):
    TILLGATE_ENV = "production"  # Real money is never taken with a developer's settings.
IS_LOCAL = TILLGATE_ENV == "local"
TILLGATE_ACCESS_LOG = TILLGATE_ACCESS_LOG or ("off" if IS_LOCAL else "on")

# Database. SQLite waits for its one writer at BEGIN, where it can, and not in the middle.
database_url = env.str("DATABASE_URL", "") or f"sqlite:///{TILLGATE_DATA_DIR / 'tillgate.sqlite3'}"
DATABASES = {"default": env.db_url_config(database_url)}
TILLGATE_DATABASE_POOL = whole("TILLGATE_DATABASE_POOL")
# A thread keeps its connection: a pool hands one over at every request, which costs a tenth of a create.
DATABASES["default"]["CONN_MAX_AGE"] = None
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),  # Of the URL: sslmode and the like.
        "server_side_binding": True,
        "prepare_threshold": 0,
    }
    if TILLGATE_DATABASE_POOL:
        # For a server that admits few connections; a thread waits for one as long as for SQLite's writer.
        DATABASES["default"]["OPTIONS"]["pool"] = {
            "min_size": 1,
            "max_size": TILLGATE_DATABASE_POOL,
            "timeout": 10,
        }
        DATABASES["default"]["CONN_MAX_AGE"] = 0
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DEBUG = False
ROOT_URLCONF = "tillgate.urls"
WSGI_APPLICATION = "tillgate.wsgi.application"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "tillgate",
    "tillgate.common",
    "tillgate.merchants",
    "tillgate.events",
    "tillgate.ledger",
    "tillgate.customers",
    "tillgate.payments",
    "tillgate.subscriptions",
    "tillgate.inbox",
    "tillgate.api",
    "tillgate.checkout",
    "django.contrib.staticfiles",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "tillgate.common.web.RequestIdMiddleware",
    "tillgate.common.web.ObservationMiddleware",
    "tillgate.common.web.TrailingSlashMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "tillgate.common.web.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "tillgate.common.web.EntranceMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
STATIC_URL = "/static/"
COLLECTED_ROOT = ROOT / "staticfiles"
# Where they were collected, files are compressed and, with a hash in their name, kept by browsers for good.
IS_COLLECTED = not IS_LOCAL and (COLLECTED_ROOT / "staticfiles.json").is_file()
STATIC_ROOT = COLLECTED_ROOT if IS_COLLECTED else None
STORAGES = {
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
}
WHITENOISE_USE_FINDERS = not IS_COLLECTED
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("png", "svg", "woff2", "map")  # Maps are large, and for developers.

AUTH_USER_MODEL = "merchants.User"
PASSWORD_HASHERS = ["tillgate.merchants.hashers.SmallArgon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
        ("UserAttributeSimilarityValidator", {"user_attributes": ("username", "email")}),
    )
]
PASSWORD_RESET_TIMEOUT = 24 * 3600

TASKS = {"default": {"BACKEND": "tillgate.common.jobs.backend.JobBackend"}}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tillgate.api.authentication.Authentication"],
    "DEFAULT_PERMISSION_CLASSES": ["tillgate.api.permissions.Nobody"],
    "DEFAULT_PARSER_CLASSES": ["tillgate.api.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["tillgate.api.rendering.MoneyJSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "tillgate.api.rendering.Negotiation",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "tillgate.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": TILLGATE_JWT_KEY,
    "ISSUER": "tillgate",
    "AUDIENCE": "tillgate",
    "LEEWAY": 10,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "AUTH_HEADER_TYPES": ("Bearer", "JWT"),
    "CHECK_REVOKE_TOKEN": True,  # A token ends with the password that it was got by.
}
DJOSER = {"TOKEN_MODEL": None}  # Its forms of an account are used; tokens are those of SIMPLE_JWT.
SPECTACULAR_SETTINGS = {
    "TITLE": "Tillgate",
    "DESCRIPTION": "One payments API in front of Paystack, Flutterwave and PayPal.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "OAS_VERSION": "3.1.0",
    "POSTPROCESSING_HOOKS": ["tillgate.api.schema.add_components"],
    "AUTHENTICATION_WHITELIST": ["tillgate.api.authentication.Authentication"],
}

# Security. Pages go to https; the API does not redirect a key that was sent in the clear.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
SECURE_SSL_REDIRECT = not IS_LOCAL
SECURE_REDIRECT_EXEMPT = [r"^api/", r"^auth/", r"^dukka/api/", r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 0 if IS_LOCAL else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not IS_LOCAL
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TILLGATE_TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "DENY"
CSRF_COOKIE_SECURE = not IS_LOCAL
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
    }
}
if IS_LOCAL:
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["127.0.0.1", "localhost", "[::1]"]

LOGGING_CONFIG = None
logging_config(local=IS_LOCAL)

TEST_RUNNER = "tests.runner.PytestRunner"
