"""One private product for the tests of the pipeline's steps, and servers that say what a test wants."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from launcher.environment import ROOT, Environment, Installation, private_environment, product_environment
from tests.deploy.scripted import Scripted, scripted
from tests.products import product_in


@dataclass(frozen=True, kw_only=True)
class Running:
    """A product that serves, a test key of it, and the environment of its commands."""

    here: Installation
    key: str
    env: Environment


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with product_in(tmp_path_factory.mktemp("deploy")) as product:
        env = product_environment(product.installation, private_environment())
        yield Running(here=product.installation, key=make_key(env), env=env)


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted() as running:
        yield running


def make_key(env: Environment, scopes: str = "create,read,refund,admin") -> str:
    """Return a new test key of the product whose environment that is."""
    command = [sys.executable, "-m", "tillgate", "create_key", "--mode", "test", "--scopes", scopes]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return next(word for word in done.stdout.split() if word.startswith("sk_test_"))
