"""What the product's processes find in their environment when `./run` starts them."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from launcher.gateways import GATEWAY_KEYS, product_side, sandbox_side
from launcher.secret_files import secret_file

ROOT = Path(__file__).resolve().parent.parent
# A checkout keeps data and .env beside ./run; what was installed keeps them where it is started.
HOME = ROOT if (ROOT / "run").is_file() else Path.cwd()
# A private product takes nothing of these from the shell it is started in.
OURS = ("TILLGATE_", "PAYSTACK_", "FLUTTERWAVE_", "PAYPAL_", "SECRET_KEY", "DATABASE_URL", "ALLOWED_HOSTS")

Environment = dict[str, str]


def _random_text() -> str:
    return secrets.token_urlsafe(50)


def _encryption_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")


# Setting, file, and how it is made.
OWN_SECRETS = (
    ("SECRET_KEY", "django_secret_key", _random_text),
    ("TILLGATE_JWT_KEY", "jwt_key", _random_text),
    ("TILLGATE_ENCRYPTION_KEYS", "encryption_key", _encryption_key),
)


@dataclass(frozen=True, kw_only=True)
class Installation:
    """One product: where its files are and on which ports it and its sandbox listen."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8000
    sandbox_port: int = 8001

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"


def read_dotenv(path: Path) -> Environment:
    """Return the `KEY=VALUE` lines of a file that set something; knows comments, `export` and quotes."""
    if not path.is_file():
        return {}
    values = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not key.startswith("#") and _unquoted(value.strip()):
            values[key.strip()] = _unquoted(value.strip())
    return values


def outer_environment() -> Environment:
    """Return what the user set: the shell's environment, and `.env` where the shell is silent."""
    said = read_dotenv(HOME / ".env")
    missing = {key for key in said if not _is_set(os.environ, key.removesuffix("_FILE"))}
    return {"TILLGATE_ENV": "local", **{key: said[key] for key in missing}, **os.environ}


def private_environment() -> Environment:
    """Return the shell's environment without any setting of ours, for a product nobody else touches."""
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith(OURS)},
        "TILLGATE_ENV": "local",
    }


def uses_sandbox(outer: Mapping[str, str]) -> bool:
    """Say whether the sandbox stands in for the gateways: locally, while no gateway's key is set."""
    return outer.get("TILLGATE_ENV") == "local" and not any(_is_set(outer, key) for key in GATEWAY_KEYS)


def product_environment(installation: Installation, outer: Mapping[str, str]) -> Environment:
    """Return the environment of web server, worker and management commands.

    Secrets are made on first use, beside the database that they belong to. In production a database that is
    elsewhere may have other machines at it, which must have the same ones: there they are to be given.
    """
    data_dir = make_data_dir(installation.data_dir)
    env = {**outer, "TILLGATE_DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "tillgate.settings"}
    env.setdefault("TILLGATE_PUBLIC_URL", installation.url)
    # Threads that allocate from two arenas and not from eight a core keep the group small.
    env.setdefault("MALLOC_ARENA_MAX", "2")
    makes_secrets = env.get("TILLGATE_ENV") == "local" or not _is_set(env, "DATABASE_URL")
    for name, file, make in OWN_SECRETS:
        path = data_dir / file
        if not _is_set(env, name) and makes_secrets:
            env.pop(name, None)
            env[f"{name}_FILE"] = str(secret_file(path, make()))
    if uses_sandbox(env):
        for name, value in product_side(data_dir, installation.sandbox_url):
            env.pop(name.removesuffix("_FILE"), None)  # Set, but empty: it would win over the file.
            env[name] = value
    return env


def sandbox_environment(installation: Installation, outer: Mapping[str, str]) -> Environment:
    """Return the environment of the sandbox: the same secrets, and where its webhooks go."""
    return {**outer, **dict(sandbox_side(make_data_dir(installation.data_dir), installation.url))}


def make_data_dir(path: Path) -> Path:
    """Make the data directory, readable by nobody else; one that exists stays as it is."""
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True)
    return path.resolve()


def remember_ports(installation: Installation) -> None:
    """Note the ports beside the data, so that commands in another terminal name the same addresses."""
    ports = {"port": installation.port, "sandbox_port": installation.sandbox_port}
    (installation.data_dir / "ports.json").write_text(json.dumps(ports), encoding="ascii")


def installation_at(data_dir: Path) -> Installation:
    """Return the installation whose data is there, on the ports it was last started on."""
    try:
        ports = json.loads((data_dir / "ports.json").read_text(encoding="ascii"))
        return Installation(
            data_dir=data_dir, port=int(ports["port"]), sandbox_port=int(ports["sandbox_port"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Installation(data_dir=data_dir)


def data_dir_of(outer: Mapping[str, str]) -> Path:
    """Return the data directory that the user named, else `var/`."""
    return HOME / (outer.get("TILLGATE_DATA_DIR") or "var")


def _is_set(env: Mapping[str, str], key: str) -> bool:
    return bool(env.get(key) or env.get(f"{key}_FILE"))


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value.split(" #", 1)[0].rstrip()
