"""Whether the pages' files were collected as they are now: compressed, named by content, kept for good."""

import os
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders


def is_due() -> bool:
    """Say whether production would serve files that are not collected, or others than this version's."""
    if settings.IS_LOCAL:
        return False
    root = Path(settings.COLLECTED_ROOT)
    manifest = root / "staticfiles.json"
    if not os.access(root if root.exists() else root.parent, os.W_OK):
        return False  # An image's: collected when it was built.
    return not manifest.is_file() or _newest() > manifest.stat().st_mtime


def _newest() -> float:
    files = (storage.path(name) for finder in get_finders() for name, storage in finder.list([]))
    return max(os.stat(path).st_mtime for path in files)
