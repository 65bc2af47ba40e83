"""What payments and subscriptions ask for alike: who pays, how much, and what is said about it."""

from dataclasses import dataclass

from tillgate.api import fields
from tillgate.api.shapes.payments import PaymentIn
from tillgate.api.shapes.subscriptions import SubscriptionIn
from tillgate.merchants.models import Merchant
from tillgate.money import Money


@dataclass(frozen=True, kw_only=True)
class Details:
    """The members that both have, read."""

    customer_name: str
    customer_email: str
    amount: Money
    description: str
    return_url: str
    metadata: dict[str, str]


def read_details(
    problems: fields.Problems, body: PaymentIn | SubscriptionIn, merchant: Merchant
) -> Details | None:
    """Read them; None where a problem was noted."""
    money = fields.money(problems, body.amount, body.currency, merchant)
    name = problems.check("customer_name", lambda: fields.text(body.customer_name, least=1, most=200))
    email = problems.check("customer_email", lambda: fields.email(body.customer_email))
    description = problems.check("description", lambda: fields.text(body.description, most=500))
    url = problems.check("return_url", lambda: fields.return_url(body.return_url, merchant))
    metadata = problems.check("metadata", lambda: fields.metadata(body.metadata))
    if (
        money is None
        or name is None
        or email is None
        or description is None
        or url is None
        or metadata is None
    ):
        return None
    return Details(
        customer_name=name,
        customer_email=email,
        amount=money,
        description=description,
        return_url=url,
        metadata=metadata,
    )
