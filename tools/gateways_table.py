"""The README's table of gateways and what each can do, read from the adapters themselves."""

import re
import sys

from tillgate.gateways.protocol import (
    CapturesApproved,
    ChargesSaved,
    ForgetsSaved,
    Gateway,
    ListsDisputes,
    RepeatsRefunds,
)
from tillgate.gateways.registry import GATEWAYS
from tools.paths import ROOT

README = ROOT / "README.md"
MARKS = re.compile(r"(<!-- gateways:[^>]*-->\n).*?(<!-- /gateways -->)", re.DOTALL)
# An ability, and the Protocol by which an adapter has it.
ABILITIES = {
    "hosted checkout, status by our own question, refund in part or whole, signed events": Gateway,
    "takes what the customer agreed to, once": CapturesApproved,
    "repeats a refund under its key": RepeatsRefunds,
    "tells of disputes when asked": ListsDisputes,
    "charges a saved method": ChargesSaved,
    "can be told to forget a saved method": ForgetsSaved,
}


def table() -> str:
    """Return the table in Markdown."""
    rows = [["", *(adapter.title for adapter in GATEWAYS.values())], ["---"] * (len(GATEWAYS) + 1)]
    for ability, protocol in ABILITIES.items():
        rows.append([ability, *("yes" if has(adapter, protocol) else "-" for adapter in GATEWAYS.values())])
    rows.append(["currencies", *(" ".join(sorted(adapter.currencies)) for adapter in GATEWAYS.values())])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def has(adapter: object, protocol: type) -> bool:
    """Say whether an adapter's class has all members of a Protocol, methods and attributes."""
    members = {name for name in (*vars(protocol), *protocol.__annotations__) if not name.startswith("_")}
    return all(hasattr(adapter, member) for member in members)


def write() -> None:
    """Bring the README up to date."""
    README.write_text(_current(), encoding="utf-8")


def main() -> int:
    """Say whether the README shows what the adapters can do."""
    if README.read_text(encoding="utf-8") == _current():
        return 0
    print("README.md: the table of gateways is not up to date. `./run fix` writes it.")
    return 1


def _current() -> str:
    text = README.read_text(encoding="utf-8")
    assert MARKS.search(text), "README.md has lost the marks around its table of gateways"
    return MARKS.sub(lambda match: f"{match.group(1)}{table()}{match.group(2)}", text)


if __name__ == "__main__":
    sys.exit(main())
