"""`./run lock [--upgrade]`: writes requirements/*.lock anew from the *.in files beside them."""

import subprocess
import sys
from pathlib import Path

from tools.paths import ROOT

# Universal, so one file serves every platform and Python; without addresses, so mirrors are followed.
COMPILE = (
    "pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate "
    "--no-emit-index-url --no-emit-find-links"
)
NAMES = ("bootstrap", "base", "dev", "e2e")


def main(arguments: list[str]) -> int:
    """Write all; what is locked keeps its version unless --upgrade or --upgrade-package is given."""
    folder = ROOT / "requirements"
    uv = str(Path(sys.executable).parent / "uv")
    for name in NAMES:
        files = [f"{name}.in", "-o", f"{name}.lock"]
        subprocess.run([uv, *COMPILE.split(), *arguments, *files], cwd=folder, check=True)
        print(f"requirements/{name}.lock written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
