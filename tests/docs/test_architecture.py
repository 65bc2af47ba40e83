import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text()
PATHS = sorted(
    set(
        re.findall(r"(?:tillgate|sandbox|launcher|deploy|tools|tests|docs)/[\w/]*(?:\.py|\.md|\.toml)?", TEXT)
    )
)
NAMES = sorted(set(re.findall(r": `([A-Za-z_]+)`|`([A-Z_]{4,})`|→ `([a-z_]+)`", TEXT)))


def test_the_map_names_enough_to_be_worth_checking():
    assert len(PATHS) > 20
    assert len(NAMES) > 8


@pytest.mark.parametrize("path", PATHS)
def test_every_file_on_the_map_exists(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", ["".join(groups) for groups in NAMES])
def test_every_function_on_the_map_exists(name):
    files = (path for package in ("tillgate", "launcher") for path in (ROOT / package).rglob("*.py"))
    source = "\n".join(path.read_text() for path in files)

    assert re.search(rf"^(?:def|class) {name}\b|^{name}\b.* = ", source, re.MULTILINE)
