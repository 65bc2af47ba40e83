"""The gateways' own specifications and examples, which stand beside the repository and not in it."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.requires import skip_without

FOLDER = Path(__file__).parents[2] / "../shared/contracts"


def example(name: str) -> dict[str, Any]:
    """One official example, such as `paystack/verify_success.json`; skips where the folder is missing."""
    gateway, _, file = name.partition("/")
    return dict(json.loads(_existing(f"{gateway}/examples/{file}").read_bytes()))


@cache
def specification(name: str) -> dict[str, Any]:
    """One OpenAPI document, such as `paystack/paystack-openapi.yaml`; skips where the folder is missing."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return dict(yaml.load(_existing(name).read_bytes(), Loader=loader))


def _existing(name: str) -> Path:
    path = FOLDER / name
    if not path.is_file():
        skip_without(
            "contracts", f"../shared/contracts/{name} is not here; the test reads it and nothing else"
        )
    return path
