"""`python -m deploy rollout ssh`, over stand-ins for ssh and docker that run a product on this machine."""

import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.__main__ import main
from deploy.failed import Failed
from deploy.ssh import SCRIPT, Ssh
from launcher.environment import ROOT, Installation, private_environment, product_environment
from launcher.product import free_ports
from tests.deploy.conftest import make_key

STAND_INS = Path(__file__).parent / "stand_ins"
ONE, TWO, THREE = (f"ghcr.io/ada/tillgate@sha256:{digit * 64}" for digit in "123")
HOST_KEY = "pay.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKn0wn"


@dataclass
class Host:
    """The plain server: a folder with compose.yaml's settings, and where its stand-ins take notes."""

    root: Path
    ports: list[int] = field(default_factory=lambda: free_ports(2))

    @property
    def folder(self) -> Path:
        return self.root / "opt tillgate"  # With a space, which no shell may trip over.

    def has(self, image: str, word: str = "product") -> None:
        (self.root / "images" / image.partition("sha256:")[2]).write_text(word)

    def told(self) -> list[str]:
        log = self.root / "docker.log"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def settings(self) -> list[str]:
        return (self.folder / ".env").read_text().splitlines()

    def running(self) -> dict[str, object]:
        path = self.root / "running.json"
        return json.loads(path.read_text()) if path.exists() else {}


@pytest.fixture
def host(tmp_path, monkeypatch):
    host = Host(tmp_path)
    for folder in ("images", "bin", "opt tillgate"):
        (tmp_path / folder).mkdir()
    (host.folder / ".env").write_text("TILLGATE_IMAGE=\nEMAIL_URL=smtp://u:p@mail:25")
    (host.folder / ".env").chmod(0o600)
    (tmp_path / "ports").write_text(json.dumps(host.ports))
    (tmp_path / "host_key").write_text(HOST_KEY)
    (tmp_path / "key").write_text("PRIVATE KEY\n")
    docker = [sys.executable, str(STAND_INS / "docker.py")]
    for name, command in {"ssh": ["sh", str(STAND_INS / "ssh.sh")], "docker": docker}.items():
        (tmp_path / "bin" / name).write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("STAND_IN", str(tmp_path))
    yield host
    if running := host.running():
        os.kill(int(str(running["pid"])), signal.SIGTERM)


def target(there, **more):
    settings = {"host": "deploy@pay.example.com", "port": 2222, "folder": str(there.folder), "say": print}
    return Ssh(**{**settings, "key": "PRIVATE KEY", "known_hosts": HOST_KEY, **more})


@pytest.fixture
def bare(host):
    """A host whose images are bare: what is told is looked at, and not what runs."""
    for image in (ONE, TWO, THREE):
        host.has(image, "bare")
    return host


def test_before_the_first_deployment_nothing_runs(bare):
    assert target(bare).current() is None


def test_an_image_is_pulled_and_migrated_before_it_starts(bare):
    target(bare).deploy(ONE)

    assert bare.told() == [
        "1111 pull",
        "1111 run --rm -T prepare",
        "1111 up --detach --wait --wait-timeout 300",
    ]
    assert target(bare).current() == ONE


def test_every_image_that_was_started_is_kept_beside_it(bare):
    target(bare).deploy(ONE)
    target(bare).deploy(TWO)

    target(bare).deploy(TWO)

    assert target(bare).current() == TWO
    log = (bare.folder / "images.log").read_text().splitlines()
    assert [line.split()[1] for line in log] == [ONE, TWO, TWO]


def test_the_other_settings_stay_as_they_are_and_closed(bare):
    target(bare).deploy(ONE)
    target(bare).deploy(TWO)

    assert bare.settings == ["EMAIL_URL=smtp://u:p@mail:25", f"TILLGATE_IMAGE={TWO}"]
    assert (bare.folder / ".env").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in bare.folder.iterdir()) == [".deploying", ".env", "images.log"]


def test_an_image_by_a_tag_cannot_be_gone_back_to_and_is_told(bare, capsys):
    (bare.folder / ".env").write_text("TILLGATE_IMAGE=ghcr.io/ada/tillgate:latest\n")

    assert target(bare).current() is None
    assert "ghcr.io/ada/tillgate:latest, which is no image by digest" in capsys.readouterr().out


def test_a_server_that_was_not_made_ready_is_told_so(bare):
    (bare.folder / ".env").unlink()

    with pytest.raises(Failed, match=r"There is no .env in .*docs/deploy.md"):
        target(bare).deploy(ONE)
    assert bare.told() == []


