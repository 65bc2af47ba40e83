"""Certificates and signatures made here: what PayPal would sign with, and what an attacker would."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST = "messageverificationcerts.sandbox.paypal.com"
SENT_AT = "2026-01-31T12:00:00Z"
Key = RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def key(name: str) -> RSAPrivateKey:
    """One key for each name in a run: making them takes most of the time."""
    assert name
    return generate_private_key(public_exponent=65_537, key_size=2_048)


@dataclass
class Signer:
    """Signs transmissions with the key of one name."""

    key_name: str = "stranger"
    real_url: str = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"
    transmission_id: str = "69cd13f0-d67a-11e5-baa3-778b53f4ae55"
    more: Mapping[str, str] = field(default_factory=dict)

    def headers(self, body: bytes, webhook_id: str, *, url: str = "", time: str = SENT_AT) -> dict[str, str]:
        message = f"{self.transmission_id}|{time}|{webhook_id}|{zlib.crc32(body)}".encode()
        signature = key(self.key_name).sign(message, PKCS1v15(), SHA256())
        return {
            "paypal-transmission-id": self.transmission_id,
            "paypal-transmission-time": time,
            "paypal-transmission-sig": base64.b64encode(signature).decode(),
            "paypal-cert-url": url or self.real_url,
            "paypal-auth-algo": "SHA256withRSA",
            "paypal-auth-version": "v2",
            **self.more,
        }


@dataclass(frozen=True, kw_only=True)
class Made:
    """A certificate that can be made wrong in every way that matters. `signed_by` None: by itself."""

    key: Key
    host: str | None = HOST
    signed_by: "Made | None" = None
    is_ca: bool = False
    begins_in_days: int = -1
    ends_in_days: int = 30
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH

    @property
    def name(self) -> x509.Name:
        kind = "authority" if self.is_ca else "leaf"
        digits = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()).digest.hex()
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{kind} {digits}")])

    def pem(self) -> bytes:
        signer, now = self.signed_by or self, datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .serial_number(x509.random_serial_number())
            .subject_name(self.name)
            .issuer_name(signer.name)
            .public_key(self.key.public_key())
            .not_valid_before(now + timedelta(days=self.begins_in_days))
            .not_valid_after(now + timedelta(days=self.ends_in_days))
            .add_extension(x509.BasicConstraints(ca=self.is_ca, path_length=None), critical=True)
            .add_extension(_authority(signer), critical=False)
        )
        for extension, critical in self._more():
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(signer.key, SHA256()).public_bytes(Encoding.PEM)

    def _more(self) -> list[tuple[x509.ExtensionType, bool]]:
        if self.is_ca:
            own = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
            return [(own, False), (_signs_certificates(), True)]
        names = [x509.DNSName(self.host)] if self.host else [x509.DNSName("other.example")]
        return [
            (x509.SubjectAlternativeName(names), False),
            (x509.ExtendedKeyUsage([self.usage]), False),
        ]


def _authority(signer: Made) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())


def _signs_certificates() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
