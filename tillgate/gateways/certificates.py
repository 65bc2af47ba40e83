"""The certificates that a gateway signs its events with: fetched once, believed by their chain.

An event names the address of its certificate, and anybody may send an event: which addresses may be
opened at all, the adapter says before it asks here.
"""

import re
import threading
import time
import warnings
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tillgate.gateways import http
from tillgate.gateways.errors import Unreachable
from tillgate.gateways.protocol import CertificateTrust, GatewayAccount, Mode

if TYPE_CHECKING:  # The library is slow to load, and only events need it.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import Certificate
    from cryptography.x509.verification import Store

WAIT_S = 2.0
LARGEST = 64 * 1024
GOOD_S, BAD_S = 3_600.0, 15.0
MOST_KEPT, MOST_BAD = 64, 20  # Past so many useless addresses in BAD_S, forgers make us ask no more.

LOOPBACK = r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?"
TRUST = rf"({LOOPBACK}) +(\S.*)"  # A setting: whom to trust on this machine, and the authority's file.


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a certificate is, which names it may be made out to, and who must have signed it:
    the authority in `ca_file`, or without one any public authority."""

    url: str
    names: re.Pattern[str]
    ca_file: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Known:
    until: float
    key: "RSAPublicKey | None" = None
    trouble: str = ""


_known: dict[Source, _Known] = {}  # Written to under the lock only.
_lock = threading.Lock()


def trust_of(setting: str) -> CertificateTrust | None:
    """Return whom a setting `<origin> <file>` trusts; None for one that is not of that form."""
    match = re.fullmatch(TRUST, setting.strip())
    return CertificateTrust(origin=match[1], ca_file=match[2]) if match else None


def source_at(
    url: str,
    account: GatewayAccount,
    *,
    own: Mapping[Mode, re.Pattern[str]],
    beside: str,
    names: re.Pattern[str],
) -> Source | None:
    """Return the certificate at an address that is one of the gateway's `own`; None for any other.

    In test mode the account's trust counts, too: its origin, followed by a path of the form `beside`.
    The whole address is compared and none is taken apart, so no two parsers can differ about its host.
    """
    if own[account.mode].fullmatch(url):
        return Source(url=url, names=names)
    trust = account.trust if account.mode == "test" else None
    if trust and re.fullmatch(f"{re.escape(trust.origin)}{beside}", url):
        return Source(url=url, names=names, ca_file=trust.ca_file)
    return None


def signature_of(base64: str) -> bytes | None:
    """Return a signature's bytes; None for what is not Base64, in its one right spelling."""
    try:
        raw = b64decode(base64, validate=True)
    except ValueError:
        return None
    return raw if b64encode(raw).decode() == base64 else None


def is_signed(message: bytes, signature: bytes, source: Source) -> bool:
    """Say whether the owner of a certificate that can be believed signed `message` (RSA, SHA-256).

    Raises Unreachable when the certificate cannot be had just now.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    key = key_of(source)
    if key is None:
        return False
    try:
        key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def key_of(source: Source) -> "RSAPublicKey | None":
    """Return the key of a certificate that can be believed; None for one that cannot.

    Raises Unreachable when it cannot be fetched just now. Each is remembered, what is bad briefly.
    """
    known = _known.get(source)
    if known is None or known.until <= time.monotonic():
        known = _ask(source)
    if known.trouble:
        raise Unreachable(known.trouble)
    return known.key


def _ask(source: Source) -> _Known:
    # One at a time: after a restart all events name the same certificate.
    if not _lock.acquire(timeout=WAIT_S):
        raise Unreachable("another certificate is being fetched")
    try:
        _drop_old()
        if source not in _known:
            if sum(known.key is None for known in _known.values()) >= MOST_BAD:
                raise Unreachable("too many addresses without a certificate were named just now")
            _known[source] = _fetch(source)
        return _known[source]
    finally:
        _lock.release()


def _drop_old() -> None:
    now = time.monotonic()
    for source in [source for source, known in _known.items() if known.until <= now]:
        del _known[source]
    if len(_known) >= MOST_KEPT:
        _known.clear()


def _fetch(source: Source) -> _Known:
    try:
        status, pem = http.download(source.url, patience=http.AT_THE_DOOR, limit=LARGEST)
        roots = _roots_of(source.ca_file) if source.ca_file else _public_roots()
    except (Unreachable, OSError, ValueError) as error:
        return _Known(until=time.monotonic() + BAD_S, trouble=f"no certificate: {error}")
    leaf = _believed(pem, source.names, roots) if status == 200 else None
    if leaf is None:
        return _Known(until=time.monotonic() + BAD_S)
    now = datetime.now(UTC)  # lint: clock, because a certificate ends by the real time.
    left_s = (leaf.not_valid_after_utc - now).total_seconds()
    return _Known(until=time.monotonic() + min(GOOD_S, left_s), key=_rsa_key(leaf))


def _believed(pem: bytes, names: re.Pattern[str], roots: "Store") -> "Certificate | None":
    from cryptography import x509
    from cryptography.x509.verification import PolicyBuilder, VerificationError

    try:
        leaf, *others = x509.load_pem_x509_certificates(pem)
        told = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        fit = [name for name in told.get_values_for_type(x509.DNSName) if names.fullmatch(name)]
        verifier = PolicyBuilder().store(roots).build_server_verifier(x509.DNSName(fit[0]))
        verifier.verify(leaf, others)
    except (ValueError, IndexError, x509.ExtensionNotFound, VerificationError):
        return None
    return leaf


def _rsa_key(leaf: "Certificate") -> "RSAPublicKey | None":
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    key = leaf.public_key()
    return key if isinstance(key, RSAPublicKey) else None


def _roots_of(ca_file: str) -> "Store":
    from cryptography.x509 import load_pem_x509_certificates
    from cryptography.x509.verification import Store

    return Store(load_pem_x509_certificates(Path(ca_file).read_bytes()))


@cache
def _public_roots() -> "Store":
    import certifi
    from cryptography.x509 import load_pem_x509_certificates
    from cryptography.x509.verification import Store

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Some old roots bend the rules a little.
        return Store(load_pem_x509_certificates(Path(certifi.where()).read_bytes()))
