"""What an entry of the register may be, and which tests there are to prove it, by the syntax trees."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools import paths
from tools.paths import ROOT

TESTS = ROOT / "tests"
BY_NAME = re.compile(r"test_((?:[a-z]\d\d_)+)", re.IGNORECASE)
SKIPS = re.compile(r"\bmark\.skip\b|\bmark\.xfail\b|\bpytest\.skip\(.*allow_module_level")


parse = cache(paths.parse)


@dataclass(frozen=True)
class Answer:
    """One item of the plan: what is tried or asked for, and what that means here.

    `tests` are those that prove it and do not carry its number in their names; those that do are found.
    An item without a test says why it needs none (`because`), or when it gets one (`later`). `pending`
    names the part of the product whose tests are still to be named.
    """

    tried: str
    here: str
    tests: tuple[str, ...] = ()
    because: str = ""
    later: str = ""
    pending: str = ""


@dataclass(frozen=True, order=True)
class Node:
    """A test: its file below tests/, and its function."""

    file: str
    name: str

    @classmethod
    def of(cls, text: str) -> "Node":
        file, _, name = text.partition("::")
        return cls(file, name)

    def __str__(self) -> str:
        return f"tests/{self.file}::{self.name}"


def proofs(number: str, answer: Answer) -> list[Node]:
    """The tests that prove an item, those with its number first."""
    return list(dict.fromkeys((*numbered().get(number, ()), *map(Node.of, answer.tests))))


@cache
def numbered() -> dict[str, list[Node]]:
    """The tests whose names begin with the numbers of what they prove: `test_a06_a11_…` has two."""
    found = defaultdict(list)
    for node in sorted(functions()):
        numbers = BY_NAME.match(node.name)
        for number in numbers[1].upper().strip("_").split("_") if numbers else ():
            found[f"{number[0]}-{number[1:]}"].append(node)
    return dict(found)


@cache
def functions() -> dict[Node, ast.FunctionDef]:
    """Every test function that pytest collects, or that a collected file takes in by `import *`."""
    return {
        Node(str(path.relative_to(TESTS)), item.name): item
        for path in sorted(TESTS.rglob("*.py"))
        if path.name.startswith("test_") or path in shared()
        for item in _functions_in(path)
    }


@cache
def shared() -> frozenset[Path]:
    """The files whose tests are collected elsewhere."""
    every = {path: parse(path) for path in TESTS.rglob("*.py")}
    names = [
        node.module or ""
        for tree in every.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    ]
    return frozenset(path for name in names if (path := ROOT / f"{name.replace('.', '/')}.py") in every)


def troubles_with(node: Node) -> Iterator[str]:
    """Yield why a test proves nothing: it is not there, or it never runs."""
    item = functions().get(node)
    if item is None:
        yield f"{node} does not exist"
        return
    marks = [ast.unparse(mark) for mark in (*item.decorator_list, *_marks_of(TESTS / node.file))]
    if any(SKIPS.search(mark) for mark in marks):
        yield f"{node} is skipped everywhere"
    if ast.unparse(item.body[0]).startswith("pytest.skip("):
        yield f"{node} begins with its own skip"


def _functions_in(path: Path) -> Iterator[ast.FunctionDef]:
    for item in parse(path).body:
        if isinstance(item, ast.FunctionDef) and item.name.startswith("test_"):
            yield item


def _marks_of(path: Path) -> Iterable[ast.expr]:
    for item in parse(path).body:
        marks = isinstance(item, ast.Assign) and ast.unparse(item.targets[0]) == "pytestmark"
        if isinstance(item, (ast.Assign, ast.Expr)) and (marks or isinstance(item, ast.Expr)):
            yield item.value
