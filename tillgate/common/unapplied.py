"""Whether the tables are as this code knows them: by the names of its migrations, none of which is loaded."""

import pkgutil
from importlib.util import find_spec

from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder


def unapplied() -> list[str]:
    """Return the migrations that this code has and the database does not, such as `payments.0001_initial`."""
    applied = MigrationRecorder(connection).applied_migrations()
    return [f"{label}.{name}" for label, name in _known() if (label, name) not in applied]


def _known() -> list[tuple[str, str]]:
    found = []
    for app in apps.get_app_configs():
        # Looked for and not imported: migrations would stay in the memory of every process that asks.
        spec = find_spec(f"{app.name}.migrations")
        places = (spec and spec.submodule_search_locations) or ()
        found += [(app.label, module.name) for module in pkgutil.iter_modules(places)]
    return sorted(found)
