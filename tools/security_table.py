"""The tables of docs/security.md: each attack and each item of the checklist, with what proves it."""

import re
import sys
from collections.abc import Mapping, Sequence
from os.path import relpath

from tests.attacks.answers import TESTS, Answer, Node, proofs
from tests.attacks.checklist import CHECKLIST
from tests.attacks.register import ATTACKS, IDEMPOTENCY
from tests.common.test_check_ids import KNOWN
from tools.paths import ROOT

PAGE = ROOT / "docs" / "security.md"


def tables() -> dict[str, str]:
    """Return each table of the page, by the name of its marks."""
    return {
        "checks": checks(),
        "attacks": table("what is tried", ATTACKS),
        "idempotency": table("what is tried", IDEMPOTENCY),
        "checklist": table("what is asked for", CHECKLIST),
    }


def checks() -> str:
    """Return the dangerous settings that are known, by the ids of their checks."""
    rows = [
        ["check", "what is wrong"],
        ["---"] * 2,
        *([f"`tillgate.{number}`", said] for number, said in KNOWN.items()),
    ]
    return _lines(rows)


def table(title: str, answers: Mapping[str, Answer]) -> str:
    """Return a table in Markdown."""
    rows = [["", title, "here", "shown by"], ["---"] * 4]
    rows += [
        [f"**{number}**", answer.tried, answer.here, shown_by(number, answer)]
        for number, answer in answers.items()
    ]
    return _lines(rows)


def shown_by(number: str, answer: Answer) -> str:
    """Return the links to an item's tests, and what is said in their place."""
    said = [link(node) for node in proofs(number, answer)]
    said += [f"not applicable because {answer.because}"] * bool(answer.because)
    said += [f"later: {answer.later}"] * bool(answer.later)
    said += [f"*to be named: {answer.pending}*"] * bool(answer.pending)
    return "<br>".join(said)


def link(node: Node) -> str:
    """Return a test's name, which leads to its file."""
    return f"[`{node.name}`]({relpath(TESTS / node.file, PAGE.parent)})"


def write() -> None:
    """Bring the page up to date."""
    PAGE.write_text(_current(), encoding="utf-8")


def main() -> int:
    """Say whether the page shows what the register says."""
    if PAGE.read_text(encoding="utf-8") == _current():
        return 0
    print("docs/security.md: its tables are not up to date. `./run fix` writes them.")
    return 1


def _lines(rows: Sequence[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _current() -> str:
    text = PAGE.read_text(encoding="utf-8")
    for name, filled in tables().items():
        marks = re.compile(rf"(<!-- {name}:[^>]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        assert marks.search(text), f"docs/security.md has lost the marks around its table of {name}"
        text = marks.sub(lambda match: f"{match[1]}{filled}{match[2]}", text)  # noqa: B023
    return text


if __name__ == "__main__":
    sys.exit(main())
