"""`./run doctor`: what is well with this installation, what is not, and what to do about it."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from tillgate.common.doctor import Verdict
from tillgate.common.doctor.run import examine_all, worst

CONNECT_WITHIN_S = 4


class Command(BaseCommand):
    help = "Examine this installation, one line a finding; exit status 1 when something is broken."
    requires_system_checks = ()  # What they say is among the findings.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *, json: bool, **options: Any) -> None:
        if connection.vendor == "postgresql":
            connection.settings_dict["OPTIONS"].setdefault("connect_timeout", CONNECT_WITHIN_S)
        findings = examine_all()
        verdict = worst(findings)
        self.stdout.write(_as_json(verdict, findings) if json else "\n".join(map(str, findings)))
        if verdict == Verdict.BROKEN:
            sys.exit(1)


def _as_json(verdict: Verdict, findings: list[Any]) -> str:
    return json.dumps({"verdict": verdict, "findings": [asdict(finding) for finding in findings]}, indent=2)
