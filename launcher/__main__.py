"""`python -m launcher [WORD] …`: what `./run`, the installed `tillgate` and the image start.

Without a word: everything in one group. A word of the list below is a module of this package; any other is a
management command.
"""

import importlib
import sys

WORDS = ("demo", "trigger", "web", "sandbox")


def main() -> int:
    """Do what the first word says; return the exit status."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    if not word or word.startswith("-"):
        return _module("serve")
    if word in WORDS:
        sys.argv = [f"tillgate {word}", *sys.argv[2:]]
        return _module(word)
    return _module("command")


def _module(name: str) -> int:
    # One of them only: the launcher stays in memory as long as the product runs.
    return int(importlib.import_module(f"launcher.{name}").main() or 0)


if __name__ == "__main__":
    sys.exit(main())
