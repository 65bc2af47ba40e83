"""Whether this machine has room, and can send mail."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import get_connection
from django.db import connection

from tillgate.common.doctor.findings import Finding, broken, examination, look, ok
from tillgate.common.logs import redact
from tillgate.common.mail import own_address

MEGABYTE = 1_000_000
FULL, NEARLY_FULL = 100 * MEGABYTE, 500 * MEGABYTE
ROOMY, LITTLE = 5_000 * MEGABYTE, 0.1  # Below the first, a tenth is little.
MAIL_WITHIN_S = 4
SMTP = "django.core.mail.backends.smtp.EmailBackend"
SET_EMAIL = "Set EMAIL_URL to your mail server, such as smtp+tls://user:password@mail.example.com:587."


@examination("disk", reads=False)
def disk() -> Iterator[Finding]:
    """Whether there is room where data are kept."""
    folders = {Path(settings.TILLGATE_DATA_DIR)}
    if connection.vendor == "sqlite":
        folders.add(Path(str(connection.settings_dict["NAME"])).parent)
    for folder in sorted(folders):
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            yield broken(
                f"{folder} cannot be written to.", "Make it, owned by the user that Tillgate runs as."
            )
        else:
            yield _room(folder)


@examination("mail", reads=False)
def mail() -> Iterator[Finding]:
    """Whether the mail server lets us in; nothing is sent."""
    backend = settings.EMAIL_BACKEND
    if backend == SMTP:
        yield _logged_in()
    elif backend.endswith("filebased.EmailBackend"):
        folder: object = settings.EMAIL_FILE_PATH  # type: ignore[misc]
        yield _nowhere(f"Mails are written into files in {folder}, and sent to nobody.")
    else:
        yield _nowhere(f"Mails go to {backend.split('.')[-2]}, and to nobody.")


def _room(folder: Path) -> Finding:
    total, _, free = shutil.disk_usage(folder)
    room = f"{free / MEGABYTE:,.0f} MB of {total / MEGABYTE:,.0f} MB are free at {folder}"
    fix = "Make room, or give it a larger disk: nothing can be taken down when it is full."
    if free < FULL:
        return broken(f"{room}.", fix)
    if free < NEARLY_FULL or (free < ROOMY and free < LITTLE * total):
        return look(f"{room}.", fix)
    return ok(f"{room}.")


def _nowhere(seen: str) -> Finding:
    return ok(seen) if settings.IS_LOCAL else broken(seen, SET_EMAIL)


def _logged_in() -> Finding:
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    server: Any = get_connection(timeout=MAIL_WITHIN_S)
    try:
        server.open()
    except OSError as error:  # What the library raises of its own is one, too.
        reason = " ".join(redact(str(error)).split())[:200]
        return broken(f"{where} does not let us in: {reason or type(error).__name__}.", SET_EMAIL)
    finally:
        server.close()
    how = "lets us in" if settings.EMAIL_HOST_USER else "answers, without a login"
    return ok(f"{where} {how}; mails come from {own_address()}.")
