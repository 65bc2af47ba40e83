"""`./run test [ARGS]`: the whole suite on SQLite, then on PostgreSQL where one is found.

ARGS go to pytest. `--database sqlite` or `--database postgresql` runs one of the two only.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass

from tests.postgres import postgres
from tests.requires import is_required
from tools.paths import ROOT

# One more than the machine can run at once: tests that speak HTTP wait for some of their time.
PROCESSES = min((os.cpu_count() or 1) + 1, 8)
# In small portions, so that no process has all the journeys, which come first and mostly wait.
SPREAD = ["-n", str(PROCESSES), "--maxschedchunk", "40"]
# Options that need one process and its terminal.
ALONE = {"--pdb", "-s", "--capture=no", "--trace", "--collect-only", "--co", "-n", "-n0"}

# Tests that open no database of the product, or ask nothing of it that is its own, run once.
WITHOUT_DATABASE = (
    "tests/api/accounts",
    "tests/api/dukka",
    "tests/api/test_access.py",
    "tests/api/test_amounts.py",
    "tests/api/test_doctor.py",
    "tests/api/test_docs_pages.py",
    "tests/api/test_gateway_accounts.py",
    "tests/api/test_guessing.py",
    "tests/api/test_guest_limits.py",
    "tests/api/test_merchant.py",
    "tests/api/test_return_urls.py",
    "tests/api/test_roles.py",
    "tests/api/test_schema.py",
    "tests/api/test_schema_fuzz.py",
    "tests/api/test_throttles.py",
    "tests/api/test_walk.py",
    "tests/attacks/test_amounts.py",
    "tests/attacks/test_browser.py",
    "tests/attacks/test_card_data.py",
    "tests/attacks/test_forgeries.py",
    "tests/attacks/test_guessing.py",
    "tests/attacks/test_http_tricks.py",
    "tests/attacks/test_linear_time.py",
    "tests/attacks/test_mass_assignment.py",
    "tests/attacks/test_paying_less.py",
    "tests/attacks/test_register.py",
    "tests/attacks/test_texts.py",
    "tests/attacks/test_traces.py",
    "tests/checkout",
    "tests/common/test_canaries.py",
    "tests/common/test_checks.py",
    "tests/common/test_every_route.py",
    "tests/common/test_logs.py",
    "tests/common/test_secure_by_default.py",
    "tests/deploy",
    "tests/docs",
    "tests/e2e",
    "tests/events/test_addresses.py",
    "tests/gateways",
    "tests/launcher",
    "tests/management/test_backup_drill.py",
    "tests/merchants/test_checks.py",
    "tests/payments/test_states.py",
    "tests/reliability/test_doorbell.py",
    "tests/reliability/test_lost_answers.py",
    "tests/reliability/test_matrix.py",
    "tests/reliability/test_money_back.py",
    "tests/reliability/test_renewal_answers.py",
    "tests/reliability/test_renewal_times.py",
    "tests/reliability/test_sweep.py",
    "tests/reliability/test_untrue_answers.py",
    "tests/sandbox",
    "tests/subscriptions/test_dunning.py",
    "tests/subscriptions/test_mail_safety.py",
    "tests/subscriptions/test_mails.py",
    "tests/subscriptions/test_schedule.py",
    "tests/subscriptions/test_schedule_properties.py",
    "tests/subscriptions/test_words.py",
    "tests/test_money.py",
    "tests/tools",
)


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One run of the suite on one database; `problem` is empty when it passed."""

    database: str
    problem: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.database}: {self.problem or 'passed'}" + (
            f" in {self.seconds:.0f} s" if self.seconds else ""
        )


def main(argv: list[str]) -> int:
    """Run the legs; 0 when each one that ran passed and none that is required was skipped."""
    parser = argparse.ArgumentParser(prog="./run test", description=__doc__, add_help=False)
    parser.add_argument("--database", choices=["sqlite", "postgresql"])
    options, forwarded = parser.parse_known_args(argv)
    legs = []
    if options.database != "postgresql":
        legs.append(run_leg("SQLite", "", forwarded))
    if options.database != "sqlite":
        legs.append(_postgres_leg(forwarded))
    print("\n" + "\n".join(str(leg) for leg in legs), flush=True)
    return int(any(leg.problem and not leg.problem.startswith("skipped") for leg in legs))


def run_leg(database: str, url: str, forwarded: list[str]) -> Leg:
    """Run pytest once on one database."""
    print(f"\n=== {database} ===", flush=True)
    began = time.monotonic()
    env = {**os.environ, "TILLGATE_TEST_DATABASE": url, "PYTHONPATH": str(ROOT)}
    alone = any(word in ALONE for word in forwarded)
    command = [sys.executable, "-m", "pytest", *([] if alone else SPREAD), *forwarded]
    status = subprocess.run(command, cwd=ROOT, env=env, check=False).returncode
    problem = f"FAILED (pytest's exit status {status})" if status else ""
    return Leg(database=database, problem=problem, seconds=time.monotonic() - began)


def _postgres_leg(forwarded: list[str]) -> Leg:
    with postgres() as found:
        if found.url:
            chosen = any(word.startswith("tests") for word in forwarded)
            less = [] if chosen else [f"--ignore={folder}" for folder in WITHOUT_DATABASE]
            return run_leg(f"PostgreSQL ({found.where})", found.url, [*less, *forwarded])
    word = "REQUIRED, but missing" if is_required("postgresql") else "skipped"
    return Leg(database="PostgreSQL", problem=f"{word}, because {found.where}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
