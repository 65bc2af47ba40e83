"""Versions of the product, each laid out in a folder of its own, started and stopped on the same data."""

import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.failed import Failed
from deploy.ready import wait_until_ready
from launcher.environment import (
    Installation,
    private_environment,
    product_environment,
    sandbox_environment,
)
from launcher.gateways import sandbox_folder

ROOT = Path(__file__).resolve().parent.parent
# The first start of an earlier version installs what it needs.
SANDBOX_WITHIN_S, STARTED_WITHIN_S, STOPPED_WITHIN_S, DONE_WITHIN_S = 30.0, 600.0, 60, 600
SHOWN_LINES = 25


@dataclass(frozen=True, kw_only=True)
class Version:
    """A checkout and how it is started: by its own ./run, or by this Python where that has what it needs."""

    name: str
    root: Path
    by_itself: bool

    def words(self, *words: str) -> list[str]:
        """Return the command that `./run WORDS` is in this version."""
        if self.by_itself:
            return [str(self.root / "run"), *words]
        return [sys.executable, "-m", "launcher", *words]


@dataclass(frozen=True, kw_only=True)
class Stand:
    """The data that all versions work on, one after the other, and the gateways that stay the same.

    `folder` is also where the logs of all processes are.
    """

    installation: Installation
    database: str
    folder: Path

    @contextmanager
    def gateways(self) -> Iterator[None]:
        """Let this version's sandbox stand in for the gateways, whichever version calls them."""
        here = self.installation
        where = ["--port", str(here.sandbox_port), "--data-dir", str(sandbox_folder(here.data_dir))]
        env = sandbox_environment(here, private_environment())
        command = [sys.executable, "-m", "sandbox", *where]
        with started(command, ROOT, env, self.folder / "sandbox.log") as running:
            running.wait(here.sandbox_url, "/control/health", SANDBOX_WITHIN_S)
            yield

    def run(self, version: Version, *words: str) -> str:
        """Run a command of a version on the data; return what it prints. Raises Failed."""
        done = subprocess.run(
            version.words(*words),
            cwd=version.root,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=DONE_WITHIN_S,
            check=False,
        )
        if done.returncode:
            raise Failed(f"{words[0]} of {version.name} failed:\n{tail(done.stdout + done.stderr)}")
        return done.stdout

    @contextmanager
    def serving(self, version: Version) -> Iterator[None]:
        """Let a version serve, with its worker, for the time of the block. Raises Failed."""
        command = version.words("--port", str(self.installation.port))
        with started(command, version.root, self._environment(), self.folder / "product.log") as running:
            try:
                running.wait(self.installation.url, "/readyz", STARTED_WITHIN_S)
                yield
            except Failed as error:
                raise Failed(f"{version.name}: {error}\n{running.said()}") from None

    def _environment(self) -> dict[str, str]:
        # With the gateways' keys set, no version brings a sandbox of its own.
        env = product_environment(self.installation, private_environment())
        env.pop("PYTHONPATH", None)  # It would mix two versions.
        return env | ({"DATABASE_URL": self.database} if self.database else {})


@dataclass(frozen=True)
class Running:
    """A process, and the file that gathers what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait(self, url: str, path: str, within_s: float) -> None:
        """Return when it answers there. Raises Failed when it does not in time, or ends."""
        wait_until_ready(url, within_s, path=path, alive=lambda: self.process.poll() is None)

    def said(self) -> str:
        """Return the last lines of what it said."""
        return tail(self.log.read_text(encoding="utf-8", errors="replace"))


@contextmanager
def started(command: list[str], root: Path, env: Mapping[str, str], log: Path) -> Iterator[Running]:
    """Let a process run for the time of the block, and end it."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=root, env=env, stdout=output, stderr=output)
    try:
        yield Running(process, log)
    finally:
        process.terminate()
        try:
            process.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def earlier(ref: str, folder: Path) -> Version:
    """Lay out a version by its tag, branch or commit. Raises Failed for one that is not there."""
    done = subprocess.run(["git", "archive", ref], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise Failed(f"git knows no version {ref!r} here: {done.stderr.decode(errors='replace').strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    lock = "requirements/base.lock"
    same = (folder / lock).read_bytes() == (ROOT / lock).read_bytes()
    return Version(name=f"the version {ref}", root=folder, by_itself=not same)


def previous() -> str:
    """Return the release before this checkout, else the commit before. Raises Failed for neither."""
    tags = ["git", "describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD^"]
    for command in (tags, ["git", "rev-parse", "--verify", "HEAD^"]):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
    raise Failed("git has no earlier version here (in CI: fetch-depth: 0). Or name one: deploy upgrade REF")


def this_one(folder: Path) -> Version:
    """Lay out this checkout as it is, without what git ignores: no .env and no data of a developer."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
            (folder / name).chmod((ROOT / name).stat().st_mode & 0o777)
    return Version(name="this version", root=folder, by_itself=False)


def tail(text: str) -> str:
    """Return the last lines of what a process said."""
    return "\n".join(f"  | {line}" for line in text.strip().splitlines()[-SHOWN_LINES:])
