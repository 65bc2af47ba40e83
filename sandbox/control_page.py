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
from sandbox.money import shown
from sandbox.pages import card, page
from sandbox.web import Json
from sandbox.world import World

SHOWN_EVENTS = 20
SHOWN_MOVES = 5
TITLES = {"paypal": "PayPal"}
STEPS = ((60, "1 minute"), (3_600, "1 hour"), (86_400, "1 day"))


def control(world: World, emulators: Mapping[str, Emulator]) -> str:
    """The front page and the control page are one: what is served, what happened, what shall go wrong."""
    moves = [json.loads(entry) for entry in reversed(world.journal.raw_entries())]
    parts = (
        "<h1>Payment gateways, offline</h1>",
        *(_gateway(world, emulator, moves) for emulator in emulators.values()),
        _fault_list(world.faults.rows()),
        _clock(world),
        _events(world),
        _links(),
    )
    return page("Sandbox", "".join(parts), wide=True)


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


def _gateway(world: World, emulator: Emulator, moves: Iterable[Json]) -> str:
    mine = islice((move for move in moves if move["gateway"] == emulator.name), SHOWN_MOVES)
    return card(
        f'<h2 id="{emulator.name}">{TITLES.get(emulator.name, emulator.name.title())}</h2>',
        f'<p class="soft">Base address <code>{escape(world.base_url)}/{emulator.name}</code></p>',
        _moves(list(mine)),
        f"<details><summary>Let something go wrong</summary>{_fault_form(world, emulator)}</details>",
    )


def _moves(moves: list[Json]) -> str:
    if not moves:
        return '<p class="soft">No money has moved yet.</p>'
    heads = ("Newest", "Amount", "Reference", "By", "At")
    return _table(heads, (_cells(_move_cells(move)) for move in moves))


def _move_cells(move: Json) -> tuple[str, ...]:
    return (
        move["kind"] if move["ok"] else f"{move['kind']}: nothing moved",
        shown(move["amount_minor"], move["currency"]),
        move["reference"],
        move["initiated_by"],
        move["at"][:19].replace("T", " "),
    )


def _fault_form(world: World, emulator: Emulator) -> str:
    name = emulator.name
    calls = (*sorted(emulator.reach.operations), f"{name}.event", f"{name}.*")
    return (
        '<form method="post" action="/control/faults"><div class="pair">'
        + _field(f"{name}-match", "Call", _select("match", f"{name}-match", calls))
        + _field(
            f"{name}-fault", "What goes wrong", _select("fault", f"{name}-fault", world.faults.names(name))
        )
        + _number("nth", f"{name}-nth", "On which call (1 = next)", 1)
        + _number("times", f"{name}-times", "How often (0 = always)", 1)
        + "</div>"
        + _field(f"{name}-args", "Arguments, as JSON", _arguments(f"{name}-args"))
        + '<p></p><button class="main">Set fault</button></form>'
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


def _clock(world: World) -> str:
    steps = "".join(
        f'<button name="advance_s" value="{seconds}">{escape(label)}</button>' for seconds, label in STEPS
    )
    return card(
        "<h2>Clock</h2>",
        f'<p class="soft">It is {escape(iso(world.clock.now()))} here. Move it forward by:</p>',
        f'<form method="post" action="/control/clock"><div class="three">{steps}</div></form>',
        '<form method="post" action="/control/clock"><div class="pair">',
        _number("advance_s", "advance_s", "Seconds", 3600),
        "<button>Move the clock</button></div></form>",
    )


def _events(world: World) -> str:
    rows = list(world.events.rows())
    if not rows:
        return card("<h2>Webhooks</h2>", '<p class="soft">None yet.</p>')
    newest = islice(reversed(rows), SHOWN_EVENTS)
    heads = ("Event", "Status", "", "Gateway", "Reference", "Last answer")
    return card("<h2>Webhooks</h2>", _table(heads, map(_event_cells, newest)))


def _event_cells(event: Json) -> str:
    action = f"/control/events/{event['id']}/deliver"
    deliver = f'<td><form method="post" action="{action}"><button>Send now</button></form></td>'
    rest = (event["gateway"], event["reference"], event["last_answer"] or "")
    return _cells((event["type"], event["status"])) + deliver + _cells(rest)


def _links() -> str:
    links = (
        ("/control/journal", "Journal: which money moved"),
        ("/control/events", "Webhooks sent and waiting"),
        ("/control/faults", "Faults"),
    )
    items = "".join(f'<li><a href="{path}">{escape(text)}</a></li>' for path, text in links)
    return card("<h2>As JSON</h2>", f"<ul>{items}</ul>")


def _table(heads: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll" tabindex="0">{table}</div>'


def _cells(values: Iterable[object]) -> str:
    return "".join(f"<td>{escape(str(value))}</td>" for value in values)


def _field(name: str, label: str, inner: str) -> str:
    return f'<div><label for="{name}">{escape(label)}</label>{inner}</div>'


def _arguments(id: str) -> str:
    return f'<input id="{id}" name="args" placeholder=\'{{"seconds": 5}}\'>'


def _select(name: str, id: str, options: Iterable[str]) -> str:
    inner = "".join(f"<option>{escape(option)}</option>" for option in options)
    return f'<select id="{id}" name="{name}">{inner}</select>'


def _number(name: str, id: str, label: str, value: int) -> str:
    return _field(id, label, f'<input id="{id}" name="{name}" inputmode="numeric" value="{value}">')
