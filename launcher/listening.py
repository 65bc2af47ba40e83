"""Where the web server listens: what the command line says, else the environment."""

import argparse
from collections.abc import Mapping


def add_listening(parser: argparse.ArgumentParser, outer: Mapping[str, str]) -> None:
    """Add `--host` and `--port`; platforms that run images say PORT."""
    host, port = outer.get("TILLGATE_HOST") or "127.0.0.1", outer.get("PORT") or "8000"
    parser.add_argument("--host", default=host, help=f"address to listen at, or TILLGATE_HOST ({host})")
    parser.add_argument(
        "--port", type=port_number, default=port, help=f"of the API and the checkout, or PORT ({port})"
    )


def port_number(text: str) -> int:
    """Return a port; raises what argparse makes a sentence of."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; take one from 1 to 65535")
    return int(text)
