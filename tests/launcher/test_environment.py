"""What `./run` gives to the product's processes."""

import base64
import re
import stat
from pathlib import Path

import pytest

from launcher import environment
from launcher.environment import Installation


@pytest.fixture
def installation(tmp_path):
    return Installation(data_dir=tmp_path / "var", port=9000, sandbox_port=9001)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_first_start_makes_secrets_that_only_the_owner_reads(installation):
    env = environment.product_environment(installation, {"TILLGATE_ENV": "local"})

    assert mode_of(installation.data_dir) == 0o700
    secrets = sorted(path for path in installation.data_dir.iterdir())
    assert [path.name for path in secrets] == [
        "django_secret_key",
        "encryption_key",
        "flutterwave_sandbox_hash",
        "flutterwave_sandbox_key",
        "jwt_key",
        "paypal_sandbox_client_id",
        "paypal_sandbox_client_secret",
        "paypal_sandbox_webhook_id",
        "paystack_sandbox_key",
    ]
    assert {mode_of(path) for path in secrets} == {0o600}
    assert env["SECRET_KEY_FILE"] == str(installation.data_dir / "django_secret_key")
    assert len((installation.data_dir / "django_secret_key").read_text()) >= 50
    assert len(base64.urlsafe_b64decode((installation.data_dir / "encryption_key").read_text())) == 32


def test_later_starts_keep_the_secrets(installation):
    environment.product_environment(installation, {"TILLGATE_ENV": "local"})
    first = {path.name: path.read_text() for path in installation.data_dir.iterdir()}

    environment.product_environment(installation, {"TILLGATE_ENV": "local"})

    assert {path.name: path.read_text() for path in installation.data_dir.iterdir()} == first


@pytest.mark.parametrize(
    ("setting", "shape"),
    [
        ("PAYSTACK_SECRET_KEY", r"sk_test_sandbox[0-9a-f]{32}"),
        ("FLUTTERWAVE_SECRET_KEY", r"FLWSECK_TEST-[0-9a-f]{32}-X"),
        ("FLUTTERWAVE_WEBHOOK_HASH", r"[\w-]{43}"),
        ("PAYPAL_CLIENT_ID", r"sandbox-[0-9a-f]{32}"),
        ("PAYPAL_CLIENT_SECRET", r"[\w-]{54}"),
        ("PAYPAL_WEBHOOK_ID", r"[0-9A-F]{17}"),
    ],
)
def test_without_gateway_keys_product_and_sandbox_share_test_secrets(installation, setting, shape):
    outer = {"TILLGATE_ENV": "local", setting: ""}

    product = environment.product_environment(installation, outer)
    sandbox = environment.sandbox_environment(installation, outer)

    secret = Path(product[f"{setting}_FILE"]).read_text()
    assert re.fullmatch(shape, secret)
    assert sandbox[f"SANDBOX_{setting}"] == secret
    assert setting not in product  # Empty, it would win over the file.


@pytest.mark.parametrize("gateway", ["paystack", "flutterwave", "paypal"])
def test_without_gateway_keys_product_and_sandbox_find_each_other(installation, gateway):
    product = environment.product_environment(installation, {"TILLGATE_ENV": "local"})
    sandbox = environment.sandbox_environment(installation, {"TILLGATE_ENV": "local"})

    assert product[f"{gateway.upper()}_BASE_URL"] == f"http://127.0.0.1:9001/{gateway}"
    webhooks = f"http://127.0.0.1:9000/api/v1/webhooks/{gateway}"
    assert sandbox[f"SANDBOX_{gateway.upper()}_WEBHOOK_URL"] == webhooks


def test_the_product_trusts_the_sandboxs_own_certificates(installation):
    env = environment.product_environment(installation, {"TILLGATE_ENV": "local"})

    authority = installation.data_dir / "sandbox" / "paypal-ca.pem"
    assert env["PAYPAL_CERTIFICATE_TRUST"] == f"http://127.0.0.1:9001 {authority}"


def test_what_the_sandbox_does_not_set_is_the_users(installation):
    outer = {"TILLGATE_ENV": "local", "PAYPAL_WEBHOOK_VERIFICATION": "api"}

    assert environment.product_environment(installation, outer)["PAYPAL_WEBHOOK_VERIFICATION"] == "api"