@pytest.mark.parametrize("step", ["pull", "prepare"])
def test_what_cannot_be_pulled_or_migrated_leaves_what_runs_alone(bare, step):
    target(bare).deploy(ONE)
    before = bare.running()
    bare.has(TWO, step)

    with pytest.raises(Failed, match=f"{step} of this image fails"):
        target(bare).deploy(TWO)

    assert bare.running() == before
    assert target(bare).current() == ONE


def test_only_the_known_host_is_spoken_to(bare):
    stranger = target(bare, known_hosts="pay.example.com ssh-ed25519 AAAAOther")

    with pytest.raises(Failed, match="ended with 255:\nHost key verification failed"):
        stranger.current()


def test_another_key_opens_nothing(bare):
    with pytest.raises(Failed, match="Permission denied"):
        target(bare, key="SOME OTHER KEY").current()


def test_ssh_asks_nobody_and_trusts_no_file_of_the_machine(bare):
    target(bare).current()

    told = (bare.root / "ssh.log").read_text()
    for option in (
        "-F /dev/null",
        "-p 2222",
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "GlobalKnownHostsFile=/dev/null",
        "IdentitiesOnly=yes",
    ):
        assert option in told
    assert "PRIVATE KEY" not in told


def test_nothing_of_the_key_stays_on_this_machine(bare, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    target(bare).deploy(ONE)

    assert [path.name for path in tmp_path.glob("tillgate-ssh-*")] == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"host": "pay.example.com"}, "must be user@host"),
        ({"host": "-oProxyCommand=reboot@x"}, "must be user@host"),
        ({"host": "-v@pay.example.com"}, "must be user@host"),
        ({"host": "a@b; reboot"}, "must be user@host"),
        ({"folder": "tillgate"}, "by its whole path"),
    ],
)
def test_a_wrong_setting_is_refused_before_anybody_is_called(bare, wrong, told):
    with pytest.raises(Failed, match=told):
        target(bare, **wrong)
    assert not (bare.root / "ssh.log").exists()


@pytest.fixture
def pipeline(host, monkeypatch):
    """The surroundings of the workflow's step, and a test key of the product that will run on the host."""
    port, sandbox_port = host.ports
    here = Installation(data_dir=host.root / "var", port=port, sandbox_port=sandbox_port)
    host.has(ONE)
    target(host).deploy(ONE)
    env = product_environment(here, private_environment())
    for name, value in {
        "DEPLOY_SSH_HOST": "deploy@pay.example.com",
        "DEPLOY_FOLDER": str(host.folder),
        "DEPLOY_SSH_KEY": "PRIVATE KEY",
        "DEPLOY_KNOWN_HOSTS": HOST_KEY,
        "TILLGATE_URL": here.url,
        "TILLGATE_SMOKE_KEY": make_key(env),
    }.items():
        monkeypatch.setenv(name, value)
    return host


@pytest.mark.slow
@pytest.mark.journey
def test_a_release_that_is_well_stays_and_one_that_takes_no_payment_gives_way(pipeline, capsys):
    pipeline.has(TWO)
    assert main(["rollout", "ssh", "--image", TWO]) == 0
    out = capsys.readouterr().out
    assert f"now       {ONE}" in out
    assert "live      the new image is deployed" in out

    pipeline.has(THREE, "bare")
    assert main(["rollout", "ssh", "--image", THREE, "--within", "20"]) == 1
    out = capsys.readouterr().out
    assert "FAILED    GET" in out
    assert "back      the former image is deployed, ready, and took a payment in test mode" in out
    assert pipeline.running()["image"] == TWO
    assert f"TILLGATE_IMAGE={TWO}" in pipeline.settings


@pytest.mark.long
@pytest.mark.journey
def test_a_release_that_does_not_start_gives_way_too(pipeline, capsys):
    pipeline.has(TWO, "up")

    assert main(["rollout", "ssh", "--image", TWO]) == 1

    out = capsys.readouterr().out
    assert "up of this image fails" in out
    assert "back      the former image is deployed" in out
    assert pipeline.running()["image"] == ONE


def test_two_deployments_do_not_cross(bare):
    lock = bare.folder / ".deploying"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        script = SCRIPT.read_text().replace("--wait 600", "--wait 0.1")
        told = ["sh", "-s", "--", "deploy", str(bare.folder), ONE]
        done = subprocess.run(told, input=script, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "Another deployment is going on" in done.stderr
    assert bare.told() == []
