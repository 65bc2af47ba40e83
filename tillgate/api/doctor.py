"""/api/v1/doctor: how the installation is, for whoever runs it."""

import threading

from django.http import HttpResponse
from rest_framework.request import Request

from tillgate.api.permissions import Operators
from tillgate.api.schema import documented
from tillgate.api.shapes.doctor import doctor_out
from tillgate.api.views import ApiView, success
from tillgate.common.doctor.run import examine_all
from tillgate.common.errors import TooMany

RETRY_AFTER_S = 5
_at_work = threading.Lock()  # Each holds a thread of the web server, and asks the mail server.


class Doctor(ApiView):
    """/api/v1/doctor"""

    http_method_names = ["get", "head"]
    admits = {"GET": Operators()}

    @documented("examine_installation")
    def get(self, request: Request) -> HttpResponse:
        if not _at_work.acquire(blocking=False):
            wait = {"Retry-After": str(RETRY_AFTER_S)}
            raise TooMany("The installation is being examined just now. Ask again in a moment.", headers=wait)
        try:
            findings = examine_all()
        finally:
            _at_work.release()
        return success("doctor", doctor_out(findings), "The installation was examined.")
