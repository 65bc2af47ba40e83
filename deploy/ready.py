"""`python -m deploy wait URL`: until the product can do its work."""

import time
from collections.abc import Callable

from deploy.failed import Failed, NoAnswer
from deploy.http import SHOWN, is_safe, look

WITHIN_S = 300.0
FIRST_PAUSE_S, LONGEST_PAUSE_S, LOOK_WITHIN_S = 0.25, 5.0, 10.0

Say = Callable[[str], None]


def say(line: str) -> None:
    """Print one line of the log at once."""
    print(line, flush=True)


def wait_until_ready(
    url: str,
    within_s: float = WITHIN_S,
    *,
    path: str = "/readyz",
    alive: Callable[[], bool] = lambda: True,
) -> float:
    """Return after how many seconds `path` answered 200. Raises Failed with what it answered last.

    Waiting ends at once where `alive` says that nobody is there any more who could become ready.
    """
    if not is_safe(url):
        raise Failed(f"{url!r} must begin with https:// (plain http only on this machine).")
    began, pause_s = time.monotonic(), FIRST_PAUSE_S
    while True:
        seen = _look_at(url.rstrip("/") + path)
        waited_s = time.monotonic() - began
        if not seen:
            return waited_s
        if not alive():
            raise Failed(f"It ended by itself after {waited_s:.0f} s.")
        if waited_s + pause_s > within_s:
            raise Failed(f"Not ready after {waited_s:.0f} s. Last seen: {seen}")
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def _look_at(url: str) -> str:
    try:
        answer = look(url, LOOK_WITHIN_S)
    except NoAnswer as error:
        return str(error)
    return "" if answer.status == 200 else f"{answer.asked} answered {answer.status}: {answer.text[:SHOWN]}"
