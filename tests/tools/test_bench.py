"""The bench: how its ratios, counts and pages are made. (What it measures is shown by running it.)"""

import json

import pytest

from launcher.environment import Installation
from launcher.web import granian
from tools.bench.figures import Figure, Goal, Load, Series, number, ratio
from tools.bench.load import Call, read_wrk, summary
from tools.bench.measure import Results
from tools.bench.report import markdown, table
from tools.bench.slow_gateway import Books
from tools.bench.stand import PROCESSES, web_command
from tools.bench.statements import Counted, count


def make_load(per_s=100.0, **fields):
    return Load(**{"per_s": per_s, "p50_ms": 1.0, "p99_ms": 2.0, "longest_ms": 3.0, "errors": 0, **fields})


def test_a_ratio_is_the_median_of_the_rounds_so_that_one_bad_round_does_not_count():
    assert ratio([200, 20, 300], [100, 100, 100]) == 2


def test_a_series_keeps_the_longest_wait_and_every_error_of_its_rounds():
    series = Series(name="POST", rounds=[make_load(10, longest_ms=9, errors=1), make_load(30), make_load(20)])

    assert series.middle == make_load(20, longest_ms=9, errors=1)


@pytest.mark.parametrize(("errors", "refuses"), [(0, False), (100, False), (101, True), (200, True)])
def test_what_mostly_answers_with_errors_is_told_apart_from_what_is_quick(errors, refuses):
    series = Series(name="bare", rounds=[make_load(100), make_load(100, errors=errors)])

    assert series.refuses(seconds=2) == refuses


@pytest.mark.parametrize(
    ("value", "at_most", "is_met"),
    [(1.4, False, True), (1.3, False, False), (1.4, True, True), (1.5, True, False)],
)
def test_a_goal_has_a_side(value, at_most, is_met):
    assert Goal(limit=1.4, at_most=at_most).is_met(value) == is_met


def test_only_what_could_not_be_measured_and_hard_goals_fail_a_run():
    missed = Figure(name="ratio", value=1.0, goal=Goal(limit=1.4))
    too_many = Figure(name="statements", value=2, goal=Goal(limit=1, at_most=True, hard=True))
    broken = Figure(name="CSV", why_not="the server ended")
    skipped = Figure(name="pgbench", why_not="there is no pgbench here", skipped=True)

    assert [figure.fails for figure in (missed, too_many, broken, skipped)] == [False, True, True, False]
    assert (str(missed), str(broken)) == ("1 (missed)", "NOT MEASURED: the server ended")


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0.00712, "0.00712"), (1.4142, "1.41"), (31.25, "31.2"), (50_000.7, "50,001"), (2, "2")],
)
def test_a_figure_is_printed_with_three_digits(value, printed):
    assert number(value) == printed


def test_statements_are_counted_without_the_marks_of_transactions():
    sent = ["BEGIN", "SELECT 1", 'SAVEPOINT "s"', "INSERT 1", 'RELEASE SAVEPOINT "s"', "COMMIT", "SELECT 2"]

    assert count(sent) == Counted(statements=3, transactions=2)


def test_the_line_of_wrk_is_read_as_milliseconds():
    load = read_wrk("Running 1s test\nFIGURES 500 2000000 1500 9000 12000 3\n")

    assert load == Load(per_s=250, p50_ms=1.5, p99_ms=9, longest_ms=12, errors=3)


def test_times_of_an_open_loop_become_percentiles():
    load = summary([number / 1000 for number in range(1, 101)], seconds=2, errors=0)

    assert (load.per_s, load.p50_ms, load.p99_ms, load.longest_ms) == (50, 51, 100, 100)


def test_a_call_is_written_as_http():
    call = Call(port=1, path="/x", method="POST", headers={"A": "b"}, body="é")

    assert call.wire == "POST /x HTTP/1.1\r\nHost: 127.0.0.1:1\r\nA: b\r\nContent-Length: 2\r\n\r\né".encode()


def test_the_page_shows_databases_side_by_side_with_their_goals():
    figures = [Figure(name="POST ÷ bare", value=1.5, goal=Goal(limit=1.4))]
    series = [Series(name="POST", rounds=[make_load()])]
    results = [
        Results(database="SQLite", version="3.40"),
        Results(database="PostgreSQL", version="15.4", figures=figures, series=series),
    ]

    page = markdown(results, command="./run bench")

    assert "| POST ÷ bare |        |      | 1.5        | ≥ 1.4 |" in page
    assert "| POST |" in page
    assert "`./run bench`" in page
    assert "PostgreSQL 15.4" in page


def test_a_table_is_aligned():
    assert table([["", "a"], ["bb", "c"]]) == "|    | a |\n|----|---|\n| bb | c |\n"


def test_the_bench_serves_as_the_product_does(tmp_path):
    served = granian(Installation(data_dir=tmp_path, port=8123), {"TILLGATE_WEB_PROCESSES": str(PROCESSES)})

    assert web_command(8123, "tillgate.wsgi:application") == served


def test_the_slow_gateway_takes_the_money_of_one_reference_once():
    books = Books()
    asked = {"reference": "SUB-A-1-1", "amount": 5_000, "currency": "NGN", "authorization_code": "AUTH_1"}

    (first, charged), (second, refused) = books.charge(asked), books.charge(asked)

    assert (first, second) == (200, 400)
    assert json.loads(charged)["data"]["status"] == "success"
    assert json.loads(refused)["message"] == "Duplicate Transaction Reference"
    assert books.read("/transaction/verify/SUB-A-1-1")[0] == 200
    assert books.read("/transaction/verify/SUB-B-1-1")[0] == 404
    assert json.loads(books.read("/figures")[1]) == {"charges": 1, "refused": 1, "seconds": 0.0}
