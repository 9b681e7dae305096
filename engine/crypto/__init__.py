"""Cryptography of the overlay: identities, seals, split messages and onion packets. Pure.

Primitives come from OpenSSL through ``cryptography``; this package only composes them and fixes the bytes they cover.
It is not the protocol (who sends what when: ``engine.paths``) and holds no key store (``engine.storage``). Randomness
that we choose comes in as ``random_bytes``; ephemeral keys inside HPKE are drawn by OpenSSL from the operating system.
"""
