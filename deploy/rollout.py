"""`python -m deploy rollout TARGET --image REF`: deploy, look, and go back where it is not well."""

import re
import traceback
from collections.abc import Callable
from typing import Protocol

from deploy.failed import Failed
from deploy.ready import Say

IMAGE = re.compile(r"[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)+@sha256:[0-9a-f]{64}")
ONLY_FORWARD = "The database stays as it is: migrations only add, and the former version runs on it."


class Target(Protocol):
    """Where the product runs."""

    def current(self) -> str | None:
        """Return the image that runs now, None before the first deployment. Raises Failed."""

    def deploy(self, image: str) -> None:
        """Let an image run, its migrations first; return when the target calls it live. Raises Failed."""


def check_image(image: str) -> str:
    """Return the image. Raises Failed unless its digest says which one it is."""
    if not IMAGE.fullmatch(image):
        raise Failed(
            f"{image!r} is no image by digest, such as ghcr.io/owner/tillgate@sha256:<64 hex digits>."
        )
    return image


def roll_out(target: Target, image: str, check: Callable[[], None], say: Say) -> bool:
    """Deploy `image` and `check` it; deploy the former one where either fails. True when the new one is well.

    Raises Failed, with nothing changed, where it cannot be told what runs now.
    """
    check_image(image)
    former = target.current()
    say(f"now       {former or 'nothing'}")
    say(f"new       {image}")
    if wrong := _trouble(target, image, check):
        say(f"FAILED    {wrong}")
        _go_back(target, former if former != image else None, check, say)
        return False
    say("live      the new image is deployed, ready, and took a payment in test mode")
    return True


def _go_back(target: Target, former: str | None, check: Callable[[], None], say: Say) -> None:
    if former is None:
        say("no way back: no other image ran here before. What is deployed is left as it is.")
        return
    say(f"back to   {former}")
    say(ONLY_FORWARD)
    if wrong := _trouble(target, former, check):
        say(f"NOT BACK  the former image is not well either: {wrong}")
        say("Somebody must look now: docs/deploy.md, 'Going back'.")
        return
    say("back      the former image is deployed, ready, and took a payment in test mode")


def _trouble(target: Target, image: str, check: Callable[[], None]) -> str:
    try:
        target.deploy(image)
        check()
    except Failed as error:
        return str(error)
    except Exception as error:  # Whatever it is, a version that nobody has seen well must not stay.
        traceback.print_exc()
        return f"unforeseen: {error!r}"
    return ""
