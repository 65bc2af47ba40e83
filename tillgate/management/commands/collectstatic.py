"""`./run collectstatic`: the pages' files, compressed and named by their content, for production."""

from typing import Any

from django.conf import settings
from django.contrib.staticfiles.management.commands import collectstatic
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Command(collectstatic.Command):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Not the configured one: until the files are collected, that one serves them from where they are.
        self.storage = CompressedManifestStaticFilesStorage(location=settings.COLLECTED_ROOT)
