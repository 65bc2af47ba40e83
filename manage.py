#!/usr/bin/env python
"""For people with that habit; `./run COMMAND` sets the environment up first."""

import os
import sys

from tillgate.__main__ import main

if __name__ == "__main__":
    if sys.argv[1:2] == ["test"]:
        # The suite never runs with production's settings.
        os.environ.setdefault("TILLGATE_ENV", "local")
    main()
