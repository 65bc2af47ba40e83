"""`./run audit`: whether a dependency has a hole that is known. Asks pypi.org, which no check does.

0 when none has. 1 when one has. 2 when the advisories could not be reached: then nothing was audited.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime

from tools.check import tool
from tools.paths import ROOT

LOCKS = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("requirements/*.lock"))
UNREACHABLE = re.compile(
    r"(ProxyError|ConnectionError|ConnectTimeout|ReadTimeout|SSLError|NameResolutionError|ConnectionReset"
    r"|Max retries exceeded|HTTPError|ServiceError)"
)


@dataclass(frozen=True, kw_only=True)
class Excuse:
    """A hole that cannot be closed yet, and is none for us until a day."""

    id: str
    why: str
    until: date


EXCUSES: tuple[Excuse, ...] = ()


def command(today: date) -> list[str]:
    """Return what is run: every package of every lock file, by its hash."""
    requirements = [word for lock in LOCKS for word in ("-r", lock)]
    ignored = [word for it in EXCUSES if today <= it.until for word in ("--ignore-vuln", it.id)]
    quiet = ["--strict", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    return tool("pip-audit", *quiet, *requirements, *ignored)


def verdict(status: int, output: str) -> tuple[int, str]:
    """Return the exit status and the sentence to an end of pip-audit and what it said."""
    if status == 0:
        return 0, f"No package of {', '.join(LOCKS)} has a hole that is known."
    if found := UNREACHABLE.search(output):
        return 2, (
            f"The advisories could not be reached ({found.group()}), so NOTHING was audited. "
            "Run it where pypi.org can be asked."
        )
    return 1, f"{output.strip()}\nTake the versions that mend it (./run lock --upgrade-package NAME)."


def main(arguments: list[str]) -> int:
    """Audit, and say what came of it; the arguments go to pip-audit."""
    asked = [*command(datetime.now(UTC).date()), *arguments]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    status, said = verdict(done.returncode, done.stdout + done.stderr)
    print(said)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
