"""The product as one thing that starts, is ready, and stops: sandbox, migrations, worker, web server."""

import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import IO

from launcher.environment import (
    Installation,
    make_data_dir,
    product_environment,
    remember_ports,
    sandbox_environment,
    uses_sandbox,
)
from launcher.gateways import sandbox_folder
from launcher.processes import LOOK_EVERY_S, Group
from launcher.web import granian

READY_WITHIN_S = 60.0


class NotStarted(Exception):
    """The product cannot start or go on; the message says why, in words for the person at the terminal."""


class Stopped(Exception):
    """Somebody asked the product to stop while it was starting."""


class Product:
    """One running installation. Not reusable: make a new one for the next start."""

    def __init__(
        self, installation: Installation, outer: Mapping[str, str], output: IO[bytes] | None = None
    ) -> None:
        self.installation = installation
        self.group = Group(output)
        self.stop_asked = False
        self.has_sandbox = uses_sandbox(outer)
        # A key that opens real money is for whoever sits there, and for no log.
        self._shows_key = self.has_sandbox or (output is None and sys.stdout.isatty())
        self._outer = outer

    def obey_signals(self) -> None:
        """Let SIGINT and SIGTERM stop the product; a second SIGINT kills what has not ended yet."""
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)

    def start(self) -> None:
        """Start everything and return when web server and sandbox answer. Raises NotStarted or Stopped."""
        check_ports(self.installation, sandbox=self.has_sandbox)
        make_data_dir(self.installation.data_dir)
        env = product_environment(self.installation, self._outer)
        if self.has_sandbox:
            self.group.start("sandbox", self._sandbox(), sandbox_environment(self.installation, self._outer))
        self._prepare(env)
        self.group.start("worker", ["-m", "tillgate", "worker"], env)
        self.group.start("web server", granian(self.installation, env), env)
        if self.has_sandbox:
            self._wait(lambda: answers(self.installation.sandbox_port, "/control/health"))
        self._wait(lambda: answers(self.installation.port, "/readyz"))
        remember_ports(self.installation)  # Not before: another product may be running on this data.

    def watch(self) -> None:
        """Return when somebody asks to stop. Raises NotStarted when a child ends by itself."""
        while not self.stop_asked:
            self._check_children()
            time.sleep(LOOK_EVERY_S * 2)

    def stop(self) -> None:
        """End all processes, the web server first and the sandbox last."""
        self.group.stop()

    def _prepare(self, env: Mapping[str, str]) -> None:
        words = ["-m", "tillgate", "prepare", *["--show-key"] * self._shows_key]
        child = self.group.start("prepare", words, env)
        while child.process.poll() is None:
            if self.stop_asked:
                raise Stopped
            time.sleep(LOOK_EVERY_S)
        self.group.children.remove(child)
        if child.process.returncode:
            raise NotStarted("The database or the settings are not in order; what is wrong is said above.")

    def _wait(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not ready():
            if self.stop_asked:
                raise Stopped
            self._check_children()
            if time.monotonic() > deadline:
                raise NotStarted(f"Not ready after {READY_WITHIN_S:.0f} s; what its processes said is above.")
            time.sleep(LOOK_EVERY_S)

    def _check_children(self) -> None:
        dead = self.group.dead()
        if dead and not self.stop_asked:
            raise NotStarted(f"The {dead.name} ended by itself (exit status {dead.process.returncode}).")

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.group.force = self.stop_asked and number == signal.SIGINT
        self.stop_asked = True

    def _sandbox(self) -> list[str]:
        folder = str(sandbox_folder(self.installation.data_dir))
        where = ["--host", self.installation.host, "--port", str(self.installation.sandbox_port)]
        return ["-m", "sandbox", *where, "--data-dir", folder]


def check_ports(installation: Installation, *, sandbox: bool) -> None:
    """Raise NotStarted, naming the option to use, when a port is taken."""
    wanted = [("--port", installation.port)] + [("--sandbox-port", installation.sandbox_port)] * sandbox
    if len({port for _, port in wanted}) < len(wanted):
        raise NotStarted("--port and --sandbox-port must differ.")
    for option, port in wanted:
        if not is_free(port):
            raise NotStarted(f"Port {port} is taken. Choose another one: ./run {option} {free_ports(1)[0]}")


def is_free(port: int) -> bool:
    """Say whether nobody listens on that port of this machine."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(1)
        except OSError:
            return False
        return True


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, each another one."""
    listeners = [socket.socket() for _ in range(count)]
    try:
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()


def answers(port: int, path: str) -> bool:
    """Say whether GET of that path on this machine answers 200; http.client would cost us 8 MB."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode("ascii"))
            return connection.recv(64).split(b" ")[1:2] == [b"200"]
    except OSError:
        return False
