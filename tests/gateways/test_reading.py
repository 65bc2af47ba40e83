"""Reading what a gateway sent: whatever it is, it becomes something harmless or nothing."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillgate.gateways import reading
from tillgate.money import MAX_MINOR, Money

TAKEN = frozenset({"NGN", "XOF"})
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(anything)
def test_nothing_that_comes_is_a_crash(value):
    assert reading.text(value).isprintable()
    assert reading.clean(value, 30).isprintable()
    assert len(reading.shown(value)) <= 80
    assert reading.shown(value).isascii()
    assert isinstance(reading.below(value, "a", "b"), dict)
    assert isinstance(reading.first({"rows": value}, "rows"), dict)
    assert reading.moment(value) is None or reading.moment(value).tzinfo == UTC
    assert reading.link(value) == ""
    assert reading.number(value) is None or reading.number(value).isdigit()
    assert isinstance(reading.money(value, value, TAKEN), Money | None)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("née", "née"),
        ("", ""),
        ("a\nb", ""),
        ("a\x00", ""),
        ("\ud800", ""),
        ("x" * 11, ""),
        (5, ""),
        (None, ""),
    ],
)
def test_a_text_is_kept_whole_or_not_at_all(value, read):
    assert reading.text(value, 10) == read


def test_a_word_is_cleaned_of_what_a_table_cannot_keep():
    assert reading.clean("a\nb\x00c\ud800" + "x" * 50, 8) == "abcxx"


def test_an_object_is_found_at_the_end_of_its_path():
    assert reading.below({"a": {"b": {"c": 1}}}, "a", "b") == {"c": 1}
    assert reading.below({"a": [1]}, "a", "b") == {}
    assert reading.first({"rows": [{"a": 1}, {"a": 2}]}, "rows") == {"a": 1}
    assert reading.first({"rows": ["text"]}, "rows") == {}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"\xef\xbb\xbf{}", b"[" * 100_000, b"5"])
def test_bytes_that_are_no_object_are_an_empty_one(body):
    assert reading.json_object(body) == {}


def test_a_moment_has_a_zone_and_is_told_in_utc():
    assert reading.moment("2026-01-31T13:00:00+01:00") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    for odd in ("2026-01-31T13:00:00", "soon", None, "9999-12-31T23:59:59-23:59"):
        assert reading.moment(odd) is None


@pytest.mark.parametrize(
    "value", ["ftp://a.example", "javascript:alert(1)", "//a.example", "https://a\n", 5, None]
)
def test_a_browser_is_sent_to_no_other_than_a_web_address(value):
    assert reading.link("https://a.example/1") == "https://a.example/1"
    assert reading.link("http://127.0.0.1/1") == "http://127.0.0.1/1"
    assert reading.link(value) == ""
    assert reading.link("https://" + "a" * 2_000) == ""


@pytest.mark.parametrize(
    ("value", "read"),
    [(7, "7"), ("7", "7"), ("007", "007"), (10**18 - 1, "9" * 18), (10**18, None), ("9" * 19, None)],
)
def test_a_numeric_id_is_kept_as_text(value, read):
    assert reading.number(value) == read


@pytest.mark.parametrize("value", [0, -1, True, 7.0, "", "-7", "7.0", "\u0667", " 7", None, [7]])
def test_what_is_no_numeric_id_is_none(value):
    assert reading.number(value) is None


def test_an_amount_is_exact():
    assert reading.money("10.50", "NGN", TAKEN) == Money(1_050, "NGN")
    assert reading.money("0", "XOF", TAKEN) == Money(0, "XOF")


@pytest.mark.parametrize(
    ("major", "currency"),
    [
        ("10.505", "NGN"),
        ("10.50", "XOF"),
        ("-1", "NGN"),
        ("1e3", "NGN"),
        ("NaN", "NGN"),
        (10, "NGN"),
        ("10", "USD"),
        ("10", None),
        ("10", ["NGN"]),
        (str(MAX_MINOR), "NGN"),
    ],
)
def test_what_is_no_amount_of_ours_is_none(major, currency):
    assert reading.money(major, currency, TAKEN) is None


def test_the_first_start_in_a_table_decides():
    table = {"charge.dispute.": 1, "charge.": 2}

    assert reading.by_start(table, "charge.dispute.create") == 1
    assert reading.by_start(table, "charge.success") == 2
    assert reading.by_start(table, "recharge.success") is None
