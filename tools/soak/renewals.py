"""Thousands of renewals due in one minute, by workers of which one is killed every few seconds."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from launcher.environment import ROOT, Environment, private_environment, sandbox_environment
from launcher.processes import Child, Group
from tools.bench.databases import Database
from tools.bench.stand import NotMeasured, Stand
from tools.soak.gateway import Gateway, Truth

CARDS = 20
LOOK_EVERY_S = 1
STEP_S = 300  # By which both clocks are moved while nothing but lost charges is left.
WEBHOOKS = "SANDBOX_PAYSTACK_WEBHOOK_URL"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How many renewals, how they are disturbed, and how long they may take.

    `hurry`: what a killed worker held is free when all else is done, not when its lease of a minute ends.
    """

    count: int
    workers: int = 2
    threads: int = 12
    kill_every_s: float = 5
    most_kills: int = 10_000
    within_s: float = 3_600
    hurry: bool = False
    per_s: int = 1_000


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of it; `problems` is empty when every subscription was charged exactly once."""

    truth: Truth
    kills: int
    seconds: float
    busy_s: float
    moved_s: int
    sent_again: int
    longest_s: float
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        twice, never = len(self.truth.twice), len(self.truth.missing)
        lines = [
            f"{self.truth.charged - twice:,} charged once, {twice} twice, {never} never",
            f"{self.kills} kills; {self.seconds:.0f} s, of which the queue was full for {self.busy_s:.0f} s",
            f"{self.truth.charged / self.busy_s:.1f} renewals a second in that time",
            f"{self.sent_again} charges were lost and sent again; both clocks were moved by {self.moved_s} s",
            f"from due to paid at most {self.longest_s:.0f} s, by the product's clock",
        ]
        return "\n".join(lines + self.problems)


class Inside:
    """The process that looks into the product."""

    def __init__(self, env: Environment, output: IO[bytes]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.soak.inside"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )

    def asked(self, *words: object) -> Any:
        """Return its answer. Raises NotMeasured when it has ended."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{json.dumps(words)}\n")
        self._process.stdin.flush()
        if not (line := self._process.stdout.readline()):
            raise NotMeasured(f"{words[0]} failed")
        return json.loads(line)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


class Soak:
    """One run on one database."""

    def __init__(self, database: Database, folder: Path, plan: Plan, say: Callable[[str], None]) -> None:
        self._plan, self._say, self._url = plan, say, database.small
        self._stand = Stand(folder)
        self._group = Group(self._stand.output)
        self._workers: list[Child] = []
        self._inside = Inside(self._stand.environment(self._url), self._stand.output)
        self._kills = self._moved_s = 0
        self._busy_s, self._told = 0.0, ""

    def run(self) -> Report:
        """Renew everything; raises NotMeasured where a process does not start."""
        try:
            with closing(self._start()) as gateway:
                began = time.monotonic()
                ended = self._renew(gateway, began)
                return self._judge(gateway, time.monotonic() - began, ended)
        finally:
            self._inside.close()
            self._group.force = True
            self._group.stop()
            self._stand.stop()

    def _start(self) -> Gateway:
        env = sandbox_environment(self._stand.installation, private_environment())
        words = ["--port", str(self._stand.sandbox_port), "--data-dir", str(self._stand.folder / "sandbox")]
        # Nothing but our own questions tells us of the money.
        self._group.start("sandbox", ["-m", "sandbox", *words], {**env, WEBHOOKS: ""})
        gateway = Gateway(self._stand.installation.sandbox_url, self._inside.asked("tables"))
        self._stand.wait(self._stand.sandbox_port, "/control/health")
        cards = [gateway.save_card(number) for number in range(CARDS)]
        self._workers = [self._worker() for _ in range(self._plan.workers)]
        self._inside.asked("store", self._plan.count, cards)
        return gateway

    def _worker(self) -> Child:
        env = {
            **self._stand.environment(self._url),
            "TILLGATE_RENEWALS_PER_SECOND": str(self._plan.per_s),
            "EMAIL_URL": "dummymail://",
        }
        return self._group.start("worker", ["manage.py", "worker", "--threads", str(self._plan.threads)], env)

    def _renew(self, gateway: Gateway, began: float) -> bool:
        """Look, kill and wait until all is paid; False when the time is over."""
        killed_at = time.monotonic()
        while time.monotonic() - began < self._plan.within_s:
            time.sleep(LOOK_EVERY_S)
            state = self._state(began)
            if state["paid"] == self._plan.count:
                return True
            if state["due"] or state["unopened"]:
                self._busy_s = time.monotonic() - began
                is_time = time.monotonic() - killed_at > self._plan.kill_every_s
                if is_time and self._kills < self._plan.most_kills:
                    self._kill()
                    killed_at = time.monotonic()
            elif not state["running"]:
                self._move_clocks(gateway)
            elif self._plan.hurry:
                self._state(began, hurry=True)
        return False

    def _state(self, began: float, *, hurry: bool = False) -> dict[str, Any]:
        state: dict[str, Any] = self._inside.asked("state", hurry)
        seconds, paid = time.monotonic() - began, state["paid"]
        told = f"{seconds:4.0f} s: {paid:,} of {self._plan.count:,} paid, {self._kills} kills"
        if (news := f"{paid} {self._kills} {state['attempts']}") != self._told:
            self._say(f"{told}, attempts {state['attempts']}")
        self._told = news
        return state

    def _kill(self) -> None:
        """Kill the worker that has lived longest, and start another."""
        victim = self._workers.pop(0)
        os.kill(victim.process.pid, signal.SIGKILL)
        victim.process.wait()
        self._workers.append(self._worker())
        self._kills += 1

    def _move_clocks(self, gateway: Gateway) -> None:
        gateway.advance(STEP_S)
        self._inside.asked("advance", STEP_S)
        self._moved_s += STEP_S

    def _judge(self, gateway: Gateway, seconds: float, ended: bool) -> Report:
        said = self._inside.asked("verdict")
        truth = gateway.truth(said["references"])
        problems = [] if ended else ["The time was over before all was paid."]
        problems += [f"charged twice: {cycle}" for cycle in truth.twice]
        problems += [f"never charged: {cycle}" for cycle in truth.missing]
        problems += [f"strange in the journal: {reference}" for reference in truth.strange]
        problems += said["violations"]
        problems += [f"{said[name]} {name}" for name in ("surplus", "dead_jobs") if said[name]]
        return Report(
            truth=truth,
            kills=self._kills,
            seconds=seconds,
            busy_s=max(self._busy_s, LOOK_EVERY_S),
            moved_s=self._moved_s,
            sent_again=said["sent_again"],
            longest_s=said["longest_s"],
            problems=problems,
        )
