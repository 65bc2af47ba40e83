"""Making the certificate authority and the one certificate that it signs."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST = "messageverificationcerts.sandbox.paypal.com"
CA_FILE, CA_KEY_FILE = "paypal-ca.pem", "paypal-ca.key"
LEAF_FILE, LEAF_KEY_FILE = "paypal-leaf.pem", "paypal-leaf.key"
KEY_BITS = 2_048
CA_DAYS, LEAF_DAYS = 36_500, 18_250


def ensure(data_dir: Path) -> None:
    """Make the files, unless all of them are there."""
    names = (CA_KEY_FILE, LEAF_KEY_FILE, LEAF_FILE, CA_FILE)
    if all((data_dir / name).exists() for name in names):
        return
    ca_key, leaf_key = _new_key(), _new_key()
    ca = _make_ca(ca_key)
    _write_secret(data_dir / CA_KEY_FILE, ca_key)
    _write_secret(data_dir / LEAF_KEY_FILE, leaf_key)
    (data_dir / LEAF_FILE).write_bytes(_make_leaf(leaf_key, ca_key, ca).public_bytes(Encoding.PEM))
    (data_dir / CA_FILE).write_bytes(ca.public_bytes(Encoding.PEM))


def _new_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65_537, key_size=KEY_BITS)


def _make_ca(key: RSAPrivateKey) -> x509.Certificate:
    name, public = _common_name("Sandbox authority, for tests only"), key.public_key()
    builder = (
        _begin(CA_DAYS)
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return builder.sign(key, SHA256())


def _make_leaf(key: RSAPrivateKey, ca_key: RSAPrivateKey, ca: x509.Certificate) -> x509.Certificate:
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    builder = (
        _begin(LEAF_DAYS)
        .subject_name(_common_name(HOST))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer, critical=False)
    )
    return builder.sign(ca_key, SHA256())


def _begin(days: int) -> x509.CertificateBuilder:
    begins = datetime.now(UTC) - timedelta(days=1)  # A receiver's clock may be a little behind.
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
    )


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write_secret(path: Path, key: RSAPrivateKey) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
