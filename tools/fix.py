"""`./run fix`: mends what can be mended by itself: lint, format, docs/openapi.yaml, two pages' tables."""

import subprocess
import sys
from pathlib import Path

from tools import gateways_table, openapi, security_table
from tools.check import LOCAL, clean
from tools.paths import ROOT

RUFF = str(Path(sys.executable).parent / "ruff")


def main() -> int:
    """Mend; 0 when nothing is left that ruff or the schema complains of."""
    lint = subprocess.run([RUFF, "check", "--fix"], cwd=ROOT, check=False).returncode
    layout = subprocess.run([RUFF, "format"], cwd=ROOT, check=False).returncode
    gateways_table.write()
    security_table.write()
    try:
        openapi.write(clean(LOCAL))
    except subprocess.CalledProcessError as error:
        print(error.stderr, file=sys.stderr)
        return 1
    return int(bool(lint or layout))


if __name__ == "__main__":
    sys.exit(main())
