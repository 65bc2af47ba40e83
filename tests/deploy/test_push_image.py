"""deploy/push_image.sh, over a docker that takes notes."""

import os
import subprocess

import pytest

from deploy.notes import version_here
from deploy.rollout import check_image
from deploy.versions import ROOT

DIGEST = f"sha256:{'ab' * 32}"
DOCKER = f"""#!/bin/sh
echo "$@" >>"$NOTES"
case $1 in
    push) [ ! -e "$NOTES.refuses" ] || {{ echo 'denied: permission_denied' >&2; exit 1; }}; echo pushed ;;
    image) printf 'docker.io/other/tillgate@sha256:00\\nghcr.io/ada/tillgate@{DIGEST}\\n\\n' ;;
    *) echo "some progress" ;;
esac
"""


@pytest.fixture
def push(tmp_path):
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)

    def run(*words):
        env = {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "NOTES": str(tmp_path / "notes"),
            "GITHUB_SHA": "c0ffee",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "Ada/tillgate",
        }
        command = ["sh", str(ROOT / "deploy/push_image.sh"), *words]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    return run


def test_it_prints_the_one_name_by_which_the_image_is_deployed(push):
    done = push("ghcr.io/ada/tillgate", "c0ffee")

    assert done.stdout == f"ghcr.io/ada/tillgate@{DIGEST}\n"
    assert check_image(done.stdout.strip())
    assert "some progress" in done.stderr


def test_it_pushes_one_tag_and_says_what_was_built(push, tmp_path):
    push("ghcr.io/ada/tillgate", "c0ffee")

    notes = (tmp_path / "notes").read_text()
    assert f"--build-arg VERSION={version_here()}" in notes
    assert "--build-arg REVISION=c0ffee" in notes
    assert "--build-arg SOURCE=https://github.com/Ada/tillgate" in notes
    assert "push --quiet ghcr.io/ada/tillgate:c0ffee\n" in notes
    assert [line.split()[0] for line in notes.splitlines()] == ["build", "push", "image"]


def test_what_the_registry_refuses_is_not_deployed(push, tmp_path):
    (tmp_path / "notes.refuses").touch()

    done = push("ghcr.io/ada/tillgate", "c0ffee")

    assert done.returncode != 0
    assert done.stdout == ""
    assert "permission_denied" in done.stderr


def test_an_image_that_was_never_pushed_there_has_no_name(push):
    done = push("ghcr.io/eve/tillgate", "c0ffee")

    assert done.returncode != 0
    assert done.stdout == ""
