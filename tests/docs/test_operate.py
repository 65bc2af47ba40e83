"""The page for operators names no command, setting, metric, code or line of the log that there is not."""

import re

import pytest
import yaml
from django.core.management import get_commands
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from launcher.__main__ import WORDS
from tools.paths import ROOT

TEXT = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
SYMPTOMS = SECTIONS["Troubleshooting by symptom"]
CODE = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tillgate").rglob("*.py")))
SETTINGS = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
COMMANDS = r"\./run (?!for everything)([a-z][\w-]*)"
# Settings have an underscore; the ends of several are told of as such.
NAMES = r"\b([A-Z]+(?:_[A-Z]+)+)\b"


def named(pattern: str, text: str = TEXT) -> list[str]:
    return sorted(set(re.findall(pattern, text)))


def words() -> set[str]:
    """All that may follow `./run`."""
    script = (ROOT / "run").read_text(encoding="utf-8")
    tools = {
        word for line in re.findall(r"^ +([a-z |]+)\) ", script, re.MULTILINE) for word in line.split(" | ")
    }
    return {*WORDS, *tools, *(name.replace("_", "-") for name in get_commands())}


def test_it_names_enough_to_be_worth_checking():
    assert len(named(COMMANDS)) >= 10
    assert len(re.findall(r"^\*\*.+?\*\*", SYMPTOMS, re.MULTILINE)) >= 15
    assert len(named(NAMES)) >= 15


@pytest.mark.parametrize("word", named(COMMANDS))
def test_every_command_is_there(word):
    assert word in words()


def test_a_command_that_is_not_would_be_seen():
    assert "mend-everything" not in words()
    assert {"web", "doctor", "check", "demo", "verify-ledger"} <= words()


@pytest.mark.parametrize("name", named(NAMES))
def test_every_setting_is_there(name):
    assert name.removesuffix("_FILE") in SETTINGS


@pytest.mark.parametrize("name", named(r"`((?!tillgate_)[a-z]+(?:_[a-z]+)+)`", SECTIONS["Logs"] + SYMPTOMS))
def test_every_code_and_line_of_the_log_is_in_the_code(name):
    assert re.search(rf"\b{name}\b", CODE)


@pytest.mark.django_db
def test_every_metric_is_in_the_table_and_no_other(merchant):
    Client().get("/nothing")
    shown = {
        family.name + "_total" * (family.type == "counter")
        for family in text_string_to_metric_families(Client().get("/metrics").content.decode())
    }
    table = {
        name
        for row in TEXT.splitlines()
        if row.startswith("| `tillgate_")
        for name in re.findall(r"`(tillgate_\w+)`", row)
    }

    assert table == shown | {"tillgate_worker_last_sign_seconds"}


def test_what_is_to_be_copied_is_yaml_and_alerts_use_metrics_of_the_table():
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
    rules = blocks[1]["groups"][0]["rules"]

    assert blocks[0]["scrape_configs"][0]["job_name"] == "tillgate"
    assert len(rules) >= 8
    used = {name for rule in rules for name in re.findall(r"\btillgate_\w+", rule["expr"])}
    assert {name.removesuffix("_count") for name in used} <= set(named(r"`(tillgate_\w+)`"))


def test_the_sections_that_an_operator_looks_for_are_there():
    wanted = "Doctor, Health and readiness, Metrics, Logs, Upgrading, Backing up, Restoring"

    assert {*wanted.split(", "), "Troubleshooting by symptom"} <= set(SECTIONS)
