"""`manage.py test` for people with that habit: the same suite as `./run test`."""

import subprocess
import sys
from collections.abc import Sequence
from typing import Any


class PytestRunner:
    """Django's TEST_RUNNER; runs in a new process, since this one has read the developer's own settings."""

    def __init__(
        self, *, keepdb: bool = False, failfast: bool = False, verbosity: int = 1, **_others: Any
    ) -> None:
        self._options = (
            ["--reuse-db"] * keepdb + ["-x"] * failfast + ["-q"] * (verbosity == 0) + ["-v"] * (verbosity > 1)
        )

    def run_tests(self, test_labels: Sequence[str], **_others: Any) -> int:
        """Run paths or node ids, or everything; return the number of legs that failed, 0 or 1."""
        command = [sys.executable, "-m", "tools.test", *self._options, *test_labels]
        return int(subprocess.run(command, check=False).returncode != 0)
