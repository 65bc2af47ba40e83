"""What the owners of a merchant are told by mail: each of them by one of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from tillgate.common.mail import Message, deliver, one_line
from tillgate.merchants.models import Merchant
from tillgate.merchants.services.staff import owners_of

log = structlog.get_logger(__name__)
NAMES = ("shop", "customer")  # Written by anyone, in any script.


@dataclass(frozen=True, kw_only=True)
class OwnersMail:
    """A subject and the template of what it says, with `words` beside the names; `news` as in `Message`."""

    name: str
    subject: str
    body: str
    news: tuple[object, ...]
    words: Mapping[str, object] = field(default_factory=dict)
    mark: str = ""


def mail_owners(merchant: Merchant, mail: OwnersMail) -> None:
    """Tell every owner who has an address; where none has, the log is told.

    Raises what the mail server's refusal is, so that the job is tried again: who has had it already gets a
    mail that is recognised as the same.
    """
    addresses = {owner: owner.confirmed_email or owner.email for owner in owners_of(merchant)}
    if not any(addresses.values()):
        log.error("nobody_to_mail", mail=mail.name, merchant=merchant.reference)
    for owner, address in addresses.items():
        if not address:
            continue
        names = {"shop": one_line(merchant.name), "customer": one_line(owner.username)}
        deliver(
            Message(
                to=address,
                subject=mail.subject,
                layout="owners/mail",
                body=mail.body,
                words={**mail.words, **names},
                names=NAMES,
                news=(mail.name, owner.pk, *mail.news),
                mark=mail.mark,
            )
        )
        log.info("mail_sent", mail=mail.name, merchant=merchant.reference, user=owner.pk)
