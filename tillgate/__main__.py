"""`python -m tillgate COMMAND`: Django's command line; `./run COMMAND` sets the environment up before."""

import os
import re
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError

NOTHING_THERE = re.compile(r"no such table|(relation|database) \S+ does not exist")


def main() -> None:
    """Run a management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tillgate.settings")
    try:
        execute_from_command_line(sys.argv)
    except (OperationalError, ProgrammingError) as error:
        if not NOTHING_THERE.search(str(error)):
            raise
        sys.exit(
            f"{str(error).strip()}\nThe database has no tables, or is not there: `./run prepare` makes them. "
            "Or TILLGATE_DATA_DIR or DATABASE_URL name another one than you meant."
        )


if __name__ == "__main__":
    main()
