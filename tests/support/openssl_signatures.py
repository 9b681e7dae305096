"""Ed25519 as OpenSSL checks it, which has another implementation and leaves small order be."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def openssl_takes(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether OpenSSL takes this for a signature of ``message``."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True
