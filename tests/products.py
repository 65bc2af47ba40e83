"""Products of the tests' own: real processes, real HTTP, a private data directory."""

import atexit
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any

from launcher.environment import ROOT, Installation, private_environment
from launcher.product import Product, free_ports


@contextmanager
def product_in(
    folder: Path, *, ports: list[int] | None = None, output: IO[Any] | None = None, **settings: str
) -> Iterator[Product]:
    """Start one with its sandbox, at free ports; stop it at the end. Its data are in `var` of the folder.

    One web process, unless told otherwise.
    """
    port, sandbox_port = ports or free_ports(2)
    here = Installation(data_dir=folder / "var", port=port, sandbox_port=sandbox_port)
    put_tables(here.data_dir)
    with tempfile.TemporaryFile() as scratch:
        outer = {**private_environment(), "TILLGATE_WEB_PROCESSES": "1", **settings}
        product = Product(here, outer, output or scratch)
        try:
            product.start()
            yield product
        finally:
            product.stop()


def put_tables(data_dir: Path) -> None:
    """Let a product find its tables: to make them takes two seconds, and dozens of tests start one."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(_tables(), data_dir)


@cache
def _tables() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tillgate-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    env = {**private_environment(), "TILLGATE_DATA_DIR": str(folder)}
    line = [sys.executable, "-m", "launcher", "migrate", "--verbosity", "0"]
    subprocess.run(line, cwd=ROOT, env=env, check=True, capture_output=True)
    return folder / "tillgate.sqlite3"
