"""What is found when we look back at money that came in: refunds from a dashboard, disputes, and our own."""

from datetime import timedelta

import pytest

from tests.builders import make_attempt, make_dispute, make_payment, make_refund, make_settled, make_snapshot
from tests.fakes import DisputingGateway
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.events.models import Event
from tillgate.gateways import registry
from tillgate.gateways.errors import GatewayUnknown, Unreachable
from tillgate.gateways.protocol import (
    DisputeSnapshot,
    DisputeState,
    GatewayState,
    RefundSnapshot,
    RefundState,
)
from tillgate.ledger.models import Entry
from tillgate.money import Money
from tillgate.payments.models import Dispute, Payment, Refund, Surplus
from tillgate.payments.services import look_back as looking
from tillgate.payments.services.look_back import LOOKS, look_back, queue_due
from tillgate.payments.services.review import resolve_review
from tillgate.payments.services.sync import LADDER_S, apply_answer
from tillgate.payments.services.verify import violations, waiting_for_a_person

LOST = GatewayUnknown("the answer was lost")


@pytest.fixture
def script(gateway, monkeypatch):
    """A gateway that lists disputes, too."""
    monkeypatch.setitem(registry.GATEWAYS, "paystack", type("Fake", (DisputingGateway,), {"script": gateway}))
    return gateway


@pytest.fixture
def paid(merchant, script):
    return make_settled(make_payment(merchant))


def row(id="R1", minor=2_000, state=RefundState.SUCCEEDED, note=""):
    return RefundSnapshot(state=state, gateway_id=id, amount=Money(minor, "NGN"), note=note)


def contested(state=DisputeState.OPEN, id="D1", minor=5_000):
    return DisputeSnapshot(state=state, gateway_id=id, amount=Money(minor, "NGN"))


def status_of(paid):
    payment = Payment.objects.get(pk=paid.payment_id)
    return payment.status, payment.refunded_minor


def test_a_refund_from_the_dashboard_is_imported_and_booked_as_our_own(paid, script):
    script.says("list_refunds", (row(),))

    for _ in range(2):
        assert look_back(paid.pk)

    refund = Refund.objects.get()
    assert (refund.origin, refund.status, refund.gateway_id, refund.idempotency_hash) == (
        "gateway",
        "succeeded",
        "R1",
        None,
    )
    assert status_of(paid) == ("partially_refunded", 2_000)
    types = Event.objects.filter(subject=refund.reference).values_list("type", flat=True)
    assert list(types) == ["refund.pending", "refund.succeeded"]
    assert sum(Entry.objects.filter(account="sales").values_list("amount_minor", flat=True)) == -3_000
    assert list(violations()) == []


def test_a_refund_under_way_is_imported_and_asked_about_until_it_ends(paid, script):
    script.says("list_refunds", (row(state=RefundState.PENDING),))
    script.says("fetch_refund", row())
    look_back(paid.pk)
    between = status_of(paid)

    clock.advance(LADDER_S[0])
    run_due_jobs()

    assert (between, status_of(paid)) == (("completed", 0), ("partially_refunded", 2_000))


def test_a_refund_that_failed_elsewhere_is_nothing_to_us(paid, script):
    script.says("list_refunds", (row(state=RefundState.FAILED),))

    look_back(paid.pk)

    assert not Refund.objects.exists()


def test_g27_a_refund_that_failed_after_all_is_taken_back(paid, script):
    script.says("list_refunds", (row(minor=5_000),), (row(minor=5_000, state=RefundState.FAILED),))
    look_back(paid.pk)
    between = status_of(paid)

    look_back(paid.pk)

    assert (between, status_of(paid)) == (("refunded", 5_000), ("completed", 0))
    assert list(violations()) == []


def test_i10_an_import_beyond_what_came_in_is_parked_until_there_is_room(paid, script):
    script.says("list_refunds", (row("R2", 2_000), row("R1", 4_000)))
    look_back(paid.pk)
    parked = Refund.objects.get(gateway_id="R2")
    between = (status_of(paid), parked.status)
    assert any(parked.reference in line for line in waiting_for_a_person())

    script.says("list_refunds", (row("R2", 2_000), row("R1", 4_000, state=RefundState.FAILED)))
    for _ in range(2):
        look_back(paid.pk)

    parked.refresh_from_db()
    assert between == (("partially_refunded", 4_000), "unknown")
    assert (status_of(paid), parked.status) == (("partially_refunded", 2_000), "succeeded")
    assert list(violations()) == []


def test_g26_our_own_unanswered_refund_is_not_imported_a_second_time(paid, script):
    ours = make_refund(paid.payment, paid, amount_minor=2_000, status="unknown", listed_before=[])
    script.says("list_refunds", (row("R2", minor=1_000), row("R1")))

    look_back(paid.pk)

    ours.refresh_from_db()
    assert (ours.status, ours.gateway_id) == ("unknown", None)
    assert list(Refund.objects.exclude(pk=ours.pk).values_list("gateway_id", flat=True)) == ["R2"]


