"""`./run COMMAND`: a management command in the environment that `./run` serves in, on the same data."""

import os
import sys

from launcher.environment import data_dir_of, installation_at, outer_environment, product_environment


def main() -> None:
    """Become `python -m tillgate COMMAND`; `-` in the command's name stands for `_`."""
    command, *arguments = sys.argv[1:] or ["help"]
    outer = outer_environment()
    env = product_environment(installation_at(data_dir_of(outer)), outer)
    words = ["-m", "tillgate", command.replace("-", "_"), *arguments]
    os.execve(sys.executable, [sys.executable, *words], env)


if __name__ == "__main__":
    main()
