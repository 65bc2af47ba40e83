"""Which payments belong to whom: those made while signed in, and those of an e-mail that was confirmed."""

import pytest

from tests.builders import make_payment, make_user
from tillgate.merchants.models import User
from tillgate.merchants.services.links import CONFIRMING, link_for
from tillgate.merchants.services.users import change_user, confirm_email
from tillgate.money import Money
from tillgate.payments.models import Payment
from tillgate.payments.services import history
from tillgate.payments.services.history import MARGIN, attach_payments
from tillgate.payments.services.start import NewPayment, create_payment


@pytest.fixture
def ada(db) -> User:
    return make_user("ada", email="Ada@Example.com")


@pytest.fixture
def small_steps(monkeypatch):
    """Spans, batches and a margin that a test can fill."""
    for name, rows in {"SPAN": 3, "BATCH": 2, "MARGIN": 4}.items():
        monkeypatch.setattr(history, name, rows)


def owners() -> list[str | None]:
    return list(Payment.objects.order_by("pk").values_list("account__username", flat=True))


def test_what_is_made_while_signed_in_belongs_to_the_account(merchant, ada):
    new = NewPayment(
        merchant=merchant,
        mode="test",
        created_by="guest",
        customer_name="Somebody",
        customer_email="else@example.com",
        amount=Money(5_000, "NGN"),
        account_id=ada.pk,
    )

    payment, _ = create_payment(new)

    assert Payment.objects.get(pk=payment.pk).account == ada


@pytest.mark.parametrize("email", ["ada@example.com", "Ada@Example.com", "ADA@EXAMPLE.COM"])
@pytest.mark.parametrize("made_by", ["guest", "key", "schedule", "staff"])
@pytest.mark.parametrize("mode", ["test", "live"])
def test_what_the_confirmed_email_has_paid_is_theirs_whoever_made_it(merchant, ada, email, made_by, mode):
    make_payment(merchant, customer_email=email, created_by=made_by, mode=mode)

    assert attach_payments(ada) == 1
    assert owners() == ["ada"]


def test_it_is_theirs_at_every_merchant(merchant, other_merchant, ada):
    for one in (merchant, other_merchant):
        make_payment(one, customer_email="ada@example.com")

    assert attach_payments(ada) == 2


def test_an_email_that_was_not_confirmed_attaches_nothing(merchant, statements):
    make_payment(merchant, customer_email="bob@example.com")
    bob = make_user("bob", confirmed=False)

    with statements() as told:
        assert attach_payments(bob) == 0

    assert (told, owners()) == ([], [None])


@pytest.mark.parametrize(
    "email",
    [
        "ada@example.com.ng",
        "xada@example.com",
        "ada@example.org",
        "%@example.com",
        "a_a@example.com",
        "ad\u0430@example.com",
    ],
    ids=ascii,
)
def test_a48_another_address_is_another_person(merchant, ada, email):
    make_payment(merchant, customer_email=email)

    assert attach_payments(ada) == 0


def test_i12_what_is_anothers_is_never_taken(merchant, ada):
    bob = make_user("bob")
    make_payment(merchant, customer_email="ada@example.com", account=bob)

    assert attach_payments(ada) == 0
    assert owners() == ["bob"]


def test_what_somebody_paid_with_another_email_stays_theirs(merchant, ada):
    make_user("bob")
    make_payment(merchant, customer_email="bob@example.com", account=ada)

    assert attach_payments(User.objects.get(username="bob")) == 0
    assert owners() == ["ada"]


def test_a_visit_without_news_reads_twice_and_writes_nothing(merchant, ada, statements):
    make_payment(merchant)
    attach_payments(ada)

    with statements() as told:
        attach_payments(ada)

    assert [line.split()[0] for line in told] == ["SELECT", "SELECT"]


def test_rows_are_looked_through_outside_of_any_transaction(
    merchant, ada, django_assert_num_queries, monkeypatch
):
    make_payment(merchant, customer_email="ada@example.com")

    with django_assert_num_queries(7) as captured:  # MAX, the look, and a short transaction of five.
        attach_payments(ada)

    kinds = [query["sql"].split()[0] for query in captured]
    assert kinds[:3] == ["SELECT", "SELECT", "SAVEPOINT"]
    assert kinds[-2:] == ["UPDATE", "RELEASE"]
    assert '"payments_payment"."id" IN' in captured[-2]["sql"]


def test_span_after_span_is_looked_through_and_remembered(merchant, ada, small_steps):
    payments = [make_payment(merchant, customer_email="ada@example.com") for _ in range(20)]

    assert attach_payments(ada) == 20
    ada.refresh_from_db()
    assert payments[-1].pk - 9 <= ada.payments_seen <= payments[-1].pk - 4


def test_what_was_looked_at_is_not_looked_at_again_but_for_the_last_rows(merchant, ada, small_steps):
    payments = [make_payment(merchant) for _ in range(20)]
    attach_payments(ada)
    ada.refresh_from_db()

    Payment.objects.update(customer_email="ada@example.com")
    attached = attach_payments(ada)

    assert attached == payments[-1].pk - ada.payments_seen
    assert 4 <= attached <= 9


@pytest.mark.parametrize("back", [False, True], ids=["another", "back again"])
def test_once_another_email_is_confirmed_all_rows_are_looked_through_for_it(merchant, ada, small_steps, back):
    theirs = make_payment(merchant, customer_email="lovelace@example.com")
    for _ in range(20):
        make_payment(merchant)
    attach_payments(ada)
    assert User.objects.get().payments_seen > theirs.pk
    emails = ["lovelace@example.com"]
    if back:
        Payment.objects.filter(pk=theirs.pk).update(customer_email="ada@example.com")
        emails.append("ada@example.com")

    for email in emails:
        change_user(ada.pk, {"email": email})
        _, uid, token = link_for(User.objects.get(), CONFIRMING).rsplit("/", 2)
        changed = confirm_email(uid, token)
        assert (changed.payments_seen, changed.subscriptions_seen) == (0, 0)
        attached = attach_payments(User.objects.get())

    assert attached == 1
    assert owners()[0] == "ada"


def test_a_payment_that_commits_after_a_later_one_is_found_by_the_next_visit(merchant, ada):
    made = make_payment(merchant)
    make_payment(merchant)
    attach_payments(ada)

    # As if its transaction had been open until now.
    Payment.objects.filter(pk=made.pk).update(customer_email="ada@example.com")

    assert attach_payments(ada) == 1


def test_the_margin_is_wider_than_any_transaction_of_ours():
    from tillgate.subscriptions.services import cycles

    assert MARGIN > 50 * cycles.BATCH


@pytest.mark.parametrize(
    "meanwhile", [{"confirmed_email": None}, {"confirmed_email": "new@example.com"}, {"is_active": False}]
)
def test_an_email_that_was_given_up_meanwhile_attaches_nothing(merchant, ada, meanwhile):
    make_payment(merchant, customer_email="ada@example.com")
    User.objects.update(**meanwhile)  # Between the reading of the login and the look.

    assert attach_payments(ada) == 0
    assert owners() == [None]