@pytest.mark.parametrize(
    "name",
    [
        "PAYSTACK_SECRET_KEY",
        "PAYSTACK_SECRET_KEY_FILE",
        "FLUTTERWAVE_SECRET_KEY",
        "PAYPAL_CLIENT_ID",
        "PAYPAL_CLIENT_SECRET_FILE",
    ],
)
def test_a_gateway_key_of_the_user_means_no_sandbox(installation, name):
    outer = {"TILLGATE_ENV": "local", name: "theirs"}

    env = environment.product_environment(installation, outer)

    assert not environment.uses_sandbox(outer)
    assert env[name] == "theirs"
    assert "PAYSTACK_BASE_URL" not in env
    assert not (installation.data_dir / "paystack_sandbox_key").exists()


def test_production_never_gets_the_sandbox(installation):
    env = environment.product_environment(installation, {"TILLGATE_ENV": "production"})

    assert not [name for name in env if name.startswith(("PAYSTACK_", "FLUTTERWAVE_", "PAYPAL_"))]


def test_a_secret_key_of_the_user_is_kept(installation):
    env = environment.product_environment(installation, {"TILLGATE_ENV": "local", "SECRET_KEY": "theirs"})

    assert env["SECRET_KEY"] == "theirs"
    assert "SECRET_KEY_FILE" not in env


def test_public_url_follows_the_port_unless_the_user_set_it(installation):
    ours = environment.product_environment(installation, {})
    theirs = environment.product_environment(installation, {"TILLGATE_PUBLIC_URL": "https://pay.example.com"})

    assert ours["TILLGATE_PUBLIC_URL"] == "http://127.0.0.1:9000"
    assert theirs["TILLGATE_PUBLIC_URL"] == "https://pay.example.com"


def test_commands_in_another_terminal_know_the_ports(installation):
    environment.make_data_dir(installation.data_dir)
    environment.remember_ports(installation)

    assert environment.installation_at(installation.data_dir) == installation


@pytest.mark.parametrize("content", [None, "", "[]", '{"port": "x"}'])
def test_unreadable_ports_mean_the_usual_ones(tmp_path, content):
    if content is not None:
        (tmp_path / "ports.json").write_text(content)

    assert environment.installation_at(tmp_path) == Installation(data_dir=tmp_path)


def test_dotenv_reads_comments_quotes_and_export(tmp_path):
    (tmp_path / ".env").write_text(
        "# A=1\nB=2 # two\nexport C='3 # 3'\n\nD=\"a=b\"\nE=\nno line\n", encoding="utf-8"
    )

    assert environment.read_dotenv(tmp_path / ".env") == {"B": "2", "C": "3 # 3", "D": "a=b"}


def test_the_shell_wins_over_dotenv_also_by_file(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("SECRET_KEY=dotenv\nTILLGATE_DEFAULT_CURRENCY=KES\n")
    monkeypatch.setattr(environment, "HOME", tmp_path)
    monkeypatch.delenv("SECRET_KEY")
    monkeypatch.setenv("SECRET_KEY_FILE", "/run/secrets/key")

    outer = environment.outer_environment()

    assert "SECRET_KEY" not in outer
    assert outer["TILLGATE_DEFAULT_CURRENCY"] == "KES"


def test_a_value_of_the_shell_wins_over_a_file_that_dotenv_names(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("DATABASE_URL_FILE=/run/secrets/database\nTILLGATE_FEES_FILE=fees.toml\n")
    monkeypatch.setattr(environment, "HOME", tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgres://rehearsal")

    outer = environment.outer_environment()

    assert "DATABASE_URL_FILE" not in outer
    assert outer["TILLGATE_FEES_FILE"] == "fees.toml"


def test_a_private_product_takes_no_setting_from_the_shell(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://real")
    monkeypatch.setenv("PAYSTACK_SECRET_KEY", "sk_live_real")

    outer = environment.private_environment()

    assert not {"DATABASE_URL", "PAYSTACK_SECRET_KEY", "SECRET_KEY"} & set(outer)
    assert outer["TILLGATE_ENV"] == "local"


def test_the_example_names_every_setting_in_the_order_of_settings():

    settings = (environment.ROOT / "tillgate" / "settings.py").read_text(encoding="utf-8")
    example = (environment.ROOT / ".env.example").read_text(encoding="utf-8")
    read = re.findall(r'env\.\w+\(\s*"(\w+)"', settings)
    listed = re.findall(r"^(\w+)=", example, re.MULTILINE)

    assert [name for name in listed if name in read] == read
