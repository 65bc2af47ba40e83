"""docs/deploy.md: each command, name and link of it is real."""

import re

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from deploy.__main__ import main
from deploy.smoke import KEY
from launcher.__main__ import WORDS
from tools.paths import ROOT

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
PLAIN = re.sub(r"\\\n\s+", "", PAGE)
DEPLOY = sorted(set(re.findall(r"python3? -m deploy ([a-z]+)([^\n`]*)", PLAIN)))
COMMANDS = sorted(set(re.findall(r"(?:python -m launcher|\./run) ([a-z][a-z-]+)([^\n`)]*)", PLAIN)))
STEP = next(
    step
    for step in yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())["jobs"]["rollout"][
        "steps"
    ]
    if "rollout" in str(step.get("run"))
)


@pytest.mark.parametrize(("word", "rest"), DEPLOY)
def test_a_step_exists_and_takes_these_options(word, rest, capsys):
    with pytest.raises(SystemExit) as ended:
        main([word, "--help"])

    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(option in said for option in re.findall(r"--[a-z-]+", rest))


def test_every_step_is_on_the_page():
    assert {word for word, _ in DEPLOY} == {"wait", "smoke", "rollout", "upgrade", "notes"}


@pytest.mark.parametrize(("word", "rest"), COMMANDS)
def test_a_command_of_the_product_exists_and_takes_these_options(word, rest):
    if word in {*WORDS, "check"}:
        return
    name = word.replace("-", "_")
    assert name in get_commands()
    command = load_command_class(get_commands()[name], name)
    said = command.create_parser("run", name).format_help()
    assert all(option in said for option in re.findall(r"--[a-z-]+", rest))


def test_the_page_names_each_setting_of_the_workflow_and_no_other():
    named = set(re.findall(r"`((?:DEPLOY|RENDER|TILLGATE)_[A-Z_]+)`", PAGE))

    assert set(STEP["env"]) - {"IMAGE"} == named - {"TILLGATE_DOMAIN", "TILLGATE_IMAGE"}


@pytest.mark.parametrize("target", ["2a. Render", "2b. A server of your own"])
def test_each_way_asks_for_at_most_three_secrets_and_says_which_are_secret(target):
    section = PAGE.split(f"## {target}")[1].split("\n## ")[0]
    secrets = set(re.findall(r"^\| secret \| `([A-Z_]+)`", section, re.MULTILINE))
    variables = set(re.findall(r"^\| variable \| `([A-Z_]+)`", section, re.MULTILINE))

    assert KEY in secrets
    assert len(secrets) <= 3
    assert all("secrets." in STEP["env"][name] for name in secrets)
    assert all("vars." in STEP["env"][name] for name in variables)


def test_every_link_leads_somewhere():
    for path, part in re.findall(r"\]\(([\w./-]*)(#[\w-]+)?\)", PAGE):
        text = (ROOT / "docs" / path).read_text(encoding="utf-8") if path else PAGE
        headings = ["#" + re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in titles(text)]
        assert not part or part in headings, part


def titles(text):
    return [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]


def test_every_file_that_is_copied_is_there():
    copied = re.findall(
        r"(?:scp|sh|install)(?: -\S+ ?\S*)* ((?:[a-z./-]*(?:compose|deploy/)[\w./-]* ?)+)", PLAIN
    )
    files = {name for words in copied for name in words.split() if name.startswith(("compose", "deploy/"))}

    assert {
        "compose.yaml",
        "deploy/Caddyfile",
        "deploy/make-secrets.sh",
        "deploy/compose.env.example",
    } <= files
    assert all((ROOT / name).is_file() for name in files)


def test_what_the_page_quotes_of_the_log_is_what_the_steps_say():
    source = "\n".join(path.read_text() for path in (ROOT / "deploy").glob("*.py"))
    quoted = re.findall(r"^\| `([^`]+)` \|", PAGE.split("## When it fails")[1], re.MULTILINE)

    for words in quoted:
        first = re.split(r" …| 300", words)[0]
        assert first in source or first.startswith("Host key verification"), words
