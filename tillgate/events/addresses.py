"""Where events may be sent: no address of a merchant's choice may lead into the house.

What counts is the address that a name leads to, not how it is written; it is looked at when an endpoint is
added, and again at each connection (`client`).
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from django.conf import settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
PORTS = (443, 8443, 9443, 10443)
MAX_URL = 500
# A host name in ASCII, or an address; no underscore, no empty label, nothing else.
HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")

# Python's `is_global` is no guide: it takes 64:ff9b::7f00:1, 2002:7f00:1:: and 224.0.0.1 for public.
# Source: the registries of special-purpose addresses, RFC 6890 and its successors.
CLOSED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services, to the machines inside.
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
OPEN_V6 = IPv6Network("2000::/3")
CLOSED_V6 = tuple(
    IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
# Addresses that hold an IPv4 address, with the place of its first bit from the right.
HOLDS_V4 = (
    (IPv6Network("::ffff:0:0/96"), 0),  # v4-mapped
    (IPv6Network("::ffff:0:0:0/96"), 0),  # v4-translated
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (IPv6Network("2002::/16"), 80),  # 6to4
)
NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "169.254.0.0/16",
        "168.63.129.16/32",
        "0.0.0.0/8",
        "224.0.0.0/3",
        "fe80::/10",
        "ff00::/8",
        "::/128",
    )
)


class BadAddress(Exception):
    """Events are not sent there; the message says why, in words for whoever typed it."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The parts of an endpoint's URL. `is_named`: the operator has named its host, and trusts it."""

    url: str
    scheme: str
    host: str
    port: int
    path: str
    is_named: bool

    @property
    def netloc(self) -> str:
        """Host and port as the header Host has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Private:
    """What the operator has opened, by TILLGATE_WEBHOOK_PRIVATE_HOSTS: host names, and networks."""

    names: frozenset[str]
    networks: tuple[Network, ...]


def private_hosts() -> Private:
    """Read the setting. Raises ValueError for what is neither a name nor a network."""
    names, networks = set(), []
    for word in (word.strip().lower() for word in settings.TILLGATE_WEBHOOK_PRIVATE_HOSTS):
        if re.fullmatch(r"[0-9a-f.:]+(/\d+)?", word) and (
            ":" in word or word.replace(".", "").split("/")[0].isdigit()
        ):
            networks.append(ipaddress.ip_network(word))
        elif HOST.fullmatch(word):
            names.add(word)
        else:
            raise ValueError(f"{word!r} is neither a host name nor a network such as 10.0.5.0/24")
    return Private(names=frozenset(names), networks=tuple(networks))


def read_url(text: str) -> Target:
    """Read an endpoint's URL. Raises BadAddress for one that events are never sent to, whatever it leads to.

    `https`, without user, password or fragment, at a usual port. Where the operator has named the host, or
    for this machine itself in a `local` installation, also `http` and any port.
    """
    if len(text) > MAX_URL or not text.isascii() or not text.isprintable() or set(text) & set(' \\"<>^`{|}'):
        raise BadAddress("Send a URL of at most 500 plain ASCII characters; other letters as xn--… and %….")
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise BadAddress("That is no URL.") from None
    if parts.scheme not in ("https", "http") or "@" in parts.netloc or "#" in text:
        raise BadAddress("Send an https URL without user, password or fragment.")
    if not (HOST.fullmatch(host) or _literal(host)):
        raise BadAddress("The host is neither a name nor an address.")
    is_named = host in private_hosts().names
    free = is_named or _opened(host)
    if parts.scheme == "http" and not free:
        raise BadAddress("Send an https URL: events tell of payments.")
    port = port if port is not None else {"https": 443, "http": 80}[parts.scheme]
    if port not in PORTS and not free:
        raise BadAddress(f"Use port {', '.join(map(str, PORTS))}.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(url=text, scheme=parts.scheme, host=host, port=port, path=path, is_named=is_named)


def resolve(host: str, port: int) -> list[Address]:
    """Return all addresses of a host, in the system's order. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(
        dict.fromkeys(ipaddress.ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found)
    )


def require_open(target: Target, addresses: Iterable[Address]) -> list[Address]:
    """Return the addresses. Raises BadAddress unless every one may be connected to: of a name that leads
    outside and inside, one cannot know where it leads next."""
    checked = list(addresses)
    if not checked:
        raise BadAddress(f"{target.host} has no address.")
    if not all(is_open(address, target) for address in checked):
        raise BadAddress(
            f"{target.host} leads to an address that is not public. The operator of this installation can "
            "name it in TILLGATE_WEBHOOK_PRIVATE_HOSTS."
        )
    return checked


def is_open(address: Address, target: Target) -> bool:
    """Say whether events may be sent to this address for that URL."""
    inner = innermost(address)
    if any(_within(one, network) for one in (address, inner) for network in private_hosts().networks):
        return True
    if settings.IS_LOCAL and inner.is_loopback:
        return True
    if is_public(address):
        return target.scheme == "https" or target.is_named
    return target.is_named and not any(_within(inner, network) for network in NEVER)


def may_be_shown(address: Address) -> bool:
    """Say whether what is answered there is for whoever named it: from outside, or a developer's own."""
    return is_public(address) or (settings.IS_LOCAL and innermost(address).is_loopback)


def is_public(address: Address) -> bool:
    """Say whether an address is anybody's on the internet, after what may be wrapped in it."""
    inner = innermost(address)
    if isinstance(inner, IPv4Address):
        return not any(inner in network for network in CLOSED_V4)
    return inner in OPEN_V6 and not any(inner in network for network in CLOSED_V6)


def innermost(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, else the address."""
    if isinstance(address, IPv6Address):
        for network, shift in HOLDS_V4:
            if address in network:
                return IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return address


def _opened(host: str) -> bool:
    """Say whether http and any port are good for a host that is written as an address, or is this machine."""
    if settings.IS_LOCAL and host == "localhost":
        return True
    literal = _literal(host)
    if literal is None:
        return False
    inner = innermost(literal)
    is_here = settings.IS_LOCAL and inner.is_loopback
    return is_here or any(_within(inner, network) for network in private_hosts().networks)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _within(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network
