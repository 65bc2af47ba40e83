"""Whether there is a database at all."""

from django.db import Error, connection


def answers() -> bool:
    """Ask it something. A connection from before the database was started again is made anew."""
    return _answers() or _answers()


def _answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        connection.close()
        return False
    return True
