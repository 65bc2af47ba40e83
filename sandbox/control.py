"""The control API: what tests and people use to play customer, gateway and bad luck."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from sandbox import control_page
from sandbox.clock import iso
from sandbox.emulator import ControlOrder, Emulator
from sandbox.errors import NotThere, Refused
from sandbox.sender import Sender
from sandbox.web import (
    Answer,
    BadBody,
    Call,
    Json,
    Request,
    Response,
    Route,
    html_response,
    json_response,
    see_other,
)
from sandbox.world import World

LONGEST_STEP_S = 10 * 366 * 86_400
LONGEST_ID = 18
PAGE = "/control"


class Control:
    def __init__(self, world: World, emulators: Mapping[str, Emulator], sender: Sender) -> None:
        self._world, self._emulators, self._sender = world, emulators, sender

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/", self._index),
            Route("GET", PAGE, self._index),
            Route("GET", "/control/health", lambda call: json_response({"status": "ok"})),
            Route("GET", "/control/journal", refusing(self._journal)),
            Route("POST", "/control/pay", refusing(self._order(lambda emulator: emulator.pay))),
            Route("POST", "/control/refund", refusing(self._order(lambda emulator: emulator.refund))),
            Route("POST", "/control/dispute", refusing(self._order(lambda emulator: emulator.dispute))),
            Route("POST", "/control/methods", refusing(self._order(lambda emulator: emulator.set_methods))),
            Route("GET", "/control/faults", self._list_faults),
            Route("POST", "/control/faults", refusing(self._add_faults)),
            Route("DELETE", "/control/faults", self._clear_faults),
            Route("GET", "/control/clock", self._read_clock),
            Route("POST", "/control/clock", refusing(self._advance_clock)),
            Route("GET", "/control/events", self._list_events),
            Route("POST", "/control/events/{id}/deliver", refusing(self._deliver), in_change=False),
        ]

    def _index(self, call: Call) -> Response:
        if call.request.wants_html:
            return html_response(control_page.control(self._world, self._emulators))
        gateways = {name: f"{self._world.base_url}/{name}" for name in self._emulators}
        return json_response(
            {"gateways": gateways, "control": [route.pattern for route in self.routes()[2:]]}
        )

    def _journal(self, call: Call) -> Response:
        """Optional in the query: `after` (a seq) and `reference`."""
        after = call.request.query.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            raise Refused("after must be the seq of an entry")
        entries = self._world.journal.raw_entries(after_seq=int(after))
        if wanted := call.request.query.get("reference"):
            entries = [entry for entry in entries if json.loads(entry)["reference"] == wanted]
        return Response(body=b'{"entries":[' + b",".join(entries) + b"]}")

    def _order(self, choose: Callable[[Emulator], Callable[[ControlOrder], Json]]) -> Answer:
        def answer(call: Call) -> Response:
            body = call.request.read_object()
            emulator = self._emulator(body.pop("gateway", None))
            reference = body.pop("reference", None)
            if not isinstance(reference, str) or not reference:
                raise Refused("reference must be the reference you gave the gateway")
            return json_response(choose(emulator)(ControlOrder(reference=reference, body=body)))

        return answer

    def _emulator(self, name: object) -> Emulator:
        if isinstance(name, str) and name in self._emulators:
            return self._emulators[name]
        raise Refused(f"gateway must be one of {', '.join(self._emulators)}")

    def _list_faults(self, call: Call) -> Response:
        return json_response({"faults": self._world.faults.rows()})

    def _add_faults(self, call: Call) -> Response:
        body = call.request.read_object()
        if call.request.is_form:
            return self._faults_from_form(body)
        self._world.faults.add(body.get("faults"))
        return self._list_faults(call)

    def _faults_from_form(self, form: Json) -> Response:
        if "clear" in form:
            self._heal()
        else:
            self._world.faults.add([control_page.read_fault_form(form)])
        return see_other(PAGE)

    def _clear_faults(self, call: Call) -> Response:
        self._heal()
        return self._list_faults(call)

    def _heal(self) -> None:
        self._world.faults.clear()
        self._world.events.release_shuffled()
        self._world.news.notify_all()

    def _read_clock(self, call: Call) -> Response:
        clock = self._world.clock
        return json_response({"now": iso(clock.now()), "offset_s": clock.offset_s})

    def _advance_clock(self, call: Call) -> Response:
        seconds = call.request.read_object().get("advance_s")
        if call.request.is_form and isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():
            seconds = int(seconds)
        if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= LONGEST_STEP_S:
            raise Refused(f"advance_s must be a whole number of seconds from 0 to {LONGEST_STEP_S}")
        self._world.advance(seconds)
        return see_other(PAGE) if call.request.is_form else self._read_clock(call)

    def _list_events(self, call: Call) -> Response:
        return json_response({"events": list(self._world.events.rows())})

    def _deliver(self, call: Call) -> Response:
        event_id = call.params["id"]
        if not (event_id.isascii() and event_id.isdigit()) or len(event_id) > LONGEST_ID:
            raise NotThere("an event's id is a number; GET /control/events lists them")
        row = self._sender.deliver(int(event_id))
        return see_other(PAGE) if call.request.is_form else json_response({"event": row})


def refusing(answer: Answer) -> Answer:
    """Turn what a control call may not do into a 400 or 404 that says what to do instead."""

    def guarded(call: Call) -> Response:
        try:
            return answer(_as_meant(call))
        except Refused as refusal:
            return _refusal(call.request, str(refusal), refusal.status)
        except BadBody as problem:
            return _refusal(call.request, f"{problem}; send a JSON object", 400)

    return guarded


def _as_meant(call: Call) -> Call:
    """`curl -d '{…}'` calls its JSON a form; here that is understood, though no gateway would."""
    if not (call.request.is_form and call.request.body.lstrip().startswith(b"{")):
        return call
    headers = {**call.request.headers, "content-type": "application/json"}
    return replace(call, request=replace(call.request, headers=headers))


def _refusal(request: Request, message: str, status: int) -> Response:
    if request.wants_html:
        return html_response(control_page.refusal(message), status)
    return json_response({"error": message}, status)
