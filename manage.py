#!/usr/bin/env python
"""Django's own command line; `./run COMMAND` sets the environment up and ends here."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tillgate.settings")
    if sys.argv[1:2] == ["test"]:
        # The suite never runs with production's settings.
        os.environ.setdefault("TILLGATE_ENV", "local")
    execute_from_command_line(sys.argv)
