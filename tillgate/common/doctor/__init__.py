"""`./run doctor`: what is well with an installation, what is not, and what to do about it.

Each room has what it examines in its module `doctor`; what is common to all is here.
"""

from tillgate.common.doctor.findings import (
    Finding,
    Verdict,
    broken,
    examination,
    look,
    ok,
    secrets_open,
    waiting,
)

__all__ = ["Finding", "Verdict", "broken", "examination", "look", "ok", "secrets_open", "waiting"]

# They use the names above.
from tillgate.common.doctor import database, machine, work  # noqa: F401
