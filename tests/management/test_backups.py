"""What a backup's file is worth: whole, or refused with the reason; and what may be backed up and filled."""

import io
import re

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder

from tests.builders import make_payment
from tillgate.management.backups import archive, tables
from tillgate.management.backups.archive import Unreadable, Writer, read_records
from tillgate.management.commands.backup import SUFFIX

OTHER_KEY = "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3Q="
RECORDS = [{"made_at": "2026-11-29T10:00:00Z"}, *[["row", number, "x" * 100] for number in range(40)]]


def file_of(records, chunk_bytes=1_000):
    """A backup's file, in many chunks."""
    file = io.BytesIO()
    archive.CHUNK_BYTES, before = chunk_bytes, archive.CHUNK_BYTES
    try:
        writer = Writer(file)
        for record in records:
            writer.write(record)
        writer.close()
    finally:
        archive.CHUNK_BYTES = before
    return file.getvalue()


def read(data):
    return list(read_records(io.BytesIO(data)))


def test_what_was_written_is_read():
    data = file_of(RECORDS)

    assert data.count(b"\n") > 4
    assert read(data) == RECORDS
    assert b"xxx" not in data


@pytest.mark.parametrize("lines", [[0], [0, 1], [0, 1, 2, -1], [0, 2, 1], [0, 1, 1], [0, 2]])
def test_a_file_with_lines_left_out_or_moved_is_refused(lines):
    whole = file_of(RECORDS).splitlines(keepends=True)

    with pytest.raises(Unreadable, match=r"ends too early|are missing"):
        read(b"".join(whole[line] for line in lines))


def test_lines_of_another_backup_are_refused():
    one, other = (file_of(RECORDS).splitlines(keepends=True) for _ in range(2))

    with pytest.raises(Unreadable, match="not of it"):
        read(b"".join([*one[:2], *other[2:]]))


def test_what_follows_the_end_is_refused():
    one = file_of(RECORDS)

    with pytest.raises(Unreadable, match="not of it"):
        read(one + one.splitlines(keepends=True)[1])


def test_each_changed_byte_is_found():
    data = file_of(RECORDS[:3])

    for place in range(0, len(data), 97):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(Unreadable):
            read(bytes(changed))


@pytest.mark.parametrize("data", [b"", b"tillgate backup 2\n", b"PGDMP\x01\x0e", b"\n" * 100])
def test_another_file_is_no_backup(data):
    with pytest.raises(Unreadable, match="no backup that"):
        read(data)


def test_without_its_key_nothing_opens_it_and_with_a_former_one_it_opens(settings):
    data = file_of(RECORDS)
    written_by = settings.TILLGATE_ENCRYPTION_KEYS
    settings.TILLGATE_ENCRYPTION_KEYS = (OTHER_KEY,)

    with pytest.raises(Unreadable, match="TILLGATE_ENCRYPTION_KEYS"):
        read(data)
    settings.TILLGATE_ENCRYPTION_KEYS = (OTHER_KEY, *written_by)
    assert read(data) == RECORDS


def test_a_database_with_rows_is_not_filled(merchant):
    make_payment(merchant)

    with pytest.raises(tables.NotNow, match=r"has rows already .* empty one"):
        tables.load(iter([{}]))


@pytest.mark.django_db
def test_tables_that_a_newer_version_has_changed_are_not_backed_up_by_halves():
    MigrationRecorder.Migration.objects.create(app="payments", name="0099_of_tomorrow")

    with pytest.raises(tables.NotNow, match=r"payments\.0099_of_tomorrow.*that version"):
        next(tables.dump())


@pytest.mark.django_db
def test_a_backup_of_a_newer_version_is_not_restored_by_halves(monkeypatch):
    monkeypatch.setattr(tables, "_require_empty", lambda: None)  # The suite's own has its first rows.

    with pytest.raises(tables.NotNow, match=r"payments\.0099_of_tomorrow"):
        tables.load(
            iter([{"made_at": "2026-11-29T10:00:00Z", "migrations": [["payments", "0099_of_tomorrow"]]}])
        )


@pytest.mark.parametrize("counts", [{"a.A": 2}, {"a.A": 1, "b.B": 0}, None])
def test_a_backup_that_has_not_the_rows_it_tells_of_is_refused(counts):
    end = [{"counts": counts}] if counts else []

    with pytest.raises(Unreadable, match="as many rows"):
        tables.check([{"made_at": ""}, {"table": "a.A", "columns": ["id"]}, [1], *end])


def test_a_file_that_exists_is_not_written_over(tmp_path, merchant):
    (tmp_path / "kept").write_text("something")

    with pytest.raises(CommandError, match="not written over"):
        call_command("backup", str(tmp_path / "kept"))

    assert (tmp_path / "kept").read_text() == "something"


def test_a_file_is_named_once_it_is_whole(tmp_path, merchant, monkeypatch):
    def breaks_off():
        yield {"made_at": ""}
        raise OSError("the disk is full")

    monkeypatch.setattr(tables, "dump", breaks_off)

    with pytest.raises(OSError, match="disk is full"):
        call_command("backup", str(tmp_path / "new"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_the_newest_are_kept(tmp_path, settings, merchant):
    settings.TILLGATE_DATA_DIR = tmp_path
    for _ in range(3):
        call_command("backup", "--keep", "2", stdout=io.StringIO())

    names = [path.name for path in (tmp_path / "backups").iterdir()]
    assert len(names) == 2
    assert all(re.fullmatch(rf"\d{{8}}T\d{{6}}\.\d{{6}}Z{re.escape(SUFFIX)}", name) for name in names)


@pytest.mark.parametrize("words", [["--keep", "0"], ["some-file", "--keep", "3"]])
def test_what_would_remove_other_files_is_refused(words, merchant):
    with pytest.raises(CommandError, match="--keep is for the default folder"):
        call_command("backup", *words)
