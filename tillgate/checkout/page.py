"""What the checkout page shows of one payment, worked out before any template sees it."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit, urlunsplit

from tillgate.checkout.brand import Brand, brand_of
from tillgate.checkout.recurring import Recurring, recurring_of
from tillgate.checkout.states import FACES, SESSION_S, Face, PageState, refusal
from tillgate.common import clock
from tillgate.common.errors import PayError
from tillgate.gateways import registry
from tillgate.gateways.protocol import GatewayAccount
from tillgate.merchants.services import choosing
from tillgate.money import Money
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.sessions import ways_to_pay
from tillgate.payments.states import PAYABLE, AttemptStatus, PaymentStatus

CHANNEL_NAMES = {
    "card": "card",
    "bank": "bank",
    "bank_transfer": "bank transfer",
    "ussd": "USSD",
    "qr": "QR code",
    "mobile_money": "mobile money",
    "eft": "EFT",
    "paypal": "PayPal balance, bank or card",
}
CHANNELS_SHOWN = 3
UNPAID = PAYABLE | {PaymentStatus.EXPIRED}  # Money may still come in, and the page does not know it yet.


@dataclass(frozen=True, kw_only=True)
class Amount:
    """An amount in the parts that are set in different sizes: `NGN`, `1,500`, `.00`."""

    currency: str
    whole: str
    fraction: str

    @property
    def is_long(self) -> bool:
        """Say whether it needs smaller letters on a phone."""
        return len(self.whole + self.fraction) > 11


@dataclass(frozen=True, kw_only=True)
class Button:
    """One way to pay; `opened` when its page is open already."""

    gateway: str
    name: str
    channels: str
    opened: bool


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a customer keeps. `charged` only where it differs from the amount, `refunded` only if any."""

    reference: str
    paid_at: datetime | None
    method: str
    charged: str
    refunded: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that the templates may know."""

    payment: Payment
    brand: Brand
    state: PageState
    face: Face
    amount: Amount
    buttons: tuple[Button, ...]
    receipt: Receipt | None
    recurring: Recurring | None
    refresh_s: int
    shop_url: str
    returned: bool
    alert: str


def build_page(
    payment: Payment, *, returned: bool = False, error: PayError | None = None, failed: str | None = None
) -> Page:
    """Work out the page of a payment; `returned` when its customer has just come back from a gateway,
    `error` when what the customer asked for was refused, `failed` the gateway that was asked."""
    attempts = open_attempts(payment)
    state = state_of(payment, attempts, returned=returned)
    face = FACES[state]
    buttons = _buttons(payment, attempts, failed) if face.asks else ()
    return Page(
        payment=payment,
        brand=brand_of(payment.merchant),
        state=state,
        face=face,
        amount=amount_of(payment.amount),
        buttons=buttons,
        receipt=_receipt(payment) if face.receipt else None,
        recurring=recurring_of(payment),
        refresh_s=face.refresh_s or (SESSION_S if attempts else 0),
        shop_url=shop_url(payment),
        returned=returned,
        alert=refusal(error, ways=len(buttons)) if error else "",
    )


def open_attempts(payment: Payment) -> list[Attempt]:
    """Return the tries that may still bring money; no statement for a payment that nobody tried to pay."""
    if not can_bring_news(payment):
        return []
    return list(payment.attempts.open().order_by("pk"))


def can_bring_news(payment: Payment) -> bool:
    """Say whether a gateway may know more than we do: also of a declined try whose page is still open."""
    return payment.status in UNPAID and payment.asked_at is not None


def state_of(payment: Payment, attempts: list[Attempt], *, returned: bool = False) -> PageState:
    """Say what the page is about, from the payment and its open attempts."""
    if payment.status not in UNPAID:
        return PageState(payment.status)
    if returned and any(attempt.redirect_url for attempt in attempts):  # Nobody can pay without a page.
        return PageState.CHECKING
    if payment.status == PaymentStatus.EXPIRED or payment.expires_at <= clock.now():
        return PageState.EXPIRED
    if not usable_accounts(payment):
        return PageState.UNAVAILABLE
    if any(_can_be_continued(attempt) for attempt in attempts):
        return PageState.OPEN
    return PageState.FAILED if payment.status == PaymentStatus.FAILED else PageState.WAITING


def usable_accounts(payment: Payment) -> tuple[GatewayAccount, ...]:
    """Return the accounts by which this payment can be paid now, without a statement."""
    only = payment.gateway if payment.gateway_pinned else None
    return choosing.usable_accounts(payment.merchant, payment.mode, payment.amount, only=only)


def shop_url(payment: Payment) -> str:
    """Return the shop's own page with the payment's id in its query, or nothing when it gave none."""
    parts = urlsplit(payment.return_url)
    if parts.scheme not in ("http", "https"):
        return ""
    query = "&".join(filter(None, [parts.query, urlencode({"payment": payment.reference})]))
    return urlunsplit(parts._replace(query=query))


def amount_of(money: Money) -> Amount:
    """Return an amount in its parts."""
    whole, point, decimals = f"{money.to_major:,}".partition(".")
    return Amount(currency=money.currency, whole=whole, fraction=point + decimals)


def _can_be_continued(attempt: Attempt) -> bool:
    return attempt.status == AttemptStatus.PENDING and bool(attempt.redirect_url)


def _buttons(payment: Payment, attempts: list[Attempt], failed: str | None) -> tuple[Button, ...]:
    """In the order of the ways to pay; but first the page that is open, and last what has just failed."""
    opened = {attempt.gateway for attempt in attempts if _can_be_continued(attempt)}
    buttons = [
        Button(
            gateway=way.gateway,
            name=registry.GATEWAYS[way.gateway].title,
            channels=_channels(way.gateway),
            opened=way.gateway in opened,
        )
        for way in ways_to_pay(payment)
    ]
    return tuple(sorted(buttons, key=lambda button: (button.gateway == failed, not button.opened)))


def _channels(gateway: str) -> str:
    channels = registry.GATEWAYS[gateway].channels
    names = [CHANNEL_NAMES.get(channel, channel) for channel in channels[:CHANNELS_SHOWN]]
    more = " and more" if len(channels) > CHANNELS_SHOWN else ""
    text = ", ".join(names) + more
    return text[:1].upper() + text[1:]


def _receipt(payment: Payment) -> Receipt:
    paid = payment.attempts.filter(settles=True).first()
    received = Money(payment.received_minor, payment.currency)
    return Receipt(
        reference=payment.reference,
        paid_at=payment.completed_at,
        method=_method(paid) if paid else "",
        charged=str(received) if received not in (payment.amount, Money(0, payment.currency)) else "",
        refunded=str(Money(payment.refunded_minor, payment.currency)) if payment.refunded_minor else "",
    )


def _method(attempt: Attempt) -> str:
    # PayPal's one channel is PayPal.
    channel = CHANNEL_NAMES.get(attempt.channel, "") if attempt.channel != attempt.gateway else ""
    title = registry.GATEWAYS[attempt.gateway].title
    return f"{title}, {channel}" if channel else title
