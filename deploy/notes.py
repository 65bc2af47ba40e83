"""`python -m deploy notes VERSION`: what CHANGELOG.md says of a version."""

import re
import tomllib
from pathlib import Path

from deploy.failed import Failed

ROOT = Path(__file__).resolve().parent.parent


def notes_of(version: str, changelog: str) -> str:
    """Return a version's section without its heading. Raises Failed where there is none, or an empty one."""
    heading = re.compile(rf"^## \[?{re.escape(version)}\]?(?=\s|$).*\n", re.MULTILINE)
    if not (found := heading.search(changelog)):
        raise Failed(
            f"CHANGELOG.md has no section '## {version}'. Give what is under 'Unreleased' that name."
        )
    section = re.split(r"^## ", changelog[found.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not section:
        raise Failed(f"The section '## {version}' of CHANGELOG.md is empty.")
    return section


def version_here() -> str:
    """Return the version in pyproject.toml, which is the one source of it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def notes(version: str, *, tag: bool = False) -> str:
    """Return the notes of a version, or of the tag v<version>. Raises Failed where pyproject.toml differs."""
    if tag:
        if version != f"v{version_here()}":
            raise Failed(
                f"The tag {version} and pyproject.toml's version {version_here()} are not of one release."
            )
        version = version_here()
    return notes_of(version, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
