"""`./run fuzz`: requests made up from the schema, by everybody who may call, against a product of its own.

It runs in this process, on a temporary database and over emulated gateways on loopback. 0 when no answer
was our own fault or is unknown to the schema.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from launcher.environment import (
    Installation,
    private_environment,
    product_environment,
    sandbox_environment,
)
from launcher.product import free_ports
from sandbox import server as sandbox

MOST_REQUESTS = 1_000_000


def main(argv: list[str]) -> int:
    """Walk, and print what was seen."""
    parser = argparse.ArgumentParser(prog="./run fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    if not 0 < options.requests <= MOST_REQUESTS:
        parser.error(f"--requests is a number from 1 to {MOST_REQUESTS:,}")
    with (
        tempfile.TemporaryDirectory(prefix="tillgate-fuzz-", ignore_cleanup_errors=True) as folder,
        product(Path(folder)) as url,
    ):
        report = walk(url, options.requests, options.seed)
    print(f"\n{report}")
    return int(not report.is_clean)


@contextmanager
def product(folder: Path) -> Iterator[str]:
    """Set up a product in this process, and its emulated gateways; give the address of those."""
    port, sandbox_port = free_ports(2)
    installation = Installation(data_dir=folder, port=port, sandbox_port=sandbox_port)
    os.environ.clear()
    os.environ.update(product_environment(installation, private_environment()))
    running = sandbox.start(
        port=sandbox_port,
        data_dir=folder / "sandbox",
        environ=sandbox_environment(installation, private_environment()),
    )
    try:
        _tables()
        yield running.url
    finally:
        running.stop()


def walk(url: str, requests: int, number: int) -> Any:
    """Send the requests; return the report."""
    from drf_spectacular.generators import SchemaGenerator

    from tillgate.merchants.services.merchants import default_merchant
    from tillgate.wsgi import application
    from tools.fuzz.cast import cast
    from tools.fuzz.walk import Walker
    from tools.fuzz.world import World

    world = World(url)
    schema = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    try:
        walker = Walker(schema, application, cast(default_merchant()), world, number=number)
        return walker.walk(requests, partial(print, flush=True))
    finally:
        world.close()


def _tables() -> None:
    import django

    django.setup()
    import logging

    from django.core.management import call_command

    logging.disable(logging.ERROR)  # What goes wrong is in the report.
    call_command("migrate", verbosity=0, skip_checks=True)
    from tillgate.merchants.services.merchants import ensure_default_merchant
    from tools.fuzz.world import furnish

    furnish(ensure_default_merchant(name="My shop"), 20)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
