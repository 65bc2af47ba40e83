"""The rules of this house that no off-the-shelf linter knows, read from the syntax trees.

A line ending in `# lint: RULE, because …` is excused from that one rule.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.paths import ROOT, parse, python_files, short

MONEY_CODE = tuple(
    f"tillgate/{name}"
    for name in ("payments", "subscriptions", "settlements", "ledger", "events", "money", "gateways")
)
DOORS = (
    "tillgate/api/",
    "tillgate/checkout/",
    "tillgate/dashboard/",
    "tillgate/inbox/",
    "tillgate/urls.py",
    "tillgate/common/throttles.py",
    "tillgate/common/web.py",
)
# Where SQL by hand is the point: the job queue, the one-statement create and read, the readiness probe, and
# what a database is asked about itself.
SQL_ALLOWED = (
    "tillgate/common/jobs/",
    "tillgate/common/checks.py",
    "tillgate/common/database.py",
    "tillgate/common/doctor/",
    "tillgate/payments/services/start.py",
    "tillgate/payments/services/find.py",
    "tillgate/management/",
)
CLOCKS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "timezone.now",
    "time.time",
    "time.time_ns",
}
CHANCE = re.compile(r"^(random\.|uuid\.uuid[14]|uuid[14]$)")
SIGNED = re.compile(r"signature|digest|hmac", re.IGNORECASE)
EXCUSED = re.compile(r"# lint: ([a-z-]+), because \S")
MOVES, SETTLE = "tillgate/payments/services/moves.py", "tillgate/payments/services/settle.py"

Check = Callable[[ast.AST], bool]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is forbidden (`found`) in files whose path starts with one of `where` and with none of `but`."""

    name: str
    says: str
    found: Check
    where: tuple[str, ...] = ("tillgate/",)
    but: tuple[str, ...] = ()

    def covers(self, path: str) -> bool:
        return path.startswith(self.where) and not path.startswith(self.but or ("\0",))


def called(node: ast.AST) -> str:
    """Return the dotted name that a call calls, else an empty text."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def is_float(node: ast.AST) -> bool:
    """float(…) or a literal like 1.5 that takes part in arithmetic."""
    if isinstance(node, ast.BinOp):
        return any(
            isinstance(side, ast.Constant) and isinstance(side.value, float)
            for side in (node.left, node.right)
        )
    return called(node) == "float"


def is_clock(node: ast.AST) -> bool:
    """A reading of the system's time that money would follow."""
    name = called(node)
    return any(name == clock or name.endswith(f".{clock}") for clock in CLOCKS)


def is_chance(node: ast.AST) -> bool:
    """Randomness that is not `secrets`."""
    return bool(CHANCE.match(called(node)))


def is_unverified(node: ast.AST) -> bool:
    """TLS with verification off."""
    return isinstance(node, ast.keyword) and node.arg == "verify" and _is_constant(node.value, False)


def is_mark_safe(node: ast.AST) -> bool:
    """Text declared to be HTML."""
    return called(node).rpartition(".")[2] in ("mark_safe", "SafeString", "SafeText")


def is_sql(node: ast.AST) -> bool:
    """SQL written by hand."""
    name = called(node).rpartition(".")[2]
    return name in ("raw", "extra", "RawSQL", "executemany") or called(node).endswith(
        ("cursor.execute", "connection.cursor")
    )


def is_loose_comparison(node: ast.AST) -> bool:
    """A signature compared with == or !=, whose time tells how much of it was right."""
    if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
        return False
    sides = [node.left, *node.comparators]
    named = any(
        SIGNED.search(ast.unparse(side))
        for side in sides
        if isinstance(side, (ast.Name, ast.Attribute, ast.Call))
    )
    return named and not any(isinstance(side, ast.Constant) or called(side) == "len" for side in sides)


def is_comparison_of_text(node: ast.AST) -> bool:
    """compare_digest of what is not evidently bytes: text that is not ASCII raises there."""
    if called(node).rpartition(".")[2] != "compare_digest" or not isinstance(node, ast.Call):
        return False
    return not all(_is_bytes(argument) for argument in node.args)


