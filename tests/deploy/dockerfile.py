"""The Dockerfile and .dockerignore as their readers understand them, as far as ours go."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher.environment import ROOT


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction in its stage, which counts from nought at the first FROM; before that it is -1."""

    word: str
    text: str
    stage: int

    def list(self) -> list[Any]:
        """Return what the exec form lists. Raises ValueError for the shell form."""
        found: list[Any] = json.loads(self.text[self.text.index("[") :])
        return found


def instructions(text: str) -> list[Instruction]:
    """Return the instructions, each on one line as the builder reads it."""
    bare = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    stage, found = -1, []
    for line in filter(str.strip, re.sub(r"\\\n", "", bare).splitlines()):
        word, _, rest = line.strip().partition(" ")
        stage += word == "FROM"
        found.append(Instruction(word=word, text=rest.strip(), stage=stage))
    return found


def ignore_rules(text: str) -> list[tuple[re.Pattern[str], bool]]:
    """Return each pattern of a .dockerignore, and whether it keeps out what it matches."""
    lines = [line.strip() for line in text.splitlines()]
    return [
        (_pattern(line.removeprefix("!").strip("/")), not line.startswith("!"))
        for line in lines
        if line and not line.startswith("#")
    ]


def is_sent(path: str, rules: list[tuple[re.Pattern[str], bool]]) -> bool:
    """Say whether the builder gets that path: the last pattern decides that matches it or a folder above."""
    parts = path.split("/")
    above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    kept_out = False
    for pattern, keeps_out in rules:
        if any(pattern.fullmatch(one) for one in above):
            kept_out = keeps_out
    return not kept_out


def sent_files() -> Iterator[str]:
    """Yield every file of this tree that the builder gets."""
    rules = ignore_rules((ROOT / ".dockerignore").read_text(encoding="utf-8"))
    tops = [path for path in ROOT.iterdir() if path.name not in {".git", ".venv"}]
    for path in (below for top in tops for below in _files(top)):
        name = path.relative_to(ROOT).as_posix()
        if is_sent(name, rules):
            yield name


def _files(path: Path) -> Iterator[Path]:
    return (one for one in path.rglob("*") if one.is_file()) if path.is_dir() else iter([path])


def _pattern(text: str) -> re.Pattern[str]:
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", text)
    return re.compile("".join(wild.get(part, re.escape(part)) for part in parts))
