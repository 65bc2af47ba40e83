"""Render as a target, by its public API: https://api-docs.render.com/reference/create-deploy"""

import time
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deploy.failed import Failed, NoAnswer
from deploy.http import Client
from deploy.ready import Say

API = "https://api.render.com/v1"
ON_ITS_WAY = frozenset(
    {"created", "queued", "build_in_progress", "pre_deploy_in_progress", "update_in_progress"}
)
LIVE_WITHIN_S, SHOWN_WITHIN_S = 900.0, 60.0
PAGE = 20

Deploy = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Render:
    """Image-backed services of one account; the first one's pre-deploy command migrates, so it goes first."""

    api: Client
    services: Sequence[str]
    say: Say
    poll_every_s: float
    live_within_s: float = LIVE_WITHIN_S

    def current(self) -> str | None:
        """Return the image of the first service's live deployment, by digest."""
        service = self._find(self.services[0])
        live = [deploy for deploy in self._deploys(service, "&status=live") if deploy["status"] == "live"]
        return _image_of(live[0]) if live else None

    def deploy(self, image: str) -> None:
        """Deploy to one service after the other; each must be live before the next begins."""
        for name in self.services:
            service = self._find(name)
            deploy = self._start(service, name, image)
            self.say(f"render    {name}: {deploy} begins")
            self._wait(service, name, deploy)

    def _find(self, name: str) -> str:
        query = urllib.parse.urlencode({"name": name, "limit": PAGE})
        found = [row["service"] for row in self.api.get(f"/services?{query}").json(200)]
        ids = [str(service["id"]) for service in found if service["name"] == name]
        if len(ids) != 1:
            raise Failed(
                f"Render has {len(ids) or 'no'} services called {name}; there must be one (render.yaml)."
            )
        return ids[0]

    def _deploys(self, service: str, query: str = "") -> list[Deploy]:
        rows = self.api.get(f"/services/{service}/deploys?limit={PAGE}{query}").json(200)
        return [row["deploy"] for row in rows]

    def _start(self, service: str, name: str, image: str) -> str:
        known = {deploy["id"] for deploy in self._deploys(service)}
        try:
            answer = self.api.post_once(f"/services/{service}/deploys", {"imageUrl": image})
            if answer.status == 201:
                return str(answer.json(201)["id"])
            if answer.status != 202:
                answer.json(201)
        except NoAnswer as error:
            self.say(f"render    {name}: {error}; looking whether it arrived")
        # Queued behind another one, or not answered: then it has no name yet, and is looked for.
        until = time.monotonic() + SHOWN_WITHIN_S
        while time.monotonic() < until:
            for deploy in self._deploys(service):
                if deploy["id"] not in known:
                    return str(deploy["id"])
            time.sleep(self.poll_every_s)
        raise Failed(f"Render shows no new deployment of {name} after {SHOWN_WITHIN_S:.0f} s.")

    def _wait(self, service: str, name: str, deploy: str) -> None:
        until, seen = time.monotonic() + self.live_within_s, ""
        while True:
            status = str(self.api.get(f"/services/{service}/deploys/{deploy}").json(200)["status"])
            if status != seen:
                self.say(f"render    {name}: {status}")
                seen = status
            if status == "live":
                return
            if status not in ON_ITS_WAY:
                raise Failed(
                    f"Render ended {deploy} of {name} as {status}; its log is in Render's dashboard."
                )
            if time.monotonic() > until:
                raise Failed(f"{deploy} of {name} is still {status} after {self.live_within_s:.0f} s.")
            time.sleep(self.poll_every_s)


def _image_of(deploy: Deploy) -> str | None:
    image = deploy.get("image") or {}
    repository = str(image.get("ref", "")).partition("@")[0]
    # A tag follows the last slash; a port before it belongs to the registry.
    host, slash, name = repository.rpartition("/")
    if not (slash and image.get("sha")):
        return None
    return f"{host}/{name.partition(':')[0]}@{image['sha']}"
