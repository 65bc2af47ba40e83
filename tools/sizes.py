"""The size limits of the house style, measured. (Complexity and parameters are ruff's: C901, PLR0913.)"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.paths import ROOT, parse, python_files, short

PACKAGES = ("tillgate", "sandbox", "launcher", "deploy", "tools", "tests")
DOMAINS = ("subscriptions", "payments", "settlements", "customers", "events", "ledger", "merchants")
FUNCTION, VIEW_METHOD, TEST = 50, 25, 40
FILE, TEST_FILE = 400, 500
ADAPTER_FOLDER = 600
DOMAIN_FILES, DOMAIN_LINES = 12, 1_500
# docs/adr/0010-payments-is-the-large-room.md, 0014-one-scheduler-of-our-own.md, 0016-people-and-roles.md,
# 0017-events-out.md, 0021-an-installation-tells-how-it-is.md
LARGER = {
    "payments": (30, 4_200),
    "subscriptions": (26, 3_100),
    "merchants": (32, 3_400),
    "events": (22, 2_400),
}
TEST_LINES_PER_CODE_LINE = 1.0
VERBS = {"get", "post", "put", "patch", "delete", "head", "options"}


def problems() -> Iterator[str]:
    """Yield one sentence for every limit that is passed."""
    for path in python_files(*PACKAGES):
        yield from _file(path)
        yield from _functions(path)
    for adapter in _folders(ROOT / "tillgate" / "gateways"):
        yield from _over(f"{short(adapter)}/", lines_below(adapter), ADAPTER_FOLDER, "lines")
    for name in DOMAINS:
        yield from _domain(ROOT / "tillgate" / name)
    yield from _test_lines()


def _file(path: Path) -> Iterator[str]:
    yield from _over(short(path), _lines(path), TEST_FILE if _is_test(path) else FILE, "lines")


def _functions(path: Path) -> Iterator[str]:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ClassDef) and any("View" in ast.unparse(base) for base in node.bases):
            for verb in (item for item in _defs(node) if item.name in VERBS):
                yield from _over(
                    f"{short(path)}:{verb.lineno} {node.name}.{verb.name}",
                    _length(verb),
                    VIEW_METHOD,
                    "lines",
                )
        for function in _defs(node):
            limit = TEST if _is_test(path) and function.name.startswith("test_") else FUNCTION
            yield from _over(
                f"{short(path)}:{function.lineno} {function.name}", _length(function), limit, "lines"
            )


def _domain(package: Path) -> Iterator[str]:
    name = f"{short(package)}/"
    files = [path for path in python_files(name) if path.name not in ("__init__.py", "apps.py")]
    most_files, most_lines = LARGER.get(package.name, (DOMAIN_FILES, DOMAIN_LINES))
    yield from _over(name, len(files), most_files, "files")
    yield from _over(name, lines_below(package), most_lines, "lines")


def _test_lines() -> Iterator[str]:
    code = sum(map(_lines, python_files("tillgate", "sandbox", "launcher", "deploy")))
    tests = sum(map(_lines, python_files("tests")))
    if tests < code * TEST_LINES_PER_CODE_LINE:
        yield f"tests/ has {tests} lines for {code} lines of code: below {TEST_LINES_PER_CODE_LINE}"


def _defs(node: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    body = getattr(node, "body", [])
    items = body if isinstance(body, list) else []
    return [item for item in items if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))]


def _over(what: str, size: int, limit: int, unit: str) -> Iterator[str]:
    if size > limit:
        yield f"{what} has {size} {unit}, the limit is {limit}"


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def lines_below(folder: Path) -> int:
    """Return the lines of a folder's code; tables of data are not counted."""
    return sum(_lines(path) - _data_lines(path) for path in python_files(short(folder)))


def _data_lines(path: Path) -> int:
    tables = [node for node in parse(path).body if isinstance(node, (ast.Assign, ast.AnnAssign))]
    return sum((node.end_lineno or node.lineno) - node.lineno for node in tables)


def _folders(parent: Path) -> list[Path]:
    return sorted(path.parent for path in parent.glob("*/__init__.py"))


def _is_test(path: Path) -> bool:
    return path.relative_to(ROOT).parts[0] == "tests"


def main() -> int:
    """Print what is too big; 0 when nothing is."""
    found = list(problems())
    print("\n".join(found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
