"""docs/openapi.yaml: written from the code, and checked to say what the code says."""

import difflib
import os
import subprocess
import sys
from collections.abc import Mapping

from tools.paths import ROOT

FILE = ROOT / "docs" / "openapi.yaml"
COMMAND = [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn"]


def generated(env: Mapping[str, str] = os.environ) -> str:
    """Return the schema of the code. Raises CalledProcessError when it has warnings."""
    done = subprocess.run(COMMAND, cwd=ROOT, env={**env}, capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout.strip():
        raise subprocess.CalledProcessError(done.returncode, COMMAND, done.stdout, done.stderr)
    return done.stdout


def write(env: Mapping[str, str]) -> None:
    """Rewrite the file."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(generated(env), encoding="utf-8")


def main() -> int:
    """Print the difference between file and code; 0 when there is none."""
    try:
        new = generated()
    except subprocess.CalledProcessError as error:
        print(error.stderr)
        return 1
    old = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    lines = list(
        difflib.unified_diff(
            old.splitlines(), new.splitlines(), "docs/openapi.yaml", "the code", "", "", 1, ""
        )
    )
    if lines:
        print("docs/openapi.yaml is out of date; ./run fix writes it anew.", *lines[:40], sep="\n")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
