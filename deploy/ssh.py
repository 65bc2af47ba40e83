"""A plain server with compose as a target, told by ssh what to do; the script is on_host.sh."""

import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.failed import Failed
from deploy.ready import Say
from deploy.rollout import IMAGE

SCRIPT = Path(__file__).with_name("on_host.sh")
HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*@[A-Za-z0-9._:-]+")
ASK_WITHIN_S, DEPLOY_WITHIN_S = 60, 1_800
SHOWN_LINES = 15
OPTIONS = {
    "BatchMode": "yes",
    "StrictHostKeyChecking": "yes",
    "GlobalKnownHostsFile": "/dev/null",
    "IdentitiesOnly": "yes",
    "ConnectTimeout": "15",
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "8",
}


@dataclass(frozen=True, kw_only=True)
class Ssh:
    """`host` is user@name; `key` and `known_hosts` are what those files hold, no other host is trusted."""

    host: str
    port: int
    folder: str
    key: str = field(repr=False)
    known_hosts: str
    say: Say

    def __post_init__(self) -> None:
        if not HOST.fullmatch(self.host):
            raise Failed(f"DEPLOY_SSH_HOST must be user@host, not {self.host!r}.")
        if not self.folder.startswith("/"):
            raise Failed(f"DEPLOY_FOLDER must be a folder by its whole path, not {self.folder!r}.")

    def current(self) -> str | None:
        """Return what .env on the host names, None where it names none by its digest."""
        named = self._tell("current", within_s=ASK_WITHIN_S).strip()
        if named and not IMAGE.fullmatch(named):
            self.say(f"host      runs {named}, which is no image by digest: it cannot be gone back to")
        return named if IMAGE.fullmatch(named) else None

    def deploy(self, image: str) -> None:
        """Pull, migrate, start, and wait until compose calls all services healthy."""
        for line in self._tell("deploy", image, within_s=DEPLOY_WITHIN_S).splitlines():
            self.say(f"host      {line}")

    def _tell(self, word: str, *more: str, within_s: int) -> str:
        with self._command() as command:
            arguments = " ".join(map(shlex.quote, ("sh", "-s", "--", word, self.folder, *more)))
            try:
                done = subprocess.run(
                    [*command, self.host, arguments],
                    input=SCRIPT.read_text(encoding="utf-8"),
                    capture_output=True,
                    text=True,
                    timeout=within_s,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise Failed(
                    f"{self.host} did not finish {word!r} within {within_s} s, and may still go on."
                ) from None
        if done.returncode:
            said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-SHOWN_LINES:])
            raise Failed(f"{word!r} on {self.host} ended with {done.returncode}:\n{said}")
        return done.stdout

    @contextmanager
    def _command(self) -> Iterator[list[str]]:
        with tempfile.TemporaryDirectory(prefix="tillgate-ssh-") as name:
            key, known = Path(name, "key"), Path(name, "known_hosts")
            # ssh takes no key that others may read, and none without its last line's end.
            key.touch(mode=0o600)
            key.write_text(self.key.strip() + "\n", encoding="ascii")
            known.write_text(self.known_hosts.strip() + "\n", encoding="utf-8")
            options = {**OPTIONS, "UserKnownHostsFile": str(known)}
            flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
            yield ["ssh", "-F", "/dev/null", "-i", str(key), "-p", str(self.port), *flags]
