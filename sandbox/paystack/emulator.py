"""Paystack's API, hosted page and dashboard, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sandbox.emulator import ControlOrder
from sandbox.faults import Reach
from sandbox.paystack.api import Transactions
from sandbox.paystack.books import Books
from sandbox.paystack.charging import Charging
from sandbox.paystack.checkout import Checkout
from sandbox.paystack.control import PaystackControl
from sandbox.paystack.customer import Customer
from sandbox.paystack.dispute_api import Disputes
from sandbox.paystack.errors import ApiError, invalid_key
from sandbox.paystack.plans import Plans
from sandbox.paystack.refund_api import Refunds
from sandbox.paystack.refunding import Refunding
from sandbox.paystack.saved_cards import SavedCards
from sandbox.paystack.settings import Account, Settings
from sandbox.paystack.webhooks import Courier
from sandbox.web import Answer, Call, Json, Response, Route, json_response
from sandbox.world import World

INITIALIZE, VERIFY, CHARGE = "paystack.initialize", "paystack.verify", "paystack.charge"
REFUND, LIST, DEACTIVATE = "paystack.refund", "paystack.list", "paystack.deactivate"
PLANS = "paystack.plans"
TOLD = frozenset({VERIFY, CHARGE})
CREATED = frozenset({INITIALIZE, CHARGE})
REACH = Reach(
    operations=frozenset({INITIALIZE, VERIFY, CHARGE, REFUND, LIST, DEACTIVATE, PLANS}),
    faults={
        "lookup_5xx": frozenset({VERIFY, LIST}),
        "lookup_lag": TOLD | CREATED,
        "wrong_amount": TOLD,
        "wrong_currency": TOLD,
        "wrong_ref": TOLD,
        "wrong_account": frozenset({VERIFY}),
        "test_mode": TOLD,
        "unknown_status": TOLD,
        "decline": TOLD | {REFUND},
        "pending": TOLD | {REFUND},
        "then_reverse": TOLD | CREATED,
        "ignore_key": CREATED,
        "dup_ref_error": CREATED,
    },
)
ApiAnswer = Callable[[Call, Account], Response]


class PaystackEmulator:
    name = "paystack"
    reach = REACH

    def __init__(self, world: World, settings: Settings) -> None:
        self._settings = settings
        self._books = Books(world.store)
        courier = Courier(world, settings)
        self._charging = Charging(world, self._books, courier)
        self._refunding = Refunding(world, self._books, courier, self._charging)
        self._transactions = Transactions(world, self._books, self._charging)
        customer = Customer(self._charging)
        self._checkout = Checkout(self._books, customer)
        self._plans = Plans(world, self._books)
        self._control = PaystackControl(self._books, customer, self._refunding)

    def routes(self) -> Sequence[Route]:
        cards = SavedCards(self._books, self._charging, self._transactions)
        refunds, page = Refunds(self._books, self._refunding), "/paystack/checkout/{access_code}"
        return [
            self._api("POST", "/transaction/initialize", self._transactions.initialize, INITIALIZE),
            self._api("GET", "/transaction/verify/{reference}", self._transactions.verify, VERIFY),
            self._api("POST", "/transaction/charge_authorization", cards.charge, CHARGE),
            self._api("GET", "/transaction/{id}", self._transactions.fetch, VERIFY),
            self._api("GET", "/transaction", self._transactions.list_page, LIST),
            self._api("POST", "/customer/authorization/deactivate", cards.deactivate, DEACTIVATE),
            self._api("POST", "/refund", refunds.create, REFUND),
            self._api("GET", "/refund/{id}", refunds.fetch, LIST),
            self._api("GET", "/refund", refunds.list_page, LIST),
            self._api("GET", "/dispute", Disputes(self._books).list_page, LIST),
            self._api("GET", "/subscription", self._plans.list_page, PLANS),
            self._api("GET", "/subscription/{code}", self._plans.fetch, PLANS),
            self._api("POST", "/subscription/disable", self._plans.disable, PLANS),
            self._plans.control(),
            Route("GET", page, self._checkout.show),
            Route("POST", page, self._checkout.pay),
        ]

    def no_route(self, allow: str) -> Response:
        return json_response({"status": False, "message": "Entity not found"}, 404)

    def pay(self, order: ControlOrder) -> Json:
        return self._control.pay(order)

    def refund(self, order: ControlOrder) -> Json:
        return self._control.refund(order)

    def dispute(self, order: ControlOrder) -> Json:
        return self._control.dispute(order)

    def set_methods(self, order: ControlOrder) -> Json:
        return self._control.set_methods(order)

    def run_due(self, kind: str, subject: str) -> None:
        if kind == "settle":
            self._charging.settle(self._books.transactions[int(subject)])
        elif kind == "reverse":
            self._charging.reverse(self._books.transactions[int(subject)])
        elif kind == "end_refund":
            self._refunding.run_due(self._books.refunds[int(subject)])

    def _api(self, method: str, pattern: str, answer: ApiAnswer, operation: str) -> Route:
        return Route(method, f"/paystack{pattern}", self._guarded(answer), operation)

    def _guarded(self, answer: ApiAnswer) -> Answer:
        def guarded(call: Call) -> Response:
            try:
                return answer(call, self._account(call))
            except ApiError as error:
                return error.response()

        return guarded

    def _account(self, call: Call) -> Account:
        account = self._settings.account(call.request.headers.get("authorization", ""))
        if account is None:
            raise invalid_key()
        return account
