"""`./run` itself: what it says where something is missing, and a first start in a clean copy."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from launcher.environment import ROOT

COPIED = ("run", "requirements", "launcher")


@pytest.fixture
def copy(tmp_path):
    """A copy of the repository's start without .venv, in a folder whose name has a space."""
    folder = tmp_path / "a copy"
    folder.mkdir()
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / name)
    return folder


def make_program(folder, name, script):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def call(script, *arguments, path, home):
    env = {"PATH": str(path), "HOME": str(home), **passed_on()}
    return subprocess.run(
        [script, *arguments], env=env, capture_output=True, text=True, check=False, cwd=home
    )


def passed_on():
    """Where packages come from on this machine."""
    return {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_CERT"))}


def coreutils(folder):
    """A PATH with the shell's usual tools and no Python."""
    for name in ("dirname", "readlink", "cut", "cksum", "cat", "rm", "sh"):
        make_program(folder, name, f'exec {shutil.which(name)} "$@"')
    return folder


def test_without_python_it_says_what_to_install(copy, tmp_path):
    result = call(copy / "run", path=coreutils(tmp_path / "bin"), home=tmp_path)

    assert result.returncode == 1
    assert "needs Python 3.11 or newer" in result.stderr
    assert "apt install python3 python3-venv" in result.stderr


def test_an_old_python_is_not_taken(copy, tmp_path):
    make_program(coreutils(tmp_path / "bin"), "python3", "exit 1")

    result = call(copy / "run", path=tmp_path / "bin", home=tmp_path)

    assert result.returncode == 1
    assert "needs Python 3.11 or newer" in result.stderr


def test_without_venv_it_names_the_package(copy, tmp_path):
    script = "case $2 in *ensurepip*) exit 1 ;; esac\nexec " + sys.executable + ' "$@"'
    make_program(coreutils(tmp_path / "bin"), "python3", script)

    result = call(copy / "run", path=tmp_path / "bin", home=tmp_path)

    assert result.returncode == 1
    assert f"apt install python3.{sys.version_info.minor}-venv" in result.stderr


@pytest.mark.slow
def test_a_clean_copy_with_an_empty_home_sets_itself_up_once(copy, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    link = tmp_path / "link"
    link.symlink_to(copy / "run")

    first = call(link, "--help", path=os.environ["PATH"], home=home)
    assert first.returncode == 0, first.stderr
    assert "Installing" in first.stderr

    began = time.monotonic()
    second = call(link, "--help", path=os.environ["PATH"], home=home)
    assert second.returncode == 0
    assert "Installing" not in second.stderr
    assert time.monotonic() - began < 4
