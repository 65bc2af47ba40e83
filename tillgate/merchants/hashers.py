"""How passwords are stored."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class SmallArgon2(Argon2PasswordHasher):
    """Argon2id with the least that OWASP advises for one pass: 46 MiB.

    Django's own takes 100 MiB and eight threads for each sign-in; a handful at once would take a small
    server's memory away from its payments. Less than 32 MiB the C library would keep after the first time.
    """

    memory_cost = 46 * 1024
    time_cost = 1
    parallelism = 1
