"""The house rules of tools/lints.py, each shown once red and once green."""

import ast

import pytest

from tools import lints

RED = {
    "float": ["float(amount)", "amount * 1.5"],
    "clock": [
        "datetime.now(UTC)",
        "datetime.datetime.now()",
        "timezone.now()",
        "time.time()",
        "date.today()",
    ],
    "chance": ["random.random()", "uuid4()", "uuid.uuid4()"],
    "tls": ["Client(verify=False)"],
    "mark-safe": ["mark_safe(text)"],
    "sql": ["connection.cursor()", "Payment.objects.raw('SELECT 1')", "cursor.execute('SELECT 1')"],
    "compare": ["signature == sent", "hexdigest(body) != signature"],
    "bytes": [
        "hmac.compare_digest(signature, sent)",
        "compare_digest(expected.hexdigest(), sent.encode())",
        "secrets.compare_digest('a', b'a')",
    ],
    "status": [
        "payment.status = 'failed'",
        "rows.update(status='failed')",
        "setattr(payment, 'status', x)",
        "note(payment, 'x', status='failed')",
    ],
    "settle": [
        "payment.status = PaymentStatus.COMPLETED",
        "move_payment(payment, PaymentStatus.COMPLETED)",
        "moves.move_payment(payment, to='completed')",
    ],
    "http": [
        "from django.http import HttpRequest",
        "import django.http",
        "from django.shortcuts import render",
    ],
}
GREEN = {
    "float": ["Decimal(text)", "timeout = 1.5"],
    "clock": ["clock.now()", "time.monotonic()"],
    "chance": ["secrets.token_hex(16)"],
    "tls": ["Client(verify=context)"],
    "mark-safe": ["format_html('<b>{}</b>', name)"],
    "sql": ["Payment.objects.filter(pk=1)"],
    "compare": ["hmac.compare_digest(signature, sent)", "signature == ''", "len(digest) == n"],
    "bytes": ["hmac.compare_digest(expected.encode(), sent.encode())", "compare_digest(mac.digest(), b'a')"],
    "status": ["status = payment.status", "rows.update(late=True)"],
    "settle": ["payment.status == PaymentStatus.COMPLETED", "move_payment(payment, PaymentStatus.FAILED)"],
    "http": ["from django.db import models"],
}


def breaches(rule_name, code):
    rule = next(rule for rule in lints.RULES if rule.name == rule_name)
    return any(rule.found(node) for node in ast.walk(ast.parse(code)))


@pytest.mark.parametrize(("rule", "code"), [(rule, code) for rule, codes in RED.items() for code in codes])
def test_a_breach_is_found(rule, code):
    assert breaches(rule, code)


@pytest.mark.parametrize(("rule", "code"), [(rule, code) for rule, codes in GREEN.items() for code in codes])
def test_good_code_is_left_alone(rule, code):
    assert not breaches(rule, code)


def test_a12_no_signature_of_ours_is_compared_by_time_or_as_text():
    rules = [rule for rule in lints.RULES if rule.name in ("compare", "bytes")]

    assert len(rules) == 2
    assert not [said for said in lints.problems() if any(f" {rule.name}:" in said for rule in rules)]


def test_every_rule_is_shown_both_ways():
    assert {rule.name for rule in lints.RULES} == set(RED) == set(GREEN)


@pytest.mark.parametrize("text", ["{{ name|safe }}", "{{ name | safeseq }}", "{% autoescape off %}"])
def test_a_template_that_does_not_escape_is_found(text):
    assert lints.unescaped(f"<p>{text}</p>")


@pytest.mark.parametrize("text", ["{{ name }}", "{{ name|safely }}", "{% autoescape on %}", "safe"])
def test_a_template_that_escapes_is_left_alone(text):
    assert not lints.unescaped(f"<p>{text}</p>")


def test_an_excuse_needs_the_rule_and_a_reason():
    assert lints._excused("x = float(y)  # lint: float, because it is seconds", "float")
    assert not lints._excused("x = float(y)  # lint: float", "float")
    assert not lints._excused("x = float(y)  # lint: clock, because it is seconds", "float")
