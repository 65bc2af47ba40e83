"""A recurring payment that is set up under one's own login: that is consent, and whose card it then is."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.builders import (
    make_attempt,
    make_method,
    make_new_payment,
    make_snapshot,
    make_subscription,
    make_user,
)
from tests.subscriptions.diary import Diary
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.customers.models import Consent, PaymentMethod
from tillgate.customers.services.consents import Agreement, give_consent
from tillgate.customers.services.methods import Payer, customer_for
from tillgate.gateways.protocol import SavedMethod
from tillgate.money import Money
from tillgate.payments.errors import ConsentRequired
from tillgate.payments.models import Payment
from tillgate.payments.services.sessions import open_session
from tillgate.payments.services.sync import apply_answer
from tillgate.subscriptions.errors import MethodNotUsable
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.change import Change, change_subscription
from tillgate.subscriptions.services.consent import TEXT_VERSION, agreement_for
from tillgate.subscriptions.services.create import (
    NewSubscription,
    Plan,
    create_subscription,
    create_with_first_payment,
)
from tillgate.subscriptions.services.cycles import open_next
from tillgate.subscriptions.states import Collection, Interval

CARD = SavedMethod(
    token="AUTH_secret", kind="card", brand="visa", last4="4081", expires_month="2030-01", signature="SIG_1"
)
MONTHLY = Plan(interval=Interval.MONTHLY)
TICKED = Agreement(text="I agree.", text_version="1", given_by="checkout")
MINE, OTHERS = "ada@example.com", "victim@example.com"


@pytest.fixture
def ada(db):
    return make_user("ada", email="Ada@example.com")


@pytest.fixture
def unknown(db):
    """Somebody whose e-mail is not confirmed."""
    return make_user("eve", email=OTHERS, confirmed=False)


def set_up(merchant, user, email=MINE, plan=MONTHLY) -> Payment:
    new = make_new_payment(merchant, created_by="guest", account_id=user.pk, customer_email=email)
    payment, _ = create_with_first_payment(new, plan, address="203.0.113.9")
    return payment


def paid(payment: Payment, user=None) -> PaymentMethod | None:
    """What is saved when the payment is made; under a login, or on the checkout page with its tick."""
    if user is None:
        give_consent(payment.reference, TICKED)
    attempt, _ = open_session(payment, "paystack", account_id=user and user.pk)
    apply_answer(attempt, make_snapshot(attempt, saved_method=CARD))
    run_due_jobs()
    return Subscription.objects.get(reference=payment.subscription_reference).payment_method


def test_asking_for_it_is_consent_with_text_time_and_address(merchant, ada, script):
    before = clock.now()
    payment = set_up(merchant, ada)

    consent = Consent.objects.get()
    told = agreement_for(payment, given_by="account")
    assert (consent.subject, consent.given_by) == (payment.subscription_reference, "account")
    assert (consent.text, consent.text_version) == (told.text, TEXT_VERSION)
    assert consent.address == "203.0.113.9"
    assert before <= consent.given_at <= clock.now()


def test_consent_is_stored_in_the_transaction_of_the_payment(merchant, ada, script):
    with CaptureQueriesContext(connection) as captured:
        set_up(merchant, ada)

    told = [query["sql"] for query in captured]
    payment, consent = (
        next(i for i, sql in enumerate(told) if sql.startswith(f'INSERT INTO "{table}"'))
        for table in ("payments_payment", "customers_consent")
    )
    begun = [i for i, sql in enumerate(told) if sql.startswith("SAVEPOINT")]
    assert (
        told[begun[0]].split()[1] == told[-1].split()[2]
    )  # The first that is begun ends last, and holds all.
    assert begun[0] < payment < consent < len(told) - 1


def test_a_repeat_under_the_same_key_gives_it_once(merchant, ada, script):
    new = make_new_payment(
        merchant, account_id=ada.pk, customer_email=MINE, idempotency_hash="a" * 64, request_hash="b" * 64
    )

    for _ in range(2):
        create_with_first_payment(new, MONTHLY)

    assert Consent.objects.count() == 1


def test_neither_a_guest_nor_a_key_gives_it_so(merchant, script):
    create_with_first_payment(make_new_payment(merchant, created_by="guest"), MONTHLY)

    assert not Consent.objects.exists()


def test_by_link_nothing_is_saved_and_nothing_agreed_to(merchant, ada, script):
    set_up(merchant, ada, plan=Plan(interval=Interval.MONTHLY, collection=Collection.SEND_LINK))

    assert not Consent.objects.exists()


def test_who_agreed_opens_a_page_that_saves(merchant, ada, script):
    payment = set_up(merchant, ada)

    attempt, _ = open_session(payment, "paystack", account_id=ada.pk)

    assert attempt.saves_method
    assert [request.save_method for _, (request,) in script.calls] == [True]


@pytest.mark.parametrize("who", ["nobody", "another"])
def test_it_speaks_for_nobody_else_who_has_the_link(merchant, ada, script, who):
    payment = set_up(merchant, ada)
    account_id = None if who == "nobody" else make_user("bob").pk

    with pytest.raises(ConsentRequired):
        open_session(payment, "paystack", account_id=account_id)

    assert script.calls == []


def test_a_friend_who_pays_ticks_it_themselves_and_both_are_kept(merchant, ada, script):
    payment = set_up(merchant, ada)
    give_consent(payment.reference, TICKED)

    attempt, _ = open_session(payment, "paystack")

    assert attempt.saves_method
    assert set(Consent.objects.values_list("given_by", flat=True)) == {"account", "checkout"}


def test_a_payment_that_nobody_set_up_so_needs_the_tick(merchant, ada, script):
    payment, _ = create_with_first_payment(make_new_payment(merchant, customer_email=MINE), MONTHLY)
    Payment.objects.update(account=ada)  # As a visit attaches it.
    payment.refresh_from_db()

    with pytest.raises(ConsentRequired):
        open_session(payment, "paystack", account_id=ada.pk)


def test_a_renewal_paid_by_hand_needs_its_own_tick_to_be_saved(merchant, ada, script):
    paid(set_up(merchant, ada), ada)
    renewal = open_next(Subscription.objects.get()).payment
    assert renewal

    attempt, _ = open_session(renewal, "paystack", account_id=ada.pk)

    assert renewal.account == ada
    assert not attempt.saves_method


def test_who_pays_anothers_renewal_by_the_mailed_link_has_their_card_kept_for_that_alone(
    merchant, ada, script
):
    paid(set_up(merchant, ada, OTHERS), ada)
    subscription = Subscription.objects.get()
    renewal = open_next(subscription).payment
    assert renewal
    give_consent(renewal.reference, TICKED)
    attempt, _ = open_session(renewal, "paystack")

    theirs = replace(CARD, token="AUTH_theirs", signature="SIG_2", last4="1881")
    apply_answer(attempt, make_snapshot(attempt, saved_method=theirs))

    assert PaymentMethod.objects.get(last4="1881").customer.email == subscription.reference


# Whether the account's e-mail is confirmed, which e-mail is named, and under what the card is kept.
OWNERS = {
    "own": (True, MINE, MINE),
    "own, in capitals": (True, "ADA@example.com", MINE),
    "another's": (True, OTHERS, None),
    "not confirmed": (False, MINE, None),
}


@pytest.mark.parametrize("case", OWNERS)
@pytest.mark.parametrize("page", ["own page", "checkout page"])
def test_a_card_is_kept_for_the_email_only_where_the_email_is_theirs(merchant, script, case, page):
    confirmed, named, owner = OWNERS[case]
    user = make_user("ada", email=MINE, confirmed=confirmed)
    payment = set_up(merchant, user, named)

    method = paid(payment, user if page == "own page" else None)

    assert method is not None
    assert method.customer.email == (owner or payment.subscription_reference)
    assert (method.charged_as, method.customer_email) == (named, named.lower())


def test_what_is_kept_for_one_subscription_is_charged_by_it(merchant, ada, script):
    paid(set_up(merchant, ada, OTHERS), ada)
    diary = Diary(Subscription.objects.get(), script)

    clock.advance(32 * 86_400)
    diary.look()

    assert [(request.token, request.customer_email) for request in diary.requests] == [
        ("AUTH_secret", OTHERS)
    ]


@pytest.mark.parametrize("email", [MINE, OTHERS])
def test_it_is_chargeable_by_no_other_subscription(merchant, ada, script, email):
    """Neither of the e-mail that was named, nor of the account's own."""
    method = paid(set_up(merchant, ada, OTHERS), ada)
    wanted = NewSubscription(
        merchant=merchant,
        mode="test",
        customer_name="Somebody",
        customer_email=email,
        amount=Money(5_000, "NGN"),
        plan=MONTHLY,
        payment_method=method,
    )

    with pytest.raises(MethodNotUsable):
        create_subscription(wanted)
    with pytest.raises(MethodNotUsable):
        change_subscription(
            make_subscription(merchant, customer_email=email).pk, Change(payment_method=method)
        )