def is_status_change(node: ast.AST) -> bool:
    """`x.status = …`, `setattr(x, "status", …)`, `.update(status=…)`, `note(…, status=…)`."""
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(isinstance(target, ast.Attribute) and target.attr == "status" for target in targets)
    if called(node) == "setattr" and isinstance(node, ast.Call):
        return len(node.args) > 1 and _is_constant(node.args[1], "status")
    writes = called(node).endswith(".update") or called(node) == "note"
    return writes and any(keyword.arg == "status" for keyword in getattr(node, "keywords", []))


def is_completion(node: ast.AST) -> bool:
    """A move to COMPLETED: assigned, or handed to a function that moves."""
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return is_status_change(node) and node.value is not None and _is_completed(node.value)
    if not isinstance(node, ast.Call) or not re.search(r"(^|[._])(move\w*|update)$", called(node)):
        return False
    return any(_is_completed(value) for value in [*node.args, *(keyword.value for keyword in node.keywords)])


def is_django_http(node: ast.AST) -> bool:
    """An import of what only the doors speak."""
    if isinstance(node, ast.ImportFrom):
        return bool(re.match(r"django\.(http|views)\b|django\.shortcuts$", node.module or ""))
    return isinstance(node, ast.Import) and any(alias.name.startswith("django.http") for alias in node.names)


def _is_constant(node: ast.AST, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == value and type(node.value) is type(value)


def _is_bytes(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, bytes)
    return called(node).rpartition(".")[2] in ("encode", "digest", "bytes")


def _is_completed(node: ast.AST) -> bool:
    return _is_constant(node, "completed") or (isinstance(node, ast.Attribute) and node.attr == "COMPLETED")


RULES = (
    Rule(name="float", says="money is never a float", found=is_float, where=MONEY_CODE),
    Rule(
        name="clock",
        says="ask tillgate.common.clock for the time",
        found=is_clock,
        where=("tillgate/",),
        but=("tillgate/common/clock.py", "tillgate/common/jobs/"),
    ),
    Rule(name="chance", says="use secrets", found=is_chance, where=MONEY_CODE),
    Rule(
        name="tls",
        says="TLS is always verified",
        found=is_unverified,
        where=("tillgate/", "launcher/", "deploy/"),
    ),
    Rule(name="mark-safe", says="templates escape; format_html where text is built", found=is_mark_safe),
    Rule(
        name="sql",
        says="no SQL by hand outside the files listed in tools/lints.py",
        found=is_sql,
        but=SQL_ALLOWED,
    ),
    Rule(name="compare", says="compare signatures with hmac.compare_digest", found=is_loose_comparison),
    Rule(name="bytes", says="compare_digest takes bytes: .encode() both", found=is_comparison_of_text),
    Rule(
        name="status",
        says=f"only {MOVES} changes a status",
        found=is_status_change,
        where=("tillgate/payments/",),
        but=(MOVES,),
    ),
    Rule(name="settle", says=f"only {SETTLE} completes a payment", found=is_completion, but=(MOVES, SETTLE)),
    Rule(name="http", says="below the doors nobody imports django.http", found=is_django_http, but=DOORS),
)


def unescaped(text: str) -> list[str]:
    """Return what in a template keeps text from being escaped."""
    return re.findall(r"\|\s*safe(?:seq)?\b|{%\s*autoescape\s+off\s*%}", text)


def problems() -> Iterator[str]:
    """Yield one sentence for every breach."""
    for path in python_files("tillgate", "sandbox", "launcher", "deploy"):
        yield from problems_in(path)
    for path in sorted(ROOT.glob("[ts]*/**/templates/**/*.html")):
        text = path.read_text(encoding="utf-8")
        yield from (f"{short(path)}: templates escape, and `{found}` does not" for found in unescaped(text))


def problems_in(path: Path) -> Iterator[str]:
    """Yield one sentence for every breach in one file."""
    name = short(path)
    rules = [rule for rule in RULES if rule.covers(name)]
    lines = path.read_text(encoding="utf-8").splitlines()
    for node in ast.walk(parse(path)):
        for rule in rules:
            if rule.found(node) and not _excused(lines[_line(node) - 1], rule.name):
                yield f"{name}:{_line(node)} {rule.name}: {rule.says}"


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 1))


def _excused(line: str, rule: str) -> bool:
    match = EXCUSED.search(line)
    return bool(match) and match is not None and match.group(1) == rule


def main() -> int:
    """Print the breaches; 0 when there are none."""
    found = list(problems())
    print("\n".join(found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
