"""Who attacks, and what they attack: callers of the API, and the worlds of the gateways."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import guest, live_owner, owner, stranger  # noqa: F401
from tests.reliability.conftest import accounts, world  # noqa: F401
from tillgate.gateways.registry import GATEWAYS


def at(*names: str) -> Any:
    """Run a test in the world of these gateways, or of each."""
    return pytest.mark.parametrize("world", names or tuple(GATEWAYS), indirect=True)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Where the emulated PayPal keeps the keys that it signs with."""
    return tmp_path / "sandbox"
