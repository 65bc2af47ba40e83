"""What we are built from is pinned: each package by its hash, each action of a workflow by its commit.

zizmor looks for more; these are the few rules whose breach has cost others their secrets, in plain sight.
"""

import re
import sys
from collections.abc import Iterator
from typing import Any

import yaml

from tools.paths import ROOT, short

PINNED = re.compile(r"[A-Za-z0-9._-]+(\[[a-z0-9,-]+\])?==[A-Za-z0-9._+!-]+( ;.*)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
USES = re.compile(r"^\s*-?\s*uses:\s*(\S+)(.*)$", re.MULTILINE)
COMMIT = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
VERSION = re.compile(r"\s+# v\d+(\.\d+)*")
# What whoever opens an issue or a pull request has written, put into a shell.
FOREIGN = re.compile(r"\$\{\{\s*github\.(event|head_ref)")
# Of the workflow that is followed: a pull request's run has our name and a stranger's code.
OURS = (
    "workflow_run.conclusion == 'success'",
    "workflow_run.event == 'push'",
    "workflow_run.head_branch == 'main'",
    "workflow_run.head_repository.full_name == github.repository",
)
OWN_SECRET = re.compile(r"\$\{\{[^}]*\bsecrets\.(?!GITHUB_TOKEN\b)")


def problems() -> Iterator[str]:
    """Yield one sentence for everything that is not pinned, or that a stranger could make use of."""
    for path in sorted(ROOT.glob("requirements/*.lock")):
        yield from (f"{short(path)}: {said}" for said in lock_problems(path.read_text(encoding="utf-8")))
    for path in sorted(ROOT.glob(".github/workflows/*.y*ml")):
        yield from (f"{short(path)}: {said}" for said in workflow_problems(path.read_text(encoding="utf-8")))


def lock_problems(text: str) -> Iterator[str]:
    """Yield what is wrong with a lock file."""
    for entry in re.sub(r"\\\n\s*", "\n\t", text).replace("\n\t", "\t").splitlines():
        package, *hashes = entry.split("\t")
        if not package.strip() or package.startswith("#"):
            continue
        if not PINNED.fullmatch(package.strip()):
            yield f"{package.strip()!r} is no package at one version"
        elif not hashes or not all(HASH.fullmatch(one.strip()) for one in hashes):
            yield f"{package.strip()!r} has no hash"


def workflow_problems(text: str) -> Iterator[str]:
    """Yield what is wrong with a workflow."""
    for action, beside in USES.findall(text):
        if not COMMIT.fullmatch(action):
            yield f"{action} is not pinned to a commit"
        elif not VERSION.fullmatch(beside):
            yield f"{action} does not say which version that is"
    workflow: dict[Any, Any] = yaml.safe_load(text)
    if workflow.get("permissions") != {}:
        yield "does not begin with `permissions: {}`"
    if "pull_request_target" in (workflow.get("on") or workflow.get(True) or {}):
        yield "runs with our secrets for a stranger's pull request"
    follows = "workflow_run" in (workflow.get("on") or workflow.get(True) or {})
    for name, job in workflow.get("jobs", {}).items():
        yield from (f"job {name} {said}" for said in _job_problems(job, follows=follows))
        for step in job.get("steps", []):
            yield from _step_problems(step)


def _job_problems(job: dict[str, Any], *, follows: bool) -> Iterator[str]:
    if "timeout-minutes" not in job:
        yield "has no timeout-minutes"
    if OWN_SECRET.search(str(job)) and "environment" not in job:
        yield "reads a secret outside of an environment"
    if follows and "needs" not in job and not all(sign in str(job.get("if")) for sign in OURS):
        yield f"follows the runs of strangers, too: `if` does not ask for {', '.join(OURS)}"


def _step_problems(step: dict[str, Any]) -> Iterator[str]:
    if FOREIGN.search(str(step.get("run", ""))):
        yield "puts a stranger's words into a shell"
    is_checkout = str(step.get("uses", "")).startswith("actions/checkout@")
    if is_checkout and step.get("with", {}).get("persist-credentials") is not False:
        yield "leaves its token in the checkout"


def main() -> int:
    """Print the problems; 0 when there are none."""
    found = list(problems())
    print("\n".join(found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
