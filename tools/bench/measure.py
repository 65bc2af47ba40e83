"""One database's figures, step by step, in one run: what is compared takes turns, A B A B."""

import hashlib
import hmac
import json
import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from launcher.http import Client
from tools.bench.databases import Database, PgBench
from tools.bench.download import download
from tools.bench.events import send
from tools.bench.figures import Figure, Goal, Load, Series, rates, ratio
from tools.bench.load import Call, closed_loop, keep_calling, open_loop
from tools.bench.plan import Plan
from tools.bench.renewals import renew
from tools.bench.stand import NotMeasured, Server, Stand

ORDER = json.dumps({"customer_name": "John Doe", "customer_email": "john@example.com", "amount": 50.00})
JSON = {"Content-Type": "application/json"}
POSTS_PER_S, EVENTS_PER_S = 300, 200
ATTEMPT_CLIENTS = 24
COUNT_GOALS = {"POST payments": (1, 1), "GET payment": (1, 1), "settle": (6, 1)}


@dataclass
class Results:
    """What one database gave."""

    database: str
    version: str = ""
    figures: list[Figure] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)


class Measurement:
    """The servers of one database, and the steps that measure them."""

    def __init__(self, database: Database, plan: Plan, stand: Stand) -> None:
        self.plan, self.stand, self.results = plan, stand, Results(database=database.name)
        self._database = database
        self._is_sqlite = database.name == "SQLite"

    def run(self) -> Results:
        """Measure everything; a step that cannot is told of in its figure."""
        if self._database.why_not:
            self._add(Figure(name="everything", why_not=self._database.why_not, skipped=True))
            return self.results
        try:
            self._start()
        except NotMeasured as reason:
            self._add(Figure(name="everything", why_not=str(reason)))
            return self.results
        steps: dict[str, Callable[[], Iterator[Figure]]] = {
            "statements and transactions": self._statements,
            "create at many rows ÷ at few": self._sizes,
            "create": self._creates,
            "read": self._reads,
            "list": self._pages,
            "settle": self._settles,
            "while the gateway hangs": self._hangs,
            "CSV": self._csv,
            "renewals": self._renewals,
            "events": self._events,
        }
        for name, step in steps.items():
            try:
                self._add(*step())
            except (NotMeasured, OSError, ArithmeticError) as reason:
                self._add(Figure(name=name, why_not=str(reason)[:200]))
        return self.results

    def _add(self, *figures: Figure) -> None:
        for figure in figures:
            print(f"  {figure.name}: {figure}", flush=True)
            self.results.figures.append(figure)

    def _start(self) -> None:
        """Fill both databases, then start all servers: they idle while another one is measured."""
        rows = {self._database.small: self.plan.small_rows, self._database.large: self.plan.large_rows}
        print(f"  filling {' and '.join(f'{count:,}' for count in rows.values())} rows …", flush=True)
        with ThreadPoolExecutor(2) as pool:
            self.small, self.large = pool.map(self.stand.prepare, rows.keys(), rows.values())
        self.results.version = self.small.version
        product = "tillgate.wsgi:application"
        self.product, self.large_product = (
            self.stand.serve(product, prepared.url) for prepared in (self.small, self.large)
        )
        bare = "tools.bench.bare_settings"
        self.bare = self.stand.serve("tools.bench.bare:application", self.small.url, settings=bare)
        self.empty = self.stand.serve("tools.bench.empty:application", self.small.url)
        self.stand.start_sandbox()
        self.stand.wait(self.stand.sandbox_port, "/control/health")
        self.stand.wait(self.empty.port, "/")
        for server in (self.product, self.large_product):
            self.stand.wait(server.port, "/readyz")
        closed_loop(_post(self.bare, "/django/payments"), 1)
        for server in (self.product, self.large_product):
            closed_loop(_post(server), 1)

    def _statements(self) -> Iterator[Figure]:
        counted = self.stand.inside(self.small.url, "statements")
        for name, found in counted.items():
            limits = COUNT_GOALS.get(name, (None, 1))
            for what, limit in zip(("statements", "transactions"), limits, strict=True):
                goal = None if limit is None else Goal(limit=limit, at_most=True, hard=True)
                yield Figure(name=f"{name}: {what}", value=found[what], goal=goal)

    def _sizes(self) -> Iterator[Figure]:
        few, many = f"create at {self.plan.small_rows:,} rows", f"create at {self.plan.large_rows:,} rows"
        series = self._alternate(
            {few: _closed(_post(self.product)), many: _closed(_post(self.large_product))}
        )
        value = ratio(rates(series[many]), rates(series[few]))
        yield Figure(name=f"{many} ÷ at {self.plan.small_rows:,}", value=value, goal=Goal(limit=0.9))

    def _creates(self) -> Iterator[Figure]:
        ours, django, drf, empty = "POST payments", "bare Django + ORM", "DRF default", "empty HTTP answer"
        calls = {
            ours: _closed(_post(self.product)),
            django: _closed(_post(self.bare, "/django/payments")),
            drf: _closed(_post(self.bare, "/drf/payments")),
            empty: _closed(Call(port=self.empty.port, path="/")),
        }
        limit = None if self._is_sqlite else PgBench(self.small.url, self.stand.folder, self.small.insert)
        if limit and limit.program:
            calls["pgbench"] = lambda seconds: _only_rate(limit.run(seconds))
        series = self._alternate(calls)
        goals = (0.8, None) if self._is_sqlite else (1.4, 2.3)
        for name, at_least in zip((django, drf), goals, strict=True):
            goal = None if at_least is None else Goal(limit=at_least)
            yield Figure(name=f"{ours} ÷ {name}", value=_over(series, ours, name), goal=goal)
        if "pgbench" in series:
            yield Figure(
                name=f"{ours} ÷ pgbench", value=_over(series, ours, "pgbench"), goal=Goal(limit=0.15)
            )
        elif limit:
            yield Figure(name=f"{ours} ÷ pgbench", why_not="there is no pgbench here", skipped=True)
        yield Figure(name=f"{ours} ÷ {empty}", value=_over(series, ours, empty))
        mine = series[ours].middle
        yield Figure(name=f"{ours}: errors", value=mine.errors, goal=Goal(limit=0, at_most=True))
        quick = Goal(limit=500, at_most=True) if self._is_sqlite else None
        yield Figure(name=f"{ours}: p99, 16 at once", value=mine.p99_ms, unit="ms", goal=quick)
        yield Figure(name=f"{ours}: longest wait", value=mine.longest_ms, unit="ms")

    def _reads(self) -> Iterator[Figure]:
        ours, empty = "GET payment", "empty Django JSON view"
        calls = {
            ours: _closed(Call(port=self.product.port, path=f"/api/v1/payments/{self.small.deep}")),
            empty: _closed(Call(port=self.product.port, path="/healthz")),
        }
        value = _over(self._alternate(calls), ours, empty)
        yield Figure(name=f"{ours} ÷ {empty}, same stack", value=value, goal=Goal(limit=0.5))

    def _pages(self) -> Iterator[Figure]:
        first, deep = "list, first page", "list, deep page"
        path, key = "/api/v1/payments", {"Authorization": f"Bearer {self.large.key}"}
        port = self.large_product.port
        calls = {
            first: _closed(Call(port=port, path=path, headers=key)),
            deep: _closed(Call(port=port, path=f"{path}?cursor=after.{self.large.deep}", headers=key)),
        }
        series = self._alternate(calls)
        times = [[load.p50_ms for load in series[name].rounds] for name in (deep, first)]
        goal = Goal(limit=1.3, at_most=True)
        yield Figure(name=f"{deep} ÷ {first}", value=ratio(*times), goal=goal)

    def _settles(self) -> Iterator[Figure]:
        value = self.stand.inside(self.small.url, "settles", str(self.plan.settles))
        yield Figure(name="settle, one thread", value=value, unit="a second")

    def _hangs(self) -> Iterator[Figure]:
        sandbox, url = Client(), f"http://127.0.0.1:{self.stand.sandbox_port}/control/faults"
        fault = {"match": "paystack.initialize", "fault": "timeout_after", "times": 0}
        sandbox.post(url, {"faults": [fault]})
        paths = [f"/api/v1/payments/{reference}/attempts" for reference in self.small.open]
        # Named, or the next gateway would be tried, and these callers would be as quick as it is.
        stuck = [_post(self.product, path, '{"gateway": "paystack"}') for path in paths]
        creates = [_post(self.product)] * (POSTS_PER_S * self.plan.hang_s)
        idle, hung = Series(name="POST at 300/s, idle"), Series(name="POST at 300/s, gateway hangs")
        open_loop(creates[:POSTS_PER_S], per_s=POSTS_PER_S)
        for _ in range(self.plan.hang_rounds):
            idle.rounds.append(open_loop(creates, per_s=POSTS_PER_S))
            hung.rounds.append(
                open_loop(creates, per_s=POSTS_PER_S, beside=lambda: keep_calling(stuck, ATTEMPT_CLIENTS))
            )
        events = Series(name="webhook at 200/s, gateway hangs")
        calls = [self._event(number) for number in range(EVENTS_PER_S * (self.plan.webhook_s + 1))]
        open_loop(calls[:EVENTS_PER_S], per_s=EVENTS_PER_S)  # Warm: connections, modules, statements.
        events.rounds.append(
            open_loop(
                calls[EVENTS_PER_S:], per_s=EVENTS_PER_S, beside=lambda: keep_calling(stuck, ATTEMPT_CLIENTS)
            )
        )
        if not sandbox.get(url).json()["faults"][0]["hits"]:
            raise NotMeasured("no call to the gateway hung")
        self.results.series += [idle, hung, events]
        value = hung.middle.p99_ms / idle.middle.p99_ms
        yield Figure(
            name="POST p99 while the gateway hangs ÷ idle", value=value, goal=Goal(limit=2, at_most=True)
        )
        goal = Goal(limit=50, at_most=True)
        yield Figure(name="webhook p99, gateway hangs", value=events.middle.p99_ms, unit="ms", goal=goal)
        errors = sum(series.middle.errors for series in (idle, hung, events))
        yield Figure(name="errors at a fixed rate", value=errors, goal=Goal(limit=0, at_most=True))

    def _csv(self) -> Iterator[Figure]:
        got = download(self.large_product, "/api/v1/payments", self.large.key)
        yield Figure(name="CSV, rows a second", value=got.rows / got.seconds, goal=Goal(limit=50_000))
        goal = Goal(limit=30, at_most=True)
        yield Figure(name="CSV, memory over idle", value=got.memory_mb, unit="MB", goal=goal)

    def _renewals(self) -> Iterator[Figure]:
        found = renew(self.stand, self.small.url, self._database.name, self.plan.renewals)
        goal = Goal(limit=1_000)
        yield Figure(name="due renewals charged a second, 50 ms gateway", value=found.per_s, goal=goal)
        goal = Goal(limit=3, at_most=True)
        yield Figure(name="CPU per renewal", value=found.cpu_ms, unit="ms", goal=goal)

    def _events(self) -> Iterator[Figure]:
        found = send(self.stand, self.small.url, self.plan.events)
        yield Figure(name="events sent a second to one endpoint", value=found.per_s, goal=Goal(limit=500))
        goal = Goal(limit=2, at_most=True)
        yield Figure(name="CPU per event sent", value=found.cpu_ms, unit="ms", goal=goal)

    def _event(self, number: int) -> Call:
        data = {"id": 3_000_000_000 + number, "reference": f"ATT-{number:026}", "status": "success"}
        body = json.dumps({"event": "charge.success", "data": data})
        signature = hmac.new(self.stand.gateway_key.encode(), body.encode(), hashlib.sha512).hexdigest()
        headers = {**JSON, "x-paystack-signature": signature}
        path = "/api/v1/webhooks/paystack"
        return Call(port=self.product.port, path=path, method="POST", headers=headers, body=body)

    def _alternate(self, works: Mapping[str, Callable[[float], Load]]) -> dict[str, Series]:
        series = {name: Series(name=name) for name in works}
        for _ in range(self.plan.rounds):
            for name, work in works.items():
                series[name].rounds.append(work(self.plan.seconds))
        if refusing := [name for name, one in series.items() if one.refuses(self.plan.seconds)]:
            raise NotMeasured(f"errors are what they answer: {', '.join(refusing)}")
        self.results.series += series.values()
        return series


def _closed(call: Call) -> Callable[[float], Load]:
    return lambda seconds: closed_loop(call, seconds)


def _post(server: Server, path: str = "/api/v1/payments", body: str = ORDER) -> Call:
    return Call(port=server.port, path=path, method="POST", headers=JSON, body=body)


def _only_rate(per_s: float) -> Load:
    return Load(per_s=per_s, p50_ms=math.nan, p99_ms=math.nan, longest_ms=math.nan, errors=0)


def _over(series: Mapping[str, Series], ours: str, theirs: str) -> float:
    return ratio(rates(series[ours]), rates(series[theirs]))
