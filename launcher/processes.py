"""Child processes that live and die together, in the launcher's own process group."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from launcher.environment import ROOT

STOP_WITHIN_S = 15.0
LOOK_EVERY_S = 0.05
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, kw_only=True)
class Child:
    """A process we started, under the name that people know it by."""

    name: str
    process: subprocess.Popen[bytes]


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Megabytes: `rss` counts shared pages once a process, `pss` once altogether."""

    rss: float
    pss: float


class Group:
    """The children; the first one started is the last one that `stop()` ends."""

    def __init__(self, output: IO[bytes] | None = None) -> None:
        self.children: list[Child] = []
        self.force = False
        self._output = output

    def start(self, name: str, arguments: Sequence[str], env: Mapping[str, str]) -> Child:
        """Start `python ARGUMENTS` from the repository's root."""
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            preexec_fn=_before_exec,
        )
        child = Child(name=name, process=process)
        self.children.append(child)
        return child

    def dead(self) -> Child | None:
        """Return a child that has ended, if there is one."""
        return next((child for child in self.children if child.process.poll() is not None), None)

    def dead_count(self) -> int:
        """Return how many children have ended."""
        return sum(child.process.poll() is not None for child in self.children)

    def stop(self) -> None:
        """End every child with SIGTERM; with SIGKILL what is left after 15 s or on `force`."""
        deadline = time.monotonic() + STOP_WITHIN_S
        # Theirs only: whoever started us may have started others.
        pids = [child.process.pid for child in self.children]
        everything = [*pids, *(below for pid in pids for below in descendants(pid))]
        for batch in (self.children[1:], self.children[:1]):
            running = [child.process for child in batch if child.process.poll() is None]
            for process in running:
                process.terminate()
            while any(process.poll() is None for process in running):
                if time.monotonic() > deadline or self.force:
                    break
                time.sleep(LOOK_EVERY_S)
        if self.dead_count() < len(self.children):
            _kill(everything)
        for child in self.children:
            child.process.wait()
        self.children.clear()


def descendants(pid: int) -> list[int]:
    """Return the ids of all processes below `pid`; empty where there is no /proc."""
    parents = dict(_parents())
    found: list[int] = []
    for _ in range(8):
        found = [child for child, parent in parents.items() if parent == pid or parent in found]
    return found


def memory_of_group() -> Memory | None:
    """Return the memory of this process and all below it; None where the system does not say."""
    rollups = [_rollup(pid) for pid in [os.getpid(), *descendants(os.getpid())]]
    rss, pss = (sum(rollup.get(field, 0) for rollup in rollups) / 1024 for field in ("Rss", "Pss"))
    return Memory(rss=rss, pss=pss) if rss else None


def _before_exec() -> None:
    # Ctrl-C reaches the whole group; only the launcher acts on it, and tells the children in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        # A launcher killed with -9 leaves nobody behind.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _parents() -> Iterable[tuple[int, int]]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name in brackets may hold anything; state and parent follow the last bracket.
            yield int(path.parent.name), int(path.read_text(errors="replace").rpartition(")")[2].split()[1])


def _rollup(pid: int) -> dict[str, int]:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return {}
    pairs = (line.split()[:2] for line in lines)
    return {name.rstrip(":"): int(kilobytes) for name, kilobytes in pairs}
