"""A-51, S-36, S-37: a planted bad pin is seen; what the repository has is pinned."""

from datetime import date

import pytest

from tools import audit, supply

SHA = "11bd71901bbe5b1630ceea73d27597364c9af683"
HASH = f"--hash=sha256:{'0a' * 32}"
GOOD_LOCK = f"""anyio==4.9.0 \\
    {HASH} \\
    --hash=sha256:{"1b" * 32}
# A comment.
colorama==0.4.6 ; sys_platform == 'win32' \\
    {HASH}
psycopg[binary]==3.2.9 \\
    {HASH}
"""
BAD_LINES = [
    "django==5.2.1",
    "django>=5.2.1 \\\n    " + HASH,
    "django \\\n    " + HASH,
    "django==5.2.1 \\\n    --hash=md5:0123",
    "django==5.2.1 \\\n    --hash=sha256:0123",
    "django @ git+https://github.com/django/django",
    "https://example.com/django.whl \\\n    " + HASH,
    "-e .",
    "--index-url https://evil.example/simple",
    "--extra-index-url https://evil.example/simple",
]
GOOD_WORKFLOW = f"""
on: push
permissions: {{}}
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@{SHA} # v4.2.2
        with:
          persist-credentials: false
      - run: ./run check
"""
BAD_WORKFLOWS = [
    (f"checkout@{SHA} # v4.2.2", "checkout@v4", "actions/checkout@v4 is not pinned to a commit"),
    (f"checkout@{SHA} # v4.2.2", "checkout@main", "is not pinned"),
    (f"checkout@{SHA} # v4.2.2", f"checkout@{SHA[:7]} # v4.2.2", "is not pinned"),
    (" # v4.2.2", "", "does not say which version"),
    ("permissions: {}", "permissions: write-all", "does not begin with `permissions: {}`"),
    ("permissions: {}\n", "", "does not begin with"),
    ("on: push", "on: [pull_request_target]", "stranger's pull request"),
    ("on: push", "on:\n  pull_request_target:", "stranger's pull request"),
    ("./run check", "echo ${{ github.event.issue.title }}", "stranger's words"),
    ("./run check", "echo ${{github.head_ref}}", "stranger's words"),
    ("persist-credentials: false", "fetch-depth: 1", "token in the checkout"),
    ("persist-credentials: false", "persist-credentials: true", "token in the checkout"),
    ("    timeout-minutes: 5\n", "", "job test has no timeout-minutes"),
    (
        "./run check",
        "echo ${{ secrets.DEPLOY_SSH_KEY }}",
        "job test reads a secret outside of an environment",
    ),
    ("on: push", "on:\n  workflow_run:\n    workflows: [CI]", "job test follows the runs of strangers"),
]


def test_what_the_repository_has_is_pinned():
    assert list(supply.problems()) == []


def test_a_good_lock_is_left_alone():
    assert list(supply.lock_problems(GOOD_LOCK)) == []


@pytest.mark.parametrize("line", BAD_LINES)
def test_a51_a_planted_line_of_a_lock_is_seen(line):
    (said,) = supply.lock_problems(GOOD_LOCK + line + "\n")

    assert line.split(" \\")[0].strip() in said


def test_a_good_workflow_is_left_alone():
    assert list(supply.workflow_problems(GOOD_WORKFLOW)) == []


@pytest.mark.parametrize("sign", supply.OURS)
def test_a51_a_followed_run_must_be_ours_in_every_respect(sign):
    follows = GOOD_WORKFLOW.replace("on: push", "on:\n  workflow_run:\n    workflows: [CI]")
    guarded = (
        "    if: " + " && ".join(f"github.event.{one}" for one in supply.OURS) + "\n    timeout-minutes: 5\n"
    )
    good = follows.replace("    timeout-minutes: 5\n", guarded)
    assert list(supply.workflow_problems(good)) == []

    (said,) = supply.workflow_problems(good.replace(sign, "true"))

    assert "job test follows the runs of strangers" in said


@pytest.mark.parametrize(("good", "bad", "says"), BAD_WORKFLOWS)
def test_a51_a_planted_line_of_a_workflow_is_seen(good, bad, says):
    assert good in GOOD_WORKFLOW

    (said,) = supply.workflow_problems(GOOD_WORKFLOW.replace(good, bad))

    assert says in said


def test_an_audit_asks_about_every_lock():
    words = audit.command(date(2026, 1, 1))

    assert [word for word in words if word.endswith(".lock")] == audit.LOCKS
    assert {"--strict", "--require-hashes"} <= set(words)


def test_an_excuse_has_an_end(monkeypatch):
    excuse = audit.Excuse(id="PYSEC-1", why="No path of ours leads there.", until=date(2026, 1, 31))
    monkeypatch.setattr(audit, "EXCUSES", (excuse,))

    assert "PYSEC-1" in audit.command(date(2026, 1, 31))
    assert "PYSEC-1" not in audit.command(date(2026, 2, 1))


@pytest.mark.parametrize(
    "output", ["requests.exceptions.ProxyError: …", "ConnectionError", "Max retries exceeded with url: /pypi"]
)
def test_an_audit_that_could_not_ask_does_not_pass(output):
    status, said = audit.verdict(1, f"Traceback …\n{output}")

    assert status == 2
    assert "could not be reached" in said
    assert "NOTHING was audited" in said


def test_an_audit_tells_of_a_hole_and_how_it_is_mended():
    status, said = audit.verdict(1, "Found 1 known vulnerability in 1 package\ndjango 5.2.1 PYSEC-1 5.2.2")

    assert status == 1
    assert "PYSEC-1" in said
    assert "./run lock --upgrade-package" in said


def test_an_audit_without_findings_is_well():
    assert audit.verdict(0, "No known vulnerabilities found")[0] == 0


def test_this_machine_cannot_ask_where_its_proxy_does_not_answer(monkeypatch, capsys):
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr(audit, "LOCKS", ["requirements/bootstrap.lock"])

    assert audit.main(["--timeout", "2"]) == 2
    assert "could not be reached" in capsys.readouterr().out
