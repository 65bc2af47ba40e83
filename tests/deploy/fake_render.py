"""Render's public API, as far as the pipeline uses it, after https://api-docs.render.com/reference.

- GET /v1/services?name=N: [{"cursor", "service": {"id", "name", "type"}}]. Here also those whose names only
  begin so: nothing is said against it.
- POST /v1/services/ID/deploys {"imageUrl"}: 201 and the deployment; 202 and an empty body where it is queued.
  Host, repository and name of the image must be those the service was made with; else 400.
- GET /v1/services/ID/deploys?status=live&limit=N: [{"cursor", "deploy"}], the newest first.
- GET /v1/services/ID/deploys/DEPLOY: {"id", "status", "image": {"ref", "sha"}, "trigger", …}
A deployment goes created → pre_deploy_in_progress → update_in_progress → live, a step each time it is asked
for; the one that was live before becomes deactivated.
"""

import http.server
import itertools
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

KEY = "rnd_0123456789"
WELL = ("created", "pre_deploy_in_progress", "update_in_progress", "live")
REPOSITORY = "ghcr.io/ada/tillgate"


class FakeRender(http.server.ThreadingHTTPServer):
    """`ends` maps an image to the statuses that it goes through; `answers` are those of the next POSTs."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.services = {"srv-1": "tillgate-web", "srv-2": "tillgate-worker", "srv-3": "tillgate-web-old"}
        self.deploys: dict[str, list[dict[str, Any]]] = {service: [] for service in self.services}
        self.ends: dict[str, tuple[str, ...]] = {}
        self.answers: list[str] = []
        self.posted: list[tuple[str, str]] = []
        self.numbers = itertools.count(1)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def live(self, name: str) -> str | None:
        """Return the image that a service runs."""
        service = next(one for one, called in self.services.items() if called == name)
        running = [deploy for deploy in self.deploys[service] if deploy["status"] == "live"]
        return f"{REPOSITORY}@{running[0]['image']['sha']}" if running else None

    def start(self, service: str, image: str) -> dict[str, Any]:
        """Begin a deployment."""
        deploy = {
            "id": f"dep-{next(self.numbers)}",
            "status": "created",
            "trigger": "api",
            "image": {"ref": image, "sha": image.partition("@")[2]},
            "createdAt": "2026-01-01T00:00:00Z",
        }
        self.deploys[service].insert(0, deploy)
        return deploy

    def advance(self, service: str, deploy: dict[str, Any]) -> None:
        """Bring a deployment one step on."""
        steps = self.ends.get(deploy["image"]["ref"], WELL)
        if deploy["status"] in steps[:-1]:
            deploy["status"] = steps[steps.index(deploy["status"]) + 1]
        if deploy["status"] == "live":
            for other in self.deploys[service]:
                if other is not deploy and other["status"] == "live":
                    other["status"] = "deactivated"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: FakeRender

    def do_GET(self) -> None:
        where = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(where.query))
        if self.headers["Authorization"] != f"Bearer {KEY}":
            self._say(401, {"id": "req-1", "message": "unauthorized"})
        elif where.path == "/v1/services":
            found = [
                (one, name) for one, name in self.server.services.items() if name.startswith(query["name"])
            ]
            self._say(200, [{"cursor": one, "service": {"id": one, "name": name}} for one, name in found])
        elif match := re.fullmatch(r"/v1/services/([^/]+)/deploys", where.path):
            deploys = [
                deploy
                for deploy in self.server.deploys[match[1]]
                if query.get("status", deploy["status"]) == deploy["status"]
            ]
            self._say(200, [{"cursor": one["id"], "deploy": one} for one in deploys[: int(query["limit"])]])
        elif match := re.fullmatch(r"/v1/services/([^/]+)/deploys/([^/]+)", where.path):
            deploy = next(one for one in self.server.deploys[match[1]] if one["id"] == match[2])
            self.server.advance(match[1], deploy)
            self._say(200, deploy)

    def do_POST(self) -> None:
        service = self.path.split("/")[3]
        image = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["imageUrl"]
        self.server.posted.append((self.server.services[service], image))
        answer = self.server.answers.pop(0) if self.server.answers else "created"
        if image.partition("@")[0] != REPOSITORY:
            self._say(400, {"id": "req-2", "message": "image must match the service's image"})
        elif answer == "busy":
            self._say(429, {"message": "slow down"}, {"Ratelimit-Reset": "0"})
        elif answer == "lost":
            self.close_connection = True
        else:
            deploy = self.server.start(service, image)
            if answer == "created":
                self._say(201, deploy)
            elif answer == "queued":
                self._say(202, "")
            else:
                self.close_connection = True

    def _say(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode() if isinstance(body, str) else json.dumps(body).encode())

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@contextmanager
def fake_render() -> Iterator[FakeRender]:
    """Give such an API for the time of the block."""
    with FakeRender() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()
