"""Mails: each to one person, in a plain part and a page of the same words; a name in them forges no header,
no line and no markup."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.header import Header
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import format_html

FORGING = frozenset({"Cc", "Cs", "Zl", "Zp"})
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is sent. `layout` names the two templates, `.txt` and `.html`; both include `body`.

    `words` are the only names that templates and `subject` know, the latter in braces; `shop`, the sender's
    name, is one of them. Those in `names` were written by anyone, in any script. The same `news` are the
    same mail to a mail server, however often they are sent.
    """

    to: str
    subject: str
    layout: str
    body: str
    words: Mapping[str, object]
    names: tuple[str, ...]
    news: tuple[object, ...]
    mark: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def deliver(message: Message) -> None:
    """Hand a mail over. Raises what the mail server's refusal is, so that its job is tried again."""
    from django.core.mail import EmailMultiAlternatives  # Megabytes, in processes that send no mail.

    subject = message.subject.format(**message.words)
    sent = EmailMultiAlternatives(
        subject=message.mark + subject,
        body=_plain(message),
        from_email=own_address(),
        to=[message.to],
        headers={
            "From": _sender(str(message.words["shop"])),
            "Message-ID": _message_id(message),
            "Auto-Submitted": "auto-generated",
            **message.headers,
        },
    )
    sent.attach_alternative(_page(message, subject), "text/html")
    sent.send()


def one_line(text: str) -> str:
    """Return a name without what could forge a line, a header or the order of letters."""
    kept = (" " if unicodedata.category(char) in FORGING else char for char in text if char not in TURNING)
    # What begins so would be decoded by whoever reads a header.
    return " ".join("".join(kept).split()).replace("=?", "= ?")


def own_address() -> str:
    """Return the address that mails come from."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def _plain(message: Message) -> str:
    lines = [line.strip() for line in _render(message, "txt").splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _page(message: Message, subject: str) -> str:
    # A name in another script must not turn the order of what stands beside it.
    names = {
        name: format_html("<bdi>{}</bdi>", message.words[name])
        for name in message.names
        if message.words[name]
    }
    heading = format_html(message.subject, **{**message.words, **names})
    return _render(message, "html", subject=subject, heading=heading, **names)


def _render(message: Message, part: str, **more: str) -> str:
    templates = {"body": message.body, "action": f"common/action.{part}"}
    return render_to_string(f"{message.layout}.{part}", {**message.words, **templates, **more})


def _sender(shop: str) -> str:
    if shop.isascii():
        return formataddr((shop, own_address()))
    return f"{Header(shop, 'utf-8').encode(linesep='')} <{own_address()}>"


def _message_id(message: Message) -> str:
    digest = hashlib.sha256(repr(list(message.news)).encode()).hexdigest()
    return f"<{message.news[0]}.{digest[:32]}@{own_address().rpartition('@')[2]}>"
