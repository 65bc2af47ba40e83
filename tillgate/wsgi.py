"""The door for WSGI servers: `granian --interface wsgi tillgate.wsgi:application`."""

import gc
import os

from django.core.management.base import BaseCommand
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tillgate.settings")
application = get_wsgi_application()

# No server runs Django's checks by itself, and a dangerous setting must not take money.
BaseCommand().check(tags=["security"])

# What was loaded until here stays for good: the collector need not look at it with every request.
gc.collect()
gc.freeze()
