"""Flutterwave's API, hosted page and dashboard, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sandbox.emulator import ControlOrder
from sandbox.faults import Reach
from sandbox.flutterwave.books import Books
from sandbox.flutterwave.charging import Charging
from sandbox.flutterwave.checkout import PATH, Checkout
from sandbox.flutterwave.control import FlutterwaveControl
from sandbox.flutterwave.customer import Customer
from sandbox.flutterwave.errors import ApiError, missing_key, out_of_order, too_many, wrong_key
from sandbox.flutterwave.payments import Payments
from sandbox.flutterwave.plans import Plans
from sandbox.flutterwave.refund_api import Refunds
from sandbox.flutterwave.refunding import Refunding
from sandbox.flutterwave.saved_cards import SavedCards
from sandbox.flutterwave.settings import Account, Settings
from sandbox.flutterwave.transactions import Transactions
from sandbox.flutterwave.webhooks import Courier
from sandbox.web import Answer, Call, Json, Response, Route
from sandbox.world import World

PAYMENTS, VERIFY, TOKENIZED = "flutterwave.payments", "flutterwave.verify", "flutterwave.tokenized"
REFUND, LIST, PLANS = "flutterwave.refund", "flutterwave.list", "flutterwave.plans"
TOLD = frozenset({VERIFY, TOKENIZED})
# Two faults of other gateways are missing. `test_mode`: no body names the mode, only the key does.
# `then_reverse`: no status of a transaction tells that its money went back; the list of refunds does.
REACH = Reach(
    operations=frozenset({PAYMENTS, VERIFY, TOKENIZED, REFUND, LIST, PLANS}),
    faults={
        "lookup_5xx": frozenset({VERIFY, LIST}),
        "lookup_lag": TOLD | {PAYMENTS},
        "wrong_amount": TOLD,
        "wrong_currency": TOLD,
        "wrong_ref": TOLD,
        "wrong_account": frozenset({VERIFY}),
        "unknown_status": TOLD,
        "decline": TOLD | {REFUND},
        "pending": TOLD | {REFUND},
        "ignore_key": frozenset({TOKENIZED}),
        "dup_ref_error": frozenset({TOKENIZED}),
    },
)
TROUBLE = {
    429: too_many().response(),
    500: out_of_order(status=500).response(),
    502: out_of_order(status=503).response(),  # Where others answer an HTML page, this one has a sentence.
}
ApiAnswer = Callable[[Call, Account], Response]


class FlutterwaveEmulator:
    name = "flutterwave"
    reach = REACH

    def __init__(self, world: World, settings: Settings) -> None:
        self._world, self._settings = world, settings
        self._books = Books(world.store)
        courier = Courier(world, settings)
        self._charging = Charging(world, self._books, courier)
        self._refunding = Refunding(world, self._books, courier, self._charging)
        self._payments = Payments(world, self._books)
        self._transactions = Transactions(world, self._books, courier)
        customer = Customer(self._books, self._charging)
        self._checkout = Checkout(self._books, customer)
        self._plans = Plans(world)
        self._control = FlutterwaveControl(self._books, customer, self._refunding)

    def routes(self) -> Sequence[Route]:
        told, refunds, page = self._transactions, Refunds(self._books, self._refunding), f"{PATH}/{{code}}"
        cards = SavedCards(self._world, self._books, self._charging, self._payments, told)
        return [
            self._api("POST", "/payments", self._payments.create, PAYMENTS),
            self._api("GET", "/transactions/verify_by_reference", told.verify_by_reference, VERIFY),
            self._api("GET", "/transactions/{id}/verify", told.verify, VERIFY),
            self._api("GET", "/transactions/fee", told.fee, LIST),
            self._api("GET", "/transactions", told.list_page, LIST),
            self._api("POST", "/transactions/{tx_ref}/resend-hook", told.resend_hook, LIST),
            self._api("POST", "/tokenized-charges", cards.charge, TOKENIZED),
            self._api("POST", "/transactions/{id}/refund", refunds.create, REFUND),
            self._api("GET", "/refunds/{id}", refunds.fetch, LIST),
            self._api("GET", "/refunds", refunds.list_page, LIST),
            self._api("GET", "/subscriptions", self._plans.list_page, PLANS),
            self._api("PUT", "/subscriptions/{id}/cancel", self._plans.cancel, PLANS),
            self._api("GET", "/payment-plans", self._plans.list_plans, PLANS),
            self._api("GET", "/payment-plans/{id}", self._plans.fetch_plan, PLANS),
            self._plans.control(),
            Route("GET", page, self._checkout.show),
            Route("POST", page, self._checkout.pay),
        ]

    def no_route(self, allow: str) -> Response:
        return ApiError("The requested resource was not found", status=404).response()

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
        elif kind == "end_refund":
            self._refunding.run_due(self._books.refunds[int(subject)])

    def _api(self, method: str, pattern: str, answer: ApiAnswer, operation: str) -> Route:
        path = f"/flutterwave/v3{pattern}"
        return Route(method, path, self._guarded(answer), operation, trouble=TROUBLE)

    def _guarded(self, answer: ApiAnswer) -> Answer:
        def guarded(call: Call) -> Response:
            try:
                return answer(call, self._account(call))
            except ApiError as error:
                return error.response()

        return guarded

    def _account(self, call: Call) -> Account:
        sent = call.request.headers.get("authorization", "")
        if not sent:
            raise missing_key()
        account = self._settings.account(sent)
        if account is None:
            raise wrong_key()
        return account
