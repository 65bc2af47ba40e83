"""`./run bench [--short]`: the product beside the limits of this machine, on SQLite and PostgreSQL.

Prints the figures. The whole run (up to 15 minutes) writes docs/benchmarks.md, unless something failed;
`--short` (about a minute) only prints. A goal that is missed is said and is no failure; a figure that
could not be measured, and more SQL statements than a path may send, are.
"""

import argparse
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path

from launcher.environment import ROOT
from tools.bench.databases import Database, postgresql, sqlite
from tools.bench.measure import Measurement, Results
from tools.bench.plan import FULL, SHORT, Plan
from tools.bench.report import goals, machine, markdown, paths
from tools.bench.stand import Stand

PAGE = ROOT / "docs" / "benchmarks.md"


def main(argv: list[str]) -> int:
    """Measure, print, write; 0 when every figure could be measured and no statement is too many."""
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="few rows, short rounds; nothing is written")
    parser.add_argument(
        "--database", choices=["sqlite", "postgresql"], help="one of the two; nothing is written"
    )
    options = parser.parse_args(argv)
    plan = SHORT if options.short else FULL
    began = time.monotonic()
    results = [_measure(name, plan) for name in ("sqlite", "postgresql") if options.database in (None, name)]
    print(f"\n{machine(results)}\n\n{goals(results)}\n{paths(results)}")
    figures = [figure for result in results for figure in result.figures]
    missed, failed = (sum(marks) for marks in zip(*((f.is_missed, f.fails) for f in figures), strict=True))
    if not failed and not options.short and options.database is None:
        PAGE.write_text(markdown(results, command="./run bench"), encoding="utf-8")
        print(f"Written to {PAGE.relative_to(ROOT)}.")
    print(f"{len(figures)} figures, {missed} missed, {failed} failed, in {time.monotonic() - began:.0f} s.")
    return int(failed > 0)


def _measure(name: str, plan: Plan) -> Results:
    with (
        tempfile.TemporaryDirectory(prefix="tillgate-bench-", ignore_cleanup_errors=True) as folder,
        _database(name, Path(folder)) as database,
    ):
        print(f"\n=== {database.name} ===", flush=True)
        stand = Stand(Path(folder))
        try:
            return Measurement(database, plan, stand).run()
        finally:
            stand.stop()


def _database(name: str, folder: Path) -> AbstractContextManager[Database]:
    return sqlite(folder) if name == "sqlite" else postgresql(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
