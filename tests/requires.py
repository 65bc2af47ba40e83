"""Skips that are failures where the thing must be: `TILLGATE_REQUIRE=postgresql,browser,contracts,node`."""

import os
from typing import NoReturn

import pytest


def is_required(what: str) -> bool:
    """Say whether this machine promised to have `what`, so that its absence is a failure."""
    return what in os.environ.get("TILLGATE_REQUIRE", "").replace(" ", "").split(",")


def skip_without(what: str, reason: str) -> NoReturn:
    """Skip the running test, or fail it where `what` is required."""
    if is_required(what):
        pytest.fail(f"{what} is required here (TILLGATE_REQUIRE), but: {reason}", pytrace=False)
    pytest.skip(reason)
