"""PayPal's API, hosted pages and dashboard, put together."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.emulator import ControlOrder
from sandbox.faults import Reach
from sandbox.paypal.access import Access
from sandbox.paypal.books import Books
from sandbox.paypal.charging import Charging
from sandbox.paypal.checkout import Checkout
from sandbox.paypal.control import PayPalControl
from sandbox.paypal.customer import Customer
from sandbox.paypal.disputing import Disputing
from sandbox.paypal.errors import ApiError, NoAccess, not_found, trouble
from sandbox.paypal.orders import Orders
from sandbox.paypal.payments import Payments
from sandbox.paypal.refunding import Refunding
from sandbox.paypal.settings import Settings
from sandbox.paypal.vault import APPROVE_PATH, Vault
from sandbox.paypal.vaulting import Vaulting
from sandbox.paypal.verification import Verification
from sandbox.paypal.webhooks import CERTS_PATH, Courier
from sandbox.paypal.wire import Writer
from sandbox.web import Answer, Call, Json, Response, Route
from sandbox.world import World

TOKEN, ORDER, CAPTURE, GET = "paypal.token", "paypal.order", "paypal.capture", "paypal.get"
REFUND, VAULT, DISPUTES = "paypal.refund", "paypal.vault", "paypal.disputes"
CERTIFICATE, VERIFY = "paypal.certificate", "paypal.verify_signature"
CHARGED = frozenset({ORDER, CAPTURE})  # An order of a saved payer is captured at once.
TOLD = CHARGED | {GET}
BEHIND_A_TOKEN = frozenset({ORDER, CAPTURE, GET, REFUND, VAULT, DISPUTES, VERIFY})
REACH = Reach(
    operations=BEHIND_A_TOKEN | {TOKEN, CERTIFICATE},
    faults={
        "lookup_5xx": frozenset({GET, DISPUTES}),
        "lookup_lag": TOLD | {REFUND},
        "wrong_amount": TOLD,
        "wrong_currency": TOLD,
        "wrong_ref": TOLD,
        "wrong_account": TOLD,
        "unknown_status": TOLD | {REFUND},
        "decline": TOLD | {REFUND},
        "pending": TOLD | {REFUND},
        "then_reverse": TOLD,
        "ignore_key": CHARGED | {REFUND},
        "dup_ref_error": CHARGED | {REFUND},
        "vault_later": frozenset({CAPTURE}),
        "token_expired": BEHIND_A_TOKEN,
    },
)


class PayPalEmulator:
    name = "paypal"
    reach = REACH

    def __init__(self, world: World, settings: Settings) -> None:
        from sandbox.paypal.certificates import Certificates  # Slow, and nobody else's business.

        certificates = Certificates(world.data_dir)
        self._books = books = Books(world.store)
        self._access = Access(world, books, settings)
        writer, courier = Writer(books, world.base_url), Courier(world, settings, certificates)
        self._vaulting = Vaulting(world, books, writer, courier)
        self._charging = Charging(world, books, writer, courier, self._vaulting)
        self._refunding = Refunding(world, books, writer, courier, self._charging)
        self._disputing = Disputing(world, books, writer, courier, self._charging)
        self._customer = Customer(world, books, writer, courier, self._charging)
        self._orders = Orders(world, books, writer, self._charging, self._vaulting)
        self._payments = Payments(world, books, writer, self._refunding)
        self._vault = Vault(world, books, writer, self._vaulting)
        self._verification = Verification(settings, courier, certificates)
        self._control = PayPalControl(books, self._customer, self._refunding, self._disputing)

    def routes(self) -> Sequence[Route]:
        orders, payments, verification = self._orders, self._payments, self._verification
        verify = "/v1/notifications/verify-webhook-signature"
        return [
            Route("POST", "/paypal/v1/oauth2/token", self._access.grant, TOKEN),
            Route("GET", f"{CERTS_PATH}/{{id}}", _speaking(verification.certificate), CERTIFICATE),
            self._api("POST", verify, verification.verify, VERIFY),
            self._api("POST", "/v2/checkout/orders", orders.create, ORDER),
            self._api("GET", "/v2/checkout/orders/{id}", orders.fetch, GET),
            self._api("POST", "/v2/checkout/orders/{id}/capture", orders.capture, CAPTURE),
            self._api("GET", "/v2/payments/captures/{id}", payments.fetch_capture, GET),
            self._api("POST", "/v2/payments/captures/{id}/refund", payments.refund, REFUND),
            self._api("GET", "/v2/payments/refunds/{id}", payments.fetch_refund, GET),
            self._api("GET", "/v1/customer/disputes", self._disputing.list_page, DISPUTES),
            self._api("GET", "/v1/customer/disputes/{id}", self._disputing.fetch, DISPUTES),
            *self._vault_routes(),
            *self._page_routes(),
        ]

    def no_route(self, allow: str) -> Response:
        return not_found().response()

    def pay(self, order: ControlOrder) -> Json:
        return self._control.pay(order)

    def refund(self, order: ControlOrder) -> Json:
        return self._control.refund(order)

    def dispute(self, order: ControlOrder) -> Json:
        return self._control.dispute(order)

    def set_methods(self, order: ControlOrder) -> Json:
        return self._control.set_methods(order)

    def run_due(self, kind: str, subject: str) -> None:
        books = self._books
        if kind == "lapse":
            self._customer.lapse(books.orders[subject])
        elif kind == "settle":
            self._charging.settle(books.captures[subject])
        elif kind == "reverse":
            self._refunding.reverse(books.captures[subject])
        elif kind == "end_refund":
            self._refunding.run_due(books.refunds[subject])
        else:
            assert kind == "vault"
            self._vaulting.save_payer_now(books.orders[subject])

    def _vault_routes(self) -> list[Route]:
        setups, tokens = "/v3/vault/setup-tokens", "/v3/vault/payment-tokens"
        return [
            self._api("POST", setups, self._vault.create_setup, VAULT),
            self._api("GET", f"{setups}/{{id}}", self._vault.fetch_setup, VAULT),
            self._api("POST", tokens, self._vault.create, VAULT),
            self._api("GET", tokens, self._vault.list_page, VAULT),
            self._api("GET", f"{tokens}/{{id}}", self._vault.fetch, VAULT),
            self._api("DELETE", f"{tokens}/{{id}}", self._vault.delete, VAULT),
        ]

    def _page_routes(self) -> list[Route]:
        pages = Checkout(self._books, self._customer)
        return [
            Route("GET", "/paypal/checkoutnow", pages.show),
            Route("POST", "/paypal/checkoutnow", pages.pay),
            Route("GET", f"/paypal{APPROVE_PATH}", pages.show_setup),
            Route("POST", f"/paypal{APPROVE_PATH}", pages.agree),
        ]

    def _api(self, method: str, pattern: str, answer: Answer, operation: str) -> Route:
        def checked(call: Call) -> Response:
            self._access.check(call)
            return answer(call)

        return Route(method, f"/paypal{pattern}", _speaking(checked), operation, trouble=trouble())


def _speaking(answer: Answer) -> Answer:
    """Say PayPal's refusals in its own words."""

    def guarded(call: Call) -> Response:
        try:
            return answer(call)
        except (ApiError, NoAccess) as error:
            return error.response()

    return guarded
