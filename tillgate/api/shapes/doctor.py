"""What the doctor found, on the wire."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from tillgate.api.shapes.common import Time, instant, one_of
from tillgate.common.doctor import Finding, Verdict
from tillgate.common.doctor.run import worst
from tillgate.common.jobs.times import real_now

VerdictName = Annotated[str, one_of(Verdict)]


class FindingOut(msgspec.Struct, kw_only=True):
    """One thing that was looked at: how it is, what was seen, and what to do where it is not well."""

    about: str
    verdict: VerdictName
    seen: str
    fix: str | None


class DoctorOut(msgspec.Struct, kw_only=True):
    """An examination of the installation; `verdict` is that of its worst finding."""

    verdict: VerdictName
    examined_at: Time
    findings: list[FindingOut]


def doctor_out(findings: Sequence[Finding]) -> DoctorOut:
    """What was found, as it was found."""
    return DoctorOut(
        verdict=worst(findings),
        examined_at=instant(real_now()),
        findings=[
            FindingOut(about=one.about, verdict=one.verdict, seen=one.seen, fix=one.fix or None)
            for one in findings
        ],
    )
