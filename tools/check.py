"""`./run check`: every check that needs no database and no network, one line each."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tools.deploy import PRODUCTION
from tools.paths import ROOT

OURS = ("TILLGATE_", "PAYSTACK_", "FLUTTERWAVE_", "PAYPAL_", "SECRET_KEY", "DATABASE_URL", "ALLOWED_HOSTS")
# Enough for Django to load; no database is opened and no gateway asked.
LOCAL = {
    "TILLGATE_ENV": "local",
    "SECRET_KEY": "check-only-" + "0123456789" * 5,
    "TILLGATE_JWT_KEY": "check-only-jwt-" + "0123456789" * 5,
    "TILLGATE_ENCRYPTION_KEYS": "Y2hlY2stb25seS1jaGVjay1vbmx5LWNoZWNrLW9ubHk=",
    "DATABASE_URL": "sqlite://",
}
BIN = Path(sys.executable).parent
WORKFLOWS = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(".github/workflows/*.yml"))
SCANNED = ("tillgate", "launcher", "sandbox", "deploy", "tools")
PROXY = "deploy/Caddyfile"
TEMPLATES = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("[ts]*/**/templates/**/*.html"))


@dataclass(frozen=True, kw_only=True)
class Check:
    """One command that exits with 0 when all is well."""

    name: str
    command: list[str]
    env: dict[str, str] = field(default_factory=lambda: LOCAL)


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a check ended; `output` is shown when it failed."""

    check: Check
    ok: bool
    seconds: float
    output: str

    def __str__(self) -> str:
        line = f"{self.check.name:<28} {self.seconds:5.1f} s  {'ok' if self.ok else 'FAILED'}"
        return line if self.ok else f"{line}\n{self.output.strip()}\n"


def tool(name: str, *arguments: str) -> list[str]:
    """Return the command of a tool that is installed beside this Python."""
    return [str(BIN / name), *arguments]


def python(*arguments: str) -> list[str]:
    """Return a command of this Python."""
    return [sys.executable, *arguments]


# The slowest first, since two run at a time.
CHECKS = [
    Check(name="types (mypy)", command=tool("mypy")),
    Check(name="lint (ruff)", command=tool("ruff", "check", "--quiet", "--output-format=concise")),
    Check(
        name="format (ruff)", command=tool("ruff", "format", "--check", "--quiet", "--output-format=concise")
    ),
    Check(name="imports (import-linter)", command=tool("lint-imports", "--no-logo")),
    Check(name="sizes", command=python("-m", "tools.sizes")),
    Check(name="house rules", command=python("-m", "tools.lints")),
    Check(name="supply chain", command=python("-m", "tools.supply")),
    Check(
        name="security (bandit)",
        command=tool("bandit", "-q", "-r", "-c", "pyproject.toml", "--severity-level", "medium", *SCANNED),
    ),
    Check(name="migrations", command=python("manage.py", "makemigrations", "--check", "--dry-run")),
    Check(name="OpenAPI file", command=python("-m", "tools.openapi")),
    Check(name="README's gateways", command=python("-m", "tools.gateways_table")),
    Check(name="security page's tables", command=python("-m", "tools.security_table")),
    Check(
        name="production settings",
        command=python("manage.py", "check", "--deploy", "--fail-level", "WARNING"),
        env=PRODUCTION,
    ),
    Check(
        name="dependencies (deptry)",
        command=tool("deptry", "tillgate", "launcher", "deploy", "--config", "tools/deptry.toml"),
    ),
    *(
        [Check(name="templates (djlint)", command=tool("djlint", "--quiet", "--lint", *TEMPLATES))]
        * bool(TEMPLATES)
    ),
    Check(
        name="workflows (schema)",
        command=tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS),
    ),
    Check(name="workflows (zizmor)", command=tool("zizmor", "--offline", "--quiet", *WORKFLOWS)),
    Check(name="image (hadolint)", command=tool("hadolint", "Dockerfile")),
    Check(
        name="compose (schema)",
        command=tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"),
    ),
    Check(
        name="proxy (caddy)", command=tool("caddy", "validate", "--adapter", "caddyfile", "--config", PROXY)
    ),
    Check(name="proxy's format (caddy)", command=tool("caddy", "fmt", "--diff", PROXY)),
]


def clean(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the shell's environment with `settings`, and with none of the developer's own settings."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith(OURS)}, **settings}


def run(check: Check) -> Result:
    """Run one check and print its line."""
    began = time.monotonic()
    done = subprocess.run(
        check.command, cwd=ROOT, env=clean(check.env), capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - began
    result = Result(check=check, ok=done.returncode == 0, seconds=seconds, output=done.stdout + done.stderr)
    print(result, flush=True)
    return result


def main(names: list[str]) -> int:
    """Run the checks whose name holds one of `names`, or all; 0 when each is well."""
    began = time.monotonic()
    chosen = [check for check in CHECKS if not names or any(name in check.name for name in names)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(run, chosen))
    failed = [result.check.name for result in results if not result.ok]
    verdict = (
        f"{len(failed)} of {len(results)} checks FAILED: {', '.join(failed)}"
        if failed
        else f"All {len(results)} checks passed"
    )
    print(f"{verdict}, in {time.monotonic() - began:.0f} s.")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
