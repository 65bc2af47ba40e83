"""The control page: the same powers as the control API, for a person with a browser."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from itertools import islice

from sandbox.clock import iso
from sandbox.emulator import Emulator
from sandbox.errors import Refused
from sandbox.faults import Fault
from sandbox.pages import card, page
from sandbox.web import Json
from sandbox.world import World

SHOWN_EVENTS = 20


def index(emulators: Mapping[str, Emulator]) -> str:
    gateways = "".join(f"<li><code>/{escape(name)}</code></li>" for name in emulators)
    links = "".join(
        f'<li><a href="{path}">{escape(text)}</a></li>'
        for path, text in (
            ("/control", "Control page: faults, clock, webhooks"),
            ("/control/journal", "Journal: which money moved"),
            ("/control/events", "Webhooks sent and waiting"),
        )
    )
    body = card(
        "<h1>Payment gateways, offline</h1>", f"<p>Emulated here:</p><ul>{gateways}</ul><ul>{links}</ul>"
    )
    return page("Sandbox", body)


def control(world: World, emulators: Mapping[str, Emulator]) -> str:
    parts = (
        _fault_form(world, emulators),
        _fault_list(world.faults.rows()),
        _clock_form(world),
        _events(world),
    )
    return page("Sandbox control", "<h1>Sandbox control</h1>" + "".join(parts), wide=True)


def refusal(message: str) -> str:
    return page(
        "Not possible",
        card("<h1>Not possible</h1>", f"<p>{escape(message)}</p>", '<p><a href="/control">Back</a></p>'),
    )


def read_fault_form(form: Json) -> Json:
    """The fault a person filled in, as the API would have sent it. Raises Refused."""
    try:
        args = json.loads(form.get("args") or "{}")
        counts = {name: int(form[name]) for name in ("nth", "times") if form.get(name)}
    except (ValueError, RecursionError):
        raise Refused('nth and times are whole numbers; arguments are JSON such as {"seconds": 5}') from None
    return {"match": form.get("match"), "fault": form.get("fault"), "args": args, **counts}


def _fault_form(world: World, emulators: Mapping[str, Emulator]) -> str:
    events = [f"{name}.event" for name in emulators]
    names = sorted({fault for name in emulators for fault in world.faults.names(name)})
    return card(
        "<h2>Set a fault</h2>",
        '<form method="post" action="/control/faults"><div class="pair">',
        f'<div><label for="match">Call</label>{_select("match", world.faults.operations() + events)}</div>',
        f'<div><label for="fault">What goes wrong</label>{_select("fault", names)}</div>',
        _number("nth", "On which call (1 = next)", 1),
        _number("times", "How often (0 = always)", 1) + "</div>",
        '<p><label for="args">Arguments, as JSON</label>',
        '<input id="args" name="args" placeholder=\'{"seconds": 5}\'></p>',
        '<button class="main">Set fault</button></form>',
    )


def _fault_list(faults: list[Json]) -> str:
    if not faults:
        return card("<h2>Faults</h2>", '<p class="soft">None: everything works.</p>')
    rows = (
        (fault["match"], fault["fault"], json.dumps(fault["args"]), _progress(Fault(**fault)))
        for fault in faults
    )
    button = '<button name="clear" value="1">Clear all faults</button>'
    clear = f'<form method="post" action="/control/faults">{button}</form>'
    return card(
        "<h2>Faults</h2>",
        _table(("Call", "Fault", "Arguments", "Hits"), map(_cells, rows)),
        f"<p></p>{clear}",
    )


def _progress(fault: Fault) -> str:
    return f"{fault.hits} of {fault.times or 'all'}, {fault.calls} calls seen"


def _clock_form(world: World) -> str:
    return card(
        "<h2>Clock</h2>",
        f'<p class="soft">It is {escape(iso(world.clock.now()))} here.</p>',
        '<form method="post" action="/control/clock"><div class="pair">',
        _number("advance_s", "Move forward by seconds", 3600),
        "<button>Move the clock</button></div></form>",
    )


def _events(world: World) -> str:
    rows = list(world.events.rows())
    if not rows:
        return card("<h2>Webhooks</h2>", '<p class="soft">None yet.</p>')
    shown = islice(reversed(rows), SHOWN_EVENTS)
    heads = ("Event", "Reference", "Status", "Last answer", "")
    return card("<h2>Webhooks</h2>", _table(heads, map(_event_cells, shown)))


def _event_cells(event: Json) -> str:
    deliver = (
        f'<form method="post" action="/control/events/{event["id"]}/deliver"><button>Send now</button></form>'
    )
    return (
        _cells((event["type"], event["reference"], event["status"], event["last_answer"] or ""))
        + f"<td>{deliver}</td>"
    )


def _table(heads: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cells(values: Iterable[object]) -> str:
    return "".join(f"<td>{escape(str(value))}</td>" for value in values)


def _select(name: str, options: Iterable[str]) -> str:
    inner = "".join(f"<option>{escape(option)}</option>" for option in options)
    return f'<select id="{name}" name="{name}">{inner}</select>'


def _number(name: str, label: str, value: int) -> str:
    field = f'<input id="{name}" name="{name}" inputmode="numeric" value="{value}">'
    return f'<div><label for="{name}">{escape(label)}</label>{field}</div>'
