"""`./run soak renewals`: subscriptions that are all due in one minute, and workers that are killed.

The sandbox over HTTP is the gateway, and its journal is the truth: 0 when it has exactly one charge of each
subscription. Charges that were lost between us and the gateway are sent again only after it has twice not
known them for ten minutes, for which both clocks are moved.
"""

import argparse
import sys
import tempfile
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from tools.bench.databases import Database, postgresql, sqlite
from tools.soak.renewals import Plan, Soak


def main(argv: list[str]) -> int:
    """Run the soak and print what became of it."""
    parser = argparse.ArgumentParser(prog="./run soak", description=__doc__)
    parser.add_argument("what", choices=["renewals"])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--kill-every", type=float, default=5, metavar="SECONDS")
    parser.add_argument("--within", type=float, default=3_600, metavar="SECONDS")
    options = parser.parse_args(argv)
    plan = Plan(count=options.count, kill_every_s=options.kill_every, within_s=options.within)
    with (
        tempfile.TemporaryDirectory(prefix="tillgate-soak-", ignore_cleanup_errors=True) as folder,
        _database(options.database, Path(folder)) as database,
    ):
        if database.why_not:
            print(f"No {database.name}: {database.why_not}")
            return 1
        report = Soak(database, Path(folder), plan, partial(print, flush=True)).run()
    print(f"\n{database.name}: {report}")
    return int(bool(report.problems))


def _database(name: str, folder: Path) -> AbstractContextManager[Database]:
    return sqlite(folder) if name == "sqlite" else postgresql(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