def test_it_may_be_given_to_its_own_subscription_again(merchant, ada, script):
    method = paid(set_up(merchant, ada, OTHERS), ada)
    subscription = Subscription.objects.get()
    Subscription.objects.update(collection="send_link")

    change_subscription(subscription.pk, Change(payment_method=method))

    subscription.refresh_from_db()
    assert (subscription.collection, subscription.payment_method) == ("charge", method)


def test_whoever_names_anothers_email_is_never_charged_by_that_persons_card(merchant, unknown, script):
    victims = make_method(merchant, customer=_customer(merchant, OTHERS))
    set_up(merchant, unknown, OTHERS)

    with pytest.raises(MethodNotUsable):
        change_subscription(_active(Subscription.objects.get()).pk, Change(payment_method=victims))


def test_the_same_card_under_two_names_is_two_rows(merchant, ada, script):
    make_method(merchant, customer=_customer(merchant, OTHERS), signature="SIG_1", token="AUTH_theirs")

    method = paid(set_up(merchant, ada, OTHERS), ada)

    assert PaymentMethod.objects.count() == 2
    assert method.signature == "SIG_1"


def test_a_guests_card_is_kept_under_the_email_as_before(merchant, script):
    payment, _ = create_with_first_payment(make_new_payment(merchant, customer_email=OTHERS), MONTHLY)

    method = paid(payment)

    assert method.customer.email == OTHERS


def _customer(merchant, email):
    return customer_for(Payer(merchant=merchant, mode="test", email=email, name="Victim"))


def _active(subscription):
    Subscription.objects.filter(pk=subscription.pk).update(
        status="active", anchor_at=clock.now(), activated_at=clock.now()
    )
    make_attempt(Payment.objects.get(subscription_reference=subscription.reference))
    return subscription
