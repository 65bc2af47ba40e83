"""`./run sandbox [--host 127.0.0.1] [--port 8001]`: the emulators of the gateways alone."""

import argparse
import os
import sys

from launcher.environment import ROOT, data_dir_of, installation_at, outer_environment, sandbox_environment
from launcher.gateways import sandbox_folder
from launcher.listening import port_number


def main() -> int:
    """Become the sandbox; its secrets are those beside the product's data."""
    outer = outer_environment()
    installation = installation_at(data_dir_of(outer))
    parser = argparse.ArgumentParser(prog="./run sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (127.0.0.1)")
    parser.add_argument("--port", type=port_number, default=installation.sandbox_port, help="port (8001)")
    options = parser.parse_args()
    env = sandbox_environment(installation, outer)
    folder = str(sandbox_folder(installation.data_dir.resolve()))
    words = ["-m", "sandbox", "--host", options.host, "--port", str(options.port), "--data-dir", folder]
    os.chdir(ROOT)
    os.execve(sys.executable, [sys.executable, *words], env)
