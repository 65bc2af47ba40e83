from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.apps import AppConfig

TOLD_OF = ("PAY", "REF", "DIS", "SUB", "WHE")  # What has a shape in `shapes/told.py`.


class ApiConfig(AppConfig):
    name = "tillgate.api"
    label = "api"

    def ready(self) -> None:
        from tillgate.events.services.outbox import Kind, tell_of

        for prefix in TOLD_OF:
            made_since = _made_since if prefix == "PAY" else None
            tell_of(prefix, Kind(find=_find, show=_show, made_since=made_since))


# The shapes are loaded when they are needed: a process that tells nobody does without them.
def _find(reference: str) -> Any:
    from tillgate.api.shapes import told

    return told.find(reference)


def _show(row: Any) -> bytes:
    from tillgate.api.shapes import told

    return told.show(row)


def _made_since(merchant_id: int, mode: str, since: datetime) -> Iterable[Any]:
    from tillgate.api.shapes import told

    return told.made_since(merchant_id, mode, since)
