"""The workflows call what is there, and do the steps that docs/deploy.md tells of."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from deploy.__main__ import main
from deploy.smoke import KEY
from tools.paths import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in FILES}
# What runners bring along, beside the shell's own words.
BROUGHT = {"docker", "gh", "sudo", "python3", "sh"}
SHELL = {
    "[",
    "echo",
    "export",
    "if",
    "else",
    "fi",
    "image",
    "printf",
    "test",
    "timeout",
    "found",
    "repository",
}
THREE = {"render": {"RENDER_API_KEY"}, "ssh": {"DEPLOY_SSH_KEY", "DEPLOY_KNOWN_HOSTS"}}


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def lines_of(name):
    """Return each command of a workflow, as the words of its line."""
    scripts = [str(step["run"]) for step in steps(WORKFLOWS[name]) if "run" in step]
    lines = [line.strip() for script in scripts for line in script.splitlines()]
    return [shlex.split(line.replace("<<<", " ")) for line in lines if line]


COMMANDS = [(name, words) for name in WORKFLOWS for words in lines_of(name)]
PYTHONS = ("python3", ".venv/bin/python")


def test_there_are_the_four_workflows():
    assert set(WORKFLOWS) == {"ci", "deploy", "nightly", "release"}


@pytest.mark.parametrize(
    ("name", "words"), COMMANDS, ids=lambda it: it if isinstance(it, str) else " ".join(it)[:40]
)
def test_a_line_begins_with_something_that_is_there(name, words):
    first = re.split(r"=", words[0])[0]
    if first.startswith("./"):
        assert (ROOT / first).is_file()
    elif first.startswith(".venv/bin/"):
        assert (ROOT / first).is_file() or Path(first).name in ("python", "uv", "cyclonedx-py")
    else:
        assert first in BROUGHT | SHELL | {"TILLGATE_SMOKE_KEY"}, words


def words_after(*program):
    """Return what follows a program wherever it is called."""
    size = len(program)
    return [
        words[place + size :]
        for _, words in COMMANDS
        for place in range(len(words))
        if tuple(words[place : place + size]) == program
    ]


def test_every_word_of_run_exists():
    tools = {path.stem for path in (ROOT / "tools").iterdir()}
    used = {rest[0] for rest in words_after("./run")}

    assert used - {"help"} <= tools
    assert {"check", "test", "audit", "fuzz", "soak", "bench"} <= used


@pytest.mark.parametrize(
    "words",
    [rest for python in PYTHONS for rest in words_after(python, "-m", "deploy")],
    ids=lambda words: words[0],
)
def test_every_word_of_deploy_exists_and_takes_its_options(words, capsys):
    options = [word for word in words if word.startswith("--")]

    with pytest.raises(SystemExit) as ended:
        main([words[0], "--help"])

    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(option in said for option in options)


def test_deploy_uses_each_of_its_words_for_the_pipeline():
    used = {rest[0] for python in PYTHONS for rest in words_after(python, "-m", "deploy")}

    assert {"smoke", "rollout", "upgrade", "notes"} <= used


def test_every_file_that_is_named_is_there():
    for rest in words_after("sh"):
        if rest and rest[0] != "-c":
            assert (ROOT / rest[0]).is_file(), rest


@pytest.mark.parametrize("target", THREE)
def test_a_target_asks_for_at_most_three_secrets(target):
    (env,) = [step["env"] for step in steps(WORKFLOWS["deploy"]) if "rollout" in str(step.get("run"))]
    secrets = {name for name, value in env.items() if "secrets." in str(value)}

    assert secrets == {KEY} | set.union(*THREE.values())
    assert len({KEY} | THREE[target]) <= 3


def test_a_rollout_gets_every_setting_that_the_script_reads():
    (env,) = [step["env"] for step in steps(WORKFLOWS["deploy"]) if "rollout" in str(step.get("run"))]
    read = set()
    for name in ("surroundings", "__main__"):
        text = (ROOT / "deploy" / f"{name}.py").read_text(encoding="utf-8")
        read |= set(re.findall(r'(?:env\.get\(|needed\(\s*(?:env|os\.environ), )"([A-Z_]+)"', text))

    assert read - {"RENDER_API_URL"} == set(env) - {"DEPLOY_TARGET", "IMAGE", KEY}


def test_a_deployment_is_never_cut_off():
    assert WORKFLOWS["deploy"]["concurrency"]["cancel-in-progress"] is False
    assert WORKFLOWS["release"]["concurrency"]["cancel-in-progress"] is False


def test_latest_is_what_a_rollout_has_found_well_or_where_there_is_none_what_ci_has():
    jobs = WORKFLOWS["deploy"]["jobs"]
    naming = [name for name, job in jobs.items() if ":latest" in str(job)]

    assert naming == ["latest"]
    assert jobs["latest"]["needs"] == ["image", "rollout"]
    assert jobs["latest"]["if"] == (
        "!cancelled() && needs.image.result == 'success' && "
        "(needs.rollout.result == 'success' || needs.rollout.result == 'skipped')"
    )
    for script in ("choose_image.sh", "push_image.sh"):
        assert "latest" not in (ROOT / "deploy" / script).read_text(encoding="utf-8")


def test_what_is_deployed_is_what_ci_has_seen():
    for step in steps(WORKFLOWS["deploy"]):
        if "checkout" in str(step.get("uses")):
            assert step["with"]["ref"] == "${{ github.event.workflow_run.head_sha || github.sha }}"


def test_ci_runs_every_python_on_both_databases():
    (floor,) = re.findall(
        r'requires-python = ">=(3\.\d+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    )
    for database in ("sqlite", "postgresql"):
        job = WORKFLOWS["ci"]["jobs"][database]
        assert job["strategy"]["matrix"]["python"] == [floor, "3.12", "3.13", "3.14"]
        assert job["steps"][-1]["run"].startswith(f"./run test --database {database}")


def test_the_database_of_ci_is_that_of_compose():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    images = {
        service["image"]
        for job in WORKFLOWS["ci"]["jobs"].values()
        for service in job.get("services", {}).values()
    }

    assert images == {compose["services"]["db"]["image"]}


def test_a_release_looks_before_it_builds():
    said = [str(step.get("run") or step.get("uses")) for step in steps(WORKFLOWS["release"])]
    order = [
        "deploy notes",
        "gh run list",
        "./run check",
        "uv build",
        "cyclonedx-py",
        "push_image",
        "gh release",
    ]

    places = [next(number for number, one in enumerate(said) if word in one) for word in order]

    assert places == sorted(places)
    assert sum("attest-build-provenance" in one for one in said) == 2
