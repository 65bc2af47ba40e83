"""`python -m tillgate COMMAND`: Django's command line; `./run COMMAND` sets the environment up before."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run a management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tillgate.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
