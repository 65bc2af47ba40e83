"""The sandbox stands alone: nothing of the product, and nothing to install but what signs as PayPal does."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "sandbox"
ALLOWED = sys.stdlib_module_names | {"sandbox"}
SIGNERS = ("paypal/authority.py", "paypal/certificates.py")  # Nothing in the standard library signs.


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_only_the_standard_library_is_imported(path: Path) -> None:
    signs = str(path.relative_to(FOLDER)) in SIGNERS

    assert imported(path) <= ALLOWED | ({"cryptography"} if signs else set())
