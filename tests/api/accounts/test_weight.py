"""The libraries of accounts take 9 MB in each process: only who has to do with an account pays for them."""

import subprocess
import sys

SCRIPT = """
import sys
from django.test import Client
from tillgate.wsgi import application
from django.urls import get_resolver, resolve
resolve("/auth/users"), resolve("/api/v1/me/otp"), resolve("/account/reset/x/y")
Client().get("/healthz")
print(sorted({"jwt", "djoser", "cryptography", "rest_framework_simplejwt"} & set(sys.modules)))
"""


def test_a_process_that_serves_guests_loads_no_library_of_accounts():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
