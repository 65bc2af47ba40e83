"""From a request to its answer: find the route, apply the faults, carry it out."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from dataclasses import replace

from sandbox import breakage
from sandbox.control import Control
from sandbox.emulator import Emulator
from sandbox.errors import Hangup
from sandbox.sender import Sender
from sandbox.web import Call, Hits, NoRoute, Request, Response, Route, Router, json_response
from sandbox.wire import Wire
from sandbox.world import World


class App:
    def __init__(self, world: World, emulators: Mapping[str, Emulator], sender: Sender) -> None:
        self._world, self._emulators, self._sender = world, emulators, sender
        control = Control(world, emulators, sender)
        gateway_routes = (route for emulator in emulators.values() for route in emulator.routes())
        self._router = Router((*control.routes(), *gateway_routes))

    def answer(self, request: Request, wire: Wire) -> Response:
        """Answer one request. Raises Hangup when a fault ends the connection instead."""
        try:
            route, params = self._router.find(request.method, request.path)
        except NoRoute as miss:
            return self._no_route(request.path, miss.allow)
        hits = self._take_faults(route)
        if broken := breakage.before(hits, wire):
            return _in_own_words(route, broken)
        response = self._carry_out(route, Call(request=request, params=params, hits=hits))
        told = breakage.after(hits, response, wire)
        return _in_own_words(route, told) if "500_after" in hits else told

    def _take_faults(self, route: Route) -> Hits:
        if route.operation is None:
            return {}
        with self._world.lock:
            return self._world.faults.take(route.operation)

    def _carry_out(self, route: Route, call: Call) -> Response:
        try:
            return self._run(route, call)
        except Hangup:
            raise
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return json_response({"error": "this is a bug of the sandbox; its log has the details"}, 500)

    def _run(self, route: Route, call: Call) -> Response:
        if not route.in_change:
            return route.answer(call)
        with self._world.change():
            response = route.answer(call)
            early = self._world.events.take_early()
        self._sender.wait_until_tried(early)
        return response

    def _no_route(self, path: str, allow: str) -> Response:
        emulator = self._emulators.get(path.split("/")[1] if path.startswith("/") else "")
        if emulator:
            return emulator.no_route(allow)
        if allow:
            return json_response({"error": f"this path answers {allow} only"}, 405)
        return json_response({"error": "nothing is here; GET / lists what there is"}, 404)


def _in_own_words(route: Route, broken: Response) -> Response:
    """What a fault answers, the way this gateway words it; headers such as Retry-After stay."""
    own = route.trouble.get(broken.status)
    return replace(own, headers=broken.headers) if own else broken
