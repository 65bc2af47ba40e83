"""deploy/choose_image.sh, over a gh and a docker that say what a test wants."""

import os
import subprocess

import pytest

from deploy.versions import ROOT

REPOSITORY = "ghcr.io/ada/tillgate"
BUILT = f"{REPOSITORY}@sha256:{'ab' * 32}"
GH = """#!/bin/sh
case $1 in
    api) echo "$NEWEST" ;;
    run) echo "$GREEN_RUNS" ;;
esac
"""
DOCKER = f"""#!/bin/sh
case $1 in
    image) echo {BUILT} ;;
esac
"""


@pytest.fixture
def choose(tmp_path):
    for name, script in (("gh", GH), ("docker", DOCKER)):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)

    def run(*words, newest="c0ffee", green="1"):
        env = {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "GITHUB_REPOSITORY": "Ada/tillgate",
            "NEWEST": newest,
            "GREEN_RUNS": green,
        }
        command = ["sh", str(ROOT / "deploy/choose_image.sh"), REPOSITORY, "c0ffee", *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    return run


def test_the_newest_of_main_that_ci_has_found_well_is_built(choose):
    assert choose("").stdout == f"{BUILT}\n"


@pytest.mark.parametrize(
    ("said", "told"),
    [({"newest": "d00d"}, "main has gone on to d00d"), ({"green": "0"}, "No green CI run of c0ffee")],
)
def test_an_older_commit_and_one_that_ci_has_not_found_well_are_not_deployed(choose, said, told):
    done = choose(**said)

    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr


def test_an_image_of_ours_is_gone_back_to_whatever_main_is(choose):
    image = f"{REPOSITORY}@sha256:{'cd' * 32}"

    assert choose(image, newest="d00d", green="0").stdout == f"{image}\n"


@pytest.mark.parametrize(
    "image", ["ghcr.io/eve/tillgate@sha256:00", f"{REPOSITORY}:latest", f"{REPOSITORY}-other@sha256:00"]
)
def test_another_image_is_not_deployed(choose, image):
    done = choose(image)

    assert (done.returncode, done.stdout) == (1, "")
    assert "is no image of" in done.stderr
