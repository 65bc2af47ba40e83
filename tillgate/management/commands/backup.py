"""`./run backup [FILE]`: the whole database in one encrypted file, as of one moment, while payments go on."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tillgate.common.jobs.times import real_now
from tillgate.management.backups import tables
from tillgate.management.backups.archive import Writer

SUFFIX = ".tillgate-backup"


class Command(BaseCommand):
    help = "Write the whole database into one file, encrypted with TILLGATE_ENCRYPTION_KEYS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file",
            nargs="?",
            help="where to; - is the standard output (default: backups/ in the data directory)",
        )
        parser.add_argument(
            "--keep", type=int, help="leave the newest KEEP in the default folder, remove others"
        )

    def handle(self, *args: Any, file: str | None, keep: int | None, **options: Any) -> None:
        if keep is not None and (file or keep < 1):
            raise CommandError("--keep is for the default folder, and leaves at least 1.")
        if file == "-":
            write_backup(sys.stdout.buffer)
            return
        path = Path(file) if file else new_path()
        rows = write_backup_file(path)
        self.stdout.write(f"{path}: {rows} rows, {path.stat().st_size} bytes.")
        for old in _older(keep):
            old.unlink()
            self.stdout.write(f"{old}: removed.")


def write_backup_file(path: Path) -> int:
    """Write a backup that only its owner reads; the file is there once it is whole. Return the rows in it."""
    if path.exists():
        raise CommandError(f"{path} exists. Choose another name: a backup is not written over.")
    partial = path.with_name(f"{path.name}.partial")
    try:
        with open(partial, "xb", opener=_private) as file:
            rows = write_backup(file)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise CommandError(
            f"{partial} exists: another backup is being written, or one broke off. Remove it."
        ) from None
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    partial.rename(path)
    return rows


def write_backup(file: BinaryIO) -> int:
    """Write a backup; return how many rows are in it. Raises CommandError where this version cannot."""
    writer, rows = Writer(file), 0
    try:
        for record in tables.dump():
            writer.write(record)
            rows += isinstance(record, list)
    except tables.NotNow as reason:
        raise CommandError(str(reason)) from None
    writer.close()
    return rows


def new_path() -> Path:
    """Return a name in the default folder that sorts by time."""
    folder = settings.TILLGATE_DATA_DIR / "backups"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(folder / f"{real_now():%Y%m%dT%H%M%S.%fZ}{SUFFIX}")


def _older(keep: int | None) -> list[Path]:
    folder = settings.TILLGATE_DATA_DIR / "backups"
    return sorted(folder.glob(f"*{SUFFIX}"))[:-keep] if keep else []


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