def test_our_note_is_certain_proof(paid, script):
    ours = make_refund(paid.payment, paid, amount_minor=2_000, status="unknown", listed_before=[])
    script.says("list_refunds", (row("R2"), row("R1", note=ours.reference)))

    look_back(paid.pk)
    look_back(paid.pk)

    ours.refresh_from_db()
    assert (ours.status, ours.gateway_id) == ("succeeded", "R1")
    assert status_of(paid) == ("partially_refunded", 4_000)
    assert list(violations()) == []


def test_a_refund_that_we_gave_up_and_the_gateway_lists_is_for_a_person(paid, script):
    ours = make_refund(paid.payment, paid, amount_minor=2_000, status="failed", explanation="refused")
    script.says("list_refunds", (row(note=ours.reference),))

    for _ in range(2):
        look_back(paid.pk)

    assert status_of(paid) == ("completed", 0)
    assert sum(ours.reference in line for line in waiting_for_a_person()) == 1


def test_g18_money_reversed_an_hour_later_is_found_explained_and_booked(paid, script):
    script.says("list_refunds", (row(minor=5_000),))
    clock.advance(1_800)

    apply_answer(paid, make_snapshot(paid, GatewayState.REVERSED))
    queue_due()
    run_due_jobs()

    assert status_of(paid) == ("refunded", 5_000)
    assert list(waiting_for_a_person()) == []
    assert list(violations()) == []


def test_g18_money_reversed_by_a_lost_dispute_is_charged_back(paid, script):
    script.says("list_disputes", (contested(DisputeState.LOST),))

    apply_answer(paid, make_snapshot(paid, GatewayState.REVERSED))
    queue_due()
    run_due_jobs()

    assert Payment.objects.get().status == "charged_back"
    assert list(waiting_for_a_person()) == []
    assert list(violations()) == []


def test_g18_a_reversal_that_nothing_explains_stays_for_a_person(paid, script):
    apply_answer(paid, make_snapshot(paid, GatewayState.REVERSED))
    queue_due()
    run_due_jobs()

    assert status_of(paid) == ("completed", 0)
    [line] = waiting_for_a_person()
    assert "took the money back after it had settled" in line


def test_the_reversal_of_a_second_transaction_says_nothing_of_the_first(paid, script):
    script.says("list_refunds", lambda ref: (row(minor=5_000),) if ref.gateway_id == "second" else ())
    apply_answer(paid, make_snapshot(paid, GatewayState.REVERSED, gateway_id="second"))

    queue_due()
    run_due_jobs()

    paid.refresh_from_db()
    assert paid.reversed_at is None
    assert Refund.objects.get().surplus == Surplus.objects.get()
    assert Payment.objects.get().surplus_minor == 0
    assert list(violations()) == []


def test_reviewed_money_that_was_booked_as_reversed_is_not_imported_again(merchant, script):
    attempt = make_attempt(make_payment(merchant))
    apply_answer(attempt, make_snapshot(attempt, GatewayState.REVERSED))
    resolve_review(attempt.payment_id, "refund")
    script.says("list_refunds", (row(minor=5_000),))

    look_back(attempt.pk)

    refund = Refund.objects.get()
    assert (refund.gateway_id, refund.origin) == ("R1", "gateway")
    assert list(violations()) == []


def test_reviewed_money_that_the_dashboard_sent_back_is_refunded(merchant, script):
    attempt = make_attempt(make_payment(merchant))
    apply_answer(attempt, make_snapshot(attempt, amount=Money(4_000, "NGN")))
    script.says("list_refunds", (row(minor=4_000),))

    look_back(attempt.pk)

    assert status_of(attempt) == ("refunded", 4_000)
    assert list(violations()) == []


def test_money_that_was_surplus_from_the_start_is_looked_at_as_such(paid, script):
    second = make_attempt(paid.payment, status="superseded")
    apply_answer(second, make_snapshot(second))
    script.says("list_refunds", (row(minor=5_000),))
    script.says("list_disputes", (contested(DisputeState.LOST),))

    look_back(second.pk)

    assert Refund.objects.get().surplus == Dispute.objects.get().surplus == Surplus.objects.get()
    assert status_of(paid) == ("completed", 0)
    assert list(violations()) == []


@pytest.mark.parametrize("error", [LOST, Unreachable("no line")])
def test_a_silent_gateway_changes_nothing_and_is_asked_again(paid, script, error):
    script.says("list_refunds", error)

    assert not look_back(paid.pk)

    paid.refresh_from_db()
    assert paid.looked_back_at is None
    assert paid.look_back_at > clock.now()


def test_what_never_came_in_cannot_have_gone_back(payment, script):
    assert not look_back(make_attempt(payment).pk)
    assert script.calls == []


