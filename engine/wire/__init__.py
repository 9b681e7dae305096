"""Every message that crosses the network, numbered, in one place; bounded codec; versions. Pure.

It is not the protocol's behaviour (see ``engine.paths``, ``engine.directory``): only layouts and their limits.
``docs/protocol.md`` is the specification of what is defined here.
"""

PROTOCOL_VERSION = 1
"""Spoken by this software; peers speak the highest version both know."""
MINIMUM_PROTOCOL_VERSION = 1
"""Peers below this are refused with a reason."""
SUITE_ED25519 = 1
"""Identity suite: Ed25519 signatures, SHA-256 ids."""
SUITE_ONION_X25519 = 1
"""Onion suite: X25519, HKDF-SHA256, ChaCha20-Poly1305."""
SUITE_HPKE_X25519 = 1
"""Sealing suite: HPKE base mode, DHKEM(X25519), HKDF-SHA256, ChaCha20-Poly1305 (RFC 9180)."""
SUITE_HPKE_MLKEM768_X25519 = 2
"""Sealing suite: HPKE base mode, MLKEM768-X25519 (draft), HKDF-SHA256, ChaCha20-Poly1305."""
