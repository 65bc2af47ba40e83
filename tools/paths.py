"""Where things are in the repository."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def python_files(*packages: str) -> Iterator[Path]:
    """Return the Python files of packages in a fixed order, without migrations."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def parse(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def short(path: Path) -> str:
    """Return a path as people write it: relative to the repository."""
    return str(path.relative_to(ROOT))
