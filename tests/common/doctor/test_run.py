"""The doctor itself: no examination hangs it, ends it or says a secret."""

import threading
import time
from dataclasses import replace

import pytest
from django.db import OperationalError, connection, connections

from tillgate.common.doctor.findings import Examination, Finding, Verdict, broken, look, ok
from tillgate.common.doctor.run import PROBE, _limited, run, worst

pytestmark = pytest.mark.django_db(transaction=True)
FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def examine(function, *, about="thing", reads=False, within_s=5.0):
    return Examination(about=about, examine=function, reads=reads, within_s=within_s)


def fails(message):
    def examination():
        yield ok("So far it goes.")
        raise ValueError(message)

    return examination


def ask(sql):
    def examination():
        with connection.cursor() as cursor:
            cursor.execute(sql)
            yield ok(str(cursor.fetchone()[0]))

    return examination


def test_findings_say_what_they_are_about():
    findings = run([examine(lambda: [ok("Well.")], about="disk"), examine(lambda: [look("Odd.", "Look.")])])

    assert [(one.about, one.verdict, one.seen, one.fix) for one in findings] == [
        ("disk", "ok", "Well.", ""),
        ("thing", "look at it", "Odd.", "Look."),
    ]


def test_what_is_about_one_thing_stands_together():
    def of(about):
        return examine(lambda: [ok("Well.")], about=about)

    assert [one.about for one in run([of("b"), of("a"), of("b")])] == ["b", "b", "a"]


@pytest.mark.parametrize("message", ["no such thing", "", "two\nlines"])
def test_an_examination_that_fails_is_a_finding_and_the_next_one_runs(message):
    findings = run([examine(fails(message)), examine(lambda: [ok("Well.")])])

    assert [one.verdict for one in findings] == ["broken", "ok"]
    assert findings[0].seen.startswith("It could not be examined: ValueError")
    assert "\n" not in findings[0].seen
    assert findings[0].fix


def test_the_reason_of_a_failure_holds_no_secret_and_is_short():
    secrets = "sk_live_canary0123456789 whsec_canary me@example.com 4084084084084081 "
    (finding,) = run([examine(fails(secrets + "x" * 5_000))])

    for word in ("canary", "me@example.com", "4084084084084081"):
        assert word not in finding.seen
    assert len(finding.seen) < 300


def test_one_that_hangs_is_given_up():
    released = threading.Event()
    began = time.monotonic()

    findings = run([examine(lambda: released.wait(30) and [], within_s=0.3), examine(lambda: [ok("Well.")])])
    released.set()

    assert time.monotonic() - began < 10
    assert [one.verdict for one in findings] == ["look at it", "ok"]
    assert "Not examined within" in findings[0].seen


def test_a_statement_that_takes_too_long_is_ended_by_the_database():
    began = time.monotonic()
    findings = run([examine(ask(FOREVER), reads=True, within_s=1)])

    assert time.monotonic() - began < 15
    assert [one.verdict for one in findings] == ["look at it"]

    with pytest.raises(OperationalError), _limited(0.2):
        list(ask(FOREVER)())
    if connection.vendor == "sqlite":
        connection.connection.set_progress_handler(None, 0)


def test_an_ended_statement_leaves_no_limit_behind():
    run([examine(ask("SELECT 1"), reads=True, within_s=1)])

    assert [one.seen for one in run([examine(ask("SELECT 2"), reads=True)])] == ["2"]


def test_when_all_time_is_used_up_the_rest_is_left_out():
    findings = run([examine(lambda: [ok("Well.")])], altogether_s=0)

    assert [one.verdict for one in findings] == ["look at it"]


def test_a_database_that_does_not_answer_is_said_once(monkeypatch):
    def gone(self):
        raise OperationalError('connection to server at "10.0.0.5" failed for password=hunter2')

    reads = [examine(ask("SELECT 1"), reads=True)] * 5
    with monkeypatch.context() as patch:
        patch.setattr(type(connections["default"]), "ensure_connection", gone)
        findings = run([*reads, examine(lambda: [ok("Well.")], about="disk")])

    assert [(one.about, one.verdict) for one in findings] == [("database", "broken"), ("disk", "ok")]
    assert findings[0].seen.startswith("It does not answer: OperationalError")
    assert "hunter2" not in findings[0].seen


def test_a_database_that_hangs_is_as_bad_as_none(monkeypatch):
    released = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(type(connections["default"]), "ensure_connection", lambda self: released.wait(30))
        patch.setattr("tillgate.common.doctor.run.PROBE", replace(PROBE, within_s=0.3))
        findings = run([examine(ask("SELECT 1"), reads=True)])
        released.set()

    assert [(one.about, one.verdict) for one in findings] == [("database", "broken")]


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [([], "ok"), (["ok"], "ok"), (["ok", "look at it"], "look at it"), (["broken", "look at it"], "broken")],
)
def test_all_of_it_is_as_its_worst_part(verdicts, whole):
    assert worst([Finding(verdict=Verdict(verdict), seen="") for verdict in verdicts]) == whole


def test_a_finding_is_one_line():
    assert str(broken("It is gone.", "Bring it back.")).splitlines() == [
        "broken                 It is gone. Fix: Bring it back."
    ]
    assert "Fix" not in str(ok("Well."))
