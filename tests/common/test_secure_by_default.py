"""S-01, S-03: what an installation is when nobody has set anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.environment import Installation, product_environment
from tests.common.test_every_route import templates
from tools.deploy import PRODUCTION
from tools.paths import ROOT

OURS = ("TILLGATE_", "PAYSTACK_", "FLUTTERWAVE_", "PAYPAL_", "SECRET_KEY", "DATABASE_URL", "ALLOWED_HOSTS")


def run(program, **environment):
    """Run a program in a process of its own, with nothing set but this."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    env = {**bare, "DJANGO_SETTINGS_MODULE": "tillgate.settings", **environment}
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["DEBUG", "DJANGO_DEBUG", "TILLGATE_DEBUG"])
@pytest.mark.parametrize("kind", ["local", "production"])
def test_s03_nothing_switches_debug_on(name, kind):
    said = run("from tillgate import settings; print(settings.DEBUG)", **{name: "1", "TILLGATE_ENV": kind})

    assert said.stdout == "False\n"


def test_s03_it_is_production_unless_somebody_says_otherwise():
    said = run("from tillgate import settings; print(settings.TILLGATE_ENV, settings.SECURE_HSTS_SECONDS)")

    assert said.stdout == "production 31536000\n"


def test_a50_a_live_key_makes_it_production_whatever_else_is_said():
    said = run(
        "from tillgate import settings; print(settings.TILLGATE_ENV, settings.IS_LOCAL)",
        TILLGATE_ENV="local",
        PAYSTACK_SECRET_KEY="sk_live_" + "0123456789abcdef" * 2,
    )

    assert said.stdout == "production False\n"


START = "import tillgate.wsgi"


def test_s01_the_shipped_production_starts():
    done = run(START, **PRODUCTION)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "value", "check"),
    [
        ("SECRET_KEY", "", "E002"),
        ("SECRET_KEY", "changeme-changeme-changeme-changeme-changeme", "E031"),
        ("TILLGATE_JWT_KEY", "", "E030"),
        ("TILLGATE_JWT_KEY", PRODUCTION["SECRET_KEY"], "E020"),
        ("TILLGATE_ENCRYPTION_KEYS", "", "E017"),
        ("TILLGATE_THROTTLES", "off", "E007"),
        ("TILLGATE_PUBLIC_URL", "http://pay.example.com", "E008"),
        ("ALLOWED_HOSTS", "*", "E009"),
        ("TILLGATE_TRUSTED_PROXIES", "", "E010"),
        ("TILLGATE_METRICS_TOKEN", "short", "E045"),
        ("TILLGATE_GUEST_MODE", "test", "E012"),
        ("PAYSTACK_BASE_URL", "http://127.0.0.1:8001/paystack", "E006"),
        ("PAYSTACK_SECRET_KEY", "sk_live_changeme", "E005"),
        ("PAYPAL_CERTIFICATE_TRUST", "http://127.0.0.1:8001 /var/ca.pem", "E013"),
        ("EMAIL_URL", "consolemail://", "E018"),
        ("DATABASE_URL", "postgres://u:p@db/t?options=-c%20synchronous_commit%3Doff", "E032"),
    ],
)
def test_a50_production_with_a_dangerous_setting_does_not_start(name, value, check):
    done = run(START, **{**PRODUCTION, name: value})

    assert done.returncode != 0
    assert f"tillgate.{check}" in done.stderr


def test_s03_two_installations_have_no_secret_in_common(tmp_path):
    def secrets_of(name):
        env = product_environment(Installation(data_dir=tmp_path / name), {"TILLGATE_ENV": "local"})
        return {Path(env[key]).read_text(encoding="ascii") for key in env if key.endswith("_FILE")}

    one, other = secrets_of("one"), secrets_of("other")

    assert len(one) >= 3
    assert not one & other


def test_s03_there_is_no_admin():
    assert len(templates()) > 20
    assert not [path for path in templates() if "admin" in path]
