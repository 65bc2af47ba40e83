"""What signs the webhooks: a key, its certificate, and the authority that stands for PayPal's.

Slow to import, so only an emulator that is really served does it.
"""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from sandbox.paypal import authority


class Certificates:
    """Made at the first start and kept in the data directory."""

    def __init__(self, data_dir: Path) -> None:
        authority.ensure(data_dir)
        leaf = (data_dir / authority.LEAF_FILE).read_bytes()
        self.chain = leaf + (data_dir / authority.CA_FILE).read_bytes()
        self._key = _key((data_dir / authority.LEAF_KEY_FILE).read_bytes())
        self._other_key = _key((data_dir / authority.CA_KEY_FILE).read_bytes())
        self.id = _name(leaf)

    def sign(self, message: bytes) -> str:
        return _signature(self._key, message)

    def forge(self, message: bytes) -> str:
        """A signature of the right form, by a key that the certificate is not about."""
        return _signature(self._other_key, message)

    def verifies(self, signature: str, message: bytes) -> bool:
        """Whether a signature was made by `sign`."""
        try:
            raw = base64.b64decode(signature, validate=True)
            self._key.public_key().verify(raw, message, PKCS1v15(), SHA256())
        except (ValueError, InvalidSignature):
            return False
        return True


def _signature(key: RSAPrivateKey, message: bytes) -> str:
    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def _name(certificate: bytes) -> str:
    """`CERT-` and the beginning of the certificate's own fingerprint."""
    digits = load_pem_x509_certificate(certificate).fingerprint(SHA256()).hex()
    return f"CERT-{digits[:8]}-{digits[8:16]}-{digits[16:24]}"


@cache  # Tests start many sandboxes with the same keys, and a key is checked for 30 ms when it is read.
def _key(pem: bytes) -> RSAPrivateKey:
    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, RSAPrivateKey)
    return key
