"""Whether a worker lives, as the installation's own doctor sees it: without one, no payment completes."""

import re
import time
from typing import Any

from deploy.failed import Failed, NoAnswer
from deploy.http import SHOWN, Answer, Client
from deploy.ready import Say

DOCTOR = "/doctor"
# A worker gives a sign of life every few seconds. The doctor is content with one of a minute ago, which may
# be that of the former version: so it must be younger than our first question, or still be well after that.
SIGN = re.compile(r"at work (\d+) s ago")
CERTAIN_AFTER_S, POLL_EVERY_S = 75.0, 2.0
WELL = "ok"
KEY_NEEDS = "It needs the scopes create, read and admin: ./run create-key --mode test --name smoke"


def refuse_bad_key(shop: Client) -> None:
    """Raise Failed where what runs now does not know the key, or does not let it see the doctor."""
    try:
        answer = shop.get(DOCTOR)
    except NoAnswer:
        return  # What is down is deployed to all the same.
    _refuse(answer)


def see_worker(shop: Client, say: Say) -> None:
    """Return once a worker was seen at work since this was called. Raises Failed where none is."""
    began = time.monotonic()
    while True:
        passed_s = time.monotonic() - began
        answer = shop.get(DOCTOR)
        _refuse(answer)
        findings = answer.json(200)["doctor"]["findings"]
        sign = next(one for one in findings if one["about"] == "worker")
        age = SIGN.search(sign["seen"])
        is_late = passed_s > CERTAIN_AFTER_S
        if sign["verdict"] == WELL and (is_late or (age and int(age[1]) < passed_s)):
            _tell(findings, say)
            return
        if is_late:
            raise Failed(f"No worker is at work: {sign['seen']} {sign['fix'] or ''}")
        time.sleep(POLL_EVERY_S)


def _refuse(answer: Answer) -> None:
    if answer.status in (401, 403):
        said = f"{answer.asked} answered {answer.status}: {answer.text[:SHOWN]}"
        raise Failed(f"TILLGATE_SMOKE_KEY opens too little. {said} {KEY_NEEDS}")


def _tell(findings: list[dict[str, Any]], say: Say) -> None:
    # What was seen is for the operator; the log of a public fork is for everybody.
    lines = [f"{one['about']}, {one['verdict']}" for one in findings if one["verdict"] != WELL]
    for line in dict.fromkeys([f"worker, {WELL}", *lines]):
        say(f"doctor    {line}")
