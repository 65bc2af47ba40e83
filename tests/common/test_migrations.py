"""While a deployment goes on, and after a rollback, two versions share the tables: migrations only add."""

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations import operations
from django.db.migrations.loader import MigrationLoader
from django.db.models.fields import NOT_PROVIDED

# The first release is made of these; nobody runs an older one.
BEFORE_THE_FIRST_RELEASE = {
    ("common", "0002_restoration"),
    ("customers", "0001_initial"),
    ("events", "0003_outbox"),
    ("inbox", "0006_an_event_once_a_merchant"),
    ("ledger", "0002_append_only"),
    ("merchants", "0010_invitations"),
    ("payments", "0005_answered"),
    ("subscriptions", "0002_account"),
}
# No index on a table that has rows: PostgreSQL keeps writers out while it is built, unless CONCURRENTLY.
HARMLESS = (operations.CreateModel, operations.AlterModelOptions)


def problems_of(operation):
    """Say why the version before could not run on the tables that an operation leaves."""
    if isinstance(operation, operations.AddField):
        field = operation.field
        if field.null or field.db_default is not NOT_PROVIDED or field.many_to_many:
            return ""
        return (
            f"{operation.name}: the version before writes rows without it. Give it null=True or db_default."
        )
    if isinstance(operation, operations.SeparateDatabaseAndState):
        return next(filter(None, map(problems_of, operation.database_operations)), "")
    if isinstance(operation, HARMLESS):
        return ""
    return f"{operation.describe()}: the version before may not bear it. Do it one release later."


def later_migrations():
    loader = MigrationLoader(connection)
    labels = {config.label for config in apps.get_app_configs() if config.name.startswith("tillgate")}
    released = set()
    for tip in BEFORE_THE_FIRST_RELEASE:
        released |= set(loader.graph.forwards_plan(tip))
    return [
        loader.disk_migrations[node] for node in set(loader.disk_migrations) - released if node[0] in labels
    ]


@pytest.mark.django_db
def test_migrations_after_the_first_release_only_add():
    found = [
        f"{migration}: {problem}"
        for migration in later_migrations()
        for problem in map(problems_of, migration.operations)
        if problem
    ]

    assert found == []


@pytest.mark.parametrize(
    "operation",
    [
        operations.RemoveField("Payment", "status"),
        operations.RenameField("Payment", "status", "state"),
        operations.DeleteModel("Payment"),
        operations.AlterField("Payment", "status", models.CharField(max_length=2)),
        operations.AddField("Payment", "new", models.IntegerField(default=1)),
        operations.RunSQL("SELECT 1"),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_what_the_version_before_cannot_bear_is_found(operation):
    assert problems_of(operation)


def test_a_column_that_may_stay_empty_is_borne():
    field = models.IntegerField(null=True)

    assert problems_of(operations.AddField("Payment", "new", field)) == ""
