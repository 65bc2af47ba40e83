"""Secrets that are made once and kept beside the data, readable by their owner alone."""

import os
from pathlib import Path


def secret_file(path: Path, value: str) -> Path:
    """Write `value` into a new file that only its owner reads; a file that exists keeps its value."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(value)
    return path
