"""An environment like that of a production installation, for `check --deploy`. Nothing in it is real."""

PRODUCTION = {
    "TILLGATE_ENV": "production",
    "TILLGATE_PUBLIC_URL": "https://pay.example.com",
    "SECRET_KEY": "check-only-7hQm2vXc9LrT4pWz6NfKd8JsYb3GaEu5RtVxCq1MnBhPwZkD",
    "TILLGATE_JWT_KEY": "check-only-jwt-9KcVb2nXq5RtYw8ZpLm3HsGf7DjQaEu1",
    "ALLOWED_HOSTS": "pay.example.com",
    "TILLGATE_TRUSTED_PROXIES": "1",
    "TILLGATE_ENCRYPTION_KEYS": "Y2hlY2stb25seS1jaGVjay1vbmx5LWNoZWNrLW9ubHk=",
    "DATABASE_URL": "postgres://tillgate:secret@db.example.com:5432/tillgate",
    "EMAIL_URL": "smtp+tls://user:secret@mail.example.com:587",
    "PAYSTACK_SECRET_KEY": "sk_live_" + "0123456789abcdef" * 2,
}