def test_the_ladder_looks_ten_times_in_half_a_year(paid, script):
    looked = []
    while paid.look_back_at:
        clock.advance(int((paid.look_back_at - clock.now()).total_seconds()) + 1)
        assert queue_due() == 1
        run_due_jobs()
        paid.refresh_from_db()
        looked.append(paid.looked_back_at - paid.verified_at)

    assert [round(after / timedelta(hours=1)) for after in looked] == [
        *(1, 24, 72, 168, 336, 720),
        *(1_440, 2_160, 2_880, 4_320),
    ]
    assert len(looked) == len(LOOKS)
    assert queue_due() == 0


def test_nobody_looks_before_it_is_time(paid, script):
    assert queue_due() == 0
    run_due_jobs()

    assert script.called("list_refunds") == 0


def test_one_that_waits_to_be_looked_at_waits_once(paid, script):
    clock.advance(3_601)

    queue_due()
    queue_due()

    assert Job.objects.filter(unique_key=f"look-back-{paid.pk}").count() == 1


def test_i20_a_look_that_crashes_does_not_stand_before_the_others(merchant, script, monkeypatch):
    monkeypatch.setattr(looking, "BATCH", 2)
    first, second, third = (make_settled(make_payment(merchant)) for _ in range(3))
    broken = {first.gateway_id, second.gateway_id}

    def listed(ref):
        assert ref.gateway_id not in broken, "a bug"
        return ()

    script.says("list_refunds", listed)
    clock.advance(3_601)
    for _ in range(2):
        queue_due()
        run_due_jobs()

    first.refresh_from_db()
    third.refresh_from_db()
    assert (third.looked_back_at is None, first.looked_back_at) == (False, None)
    assert first.look_back_at is not None
    assert first.look_back_at > clock.now()


@pytest.mark.parametrize("state", DisputeState)
def test_a_dispute_without_an_amount_does_not_stop_the_look(paid, script, state):
    script.says("list_disputes", (contested(),), (contested(state, minor=0),))
    look_back(paid.pk)

    assert look_back(paid.pk)

    assert Dispute.objects.get().amount == Money(5_000, "NGN")
    assert list(violations()) == []


def test_i17_a_look_without_an_answer_is_repeated_beyond_the_ladder_until_it_has_one(paid, script):
    script.says("list_refunds", LOST)
    clock.advance(200 * 86_400)
    look_back(paid.pk)
    paid.refresh_from_db()
    again = paid.look_back_at

    script.says("list_refunds", ())
    look_back(paid.pk)

    paid.refresh_from_db()
    assert round((again - clock.now()) / timedelta(hours=1)) == 24
    assert paid.look_back_at is None


def test_i10_a_refund_and_a_charge_back_of_the_same_money_are_for_a_person(paid, script):
    script.says("list_refunds", (row(),))
    script.says("list_disputes", (contested(DisputeState.LOST),))

    look_back(paid.pk)

    payment, dispute = Payment.objects.get(), Dispute.objects.get()
    assert (payment.refunded_minor, payment.charged_back_minor) == (2_000, 5_000)
    assert list(violations()) == []
    assert list(waiting_for_a_person()) == [
        f"{dispute.reference}: of {payment.reference} NGN 50.00 came in, and NGN 70.00 went back."
    ]


def test_a_look_that_news_brought_forward_takes_no_later_one_away(paid, script):
    clock.advance(7_200)
    queue_due()
    run_due_jobs()
    apply_answer(paid, make_snapshot(paid, GatewayState.REVERSING))
    queue_due()
    run_due_jobs()

    paid.refresh_from_db()
    assert script.called("list_refunds") == 2
    assert paid.look_back_at == paid.verified_at + timedelta(days=1)


@pytest.mark.parametrize("known", ["nothing", "refund", "dispute"])
def test_only_where_something_is_known_the_whole_past_is_listed(paid, script, known):
    look_back(paid.pk)
    clock.advance(30 * 86_400)
    if known == "refund":
        make_refund(paid.payment, paid, amount_minor=1, status="succeeded", gateway_id="R9")
    elif known == "dispute":
        make_dispute(paid)
    paid.refresh_from_db()

    since = looking._since(paid)

    began = paid.looked_back_at if known == "nothing" else paid.created_at
    assert since == began - timedelta(days=1)


@pytest.mark.parametrize(("minor", "is_news"), [(4_999, True), (5_000, False)])
@pytest.mark.parametrize("status", ["pending", "unknown", "succeeded"])
def test_g18_a_reversal_is_news_unless_we_have_sent_it_all_back(paid, script, status, minor, is_news):
    make_refund(paid.payment, paid, status=status, amount_minor=minor)

    apply_answer(paid, make_snapshot(paid, GatewayState.REVERSED))

    assert Event.objects.filter(type="payment.reversal_reported").exists() == is_news


@pytest.mark.parametrize("status", [GatewayState.REVERSED, GatewayState.REVERSING])
def test_a_reversal_that_is_told_twice_makes_us_look_once(paid, script, status):
    for _ in range(2):
        apply_answer(paid, make_snapshot(paid, status))
        assert queue_due() == 1
    run_due_jobs()

    assert script.called("list_refunds") == 1
