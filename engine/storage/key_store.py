"""The engine's private keys: one file, sealed under the best protection that this machine has.

The file ``keys`` (0600) holds all of them. It is sealed (ChaCha20-Poly1305) under a key that lies, best first,

1. in the operating system's keyring,
2. nowhere: it is derived (scrypt) from the passphrase in ``GENTORRENT_KEY_PASSPHRASE``,
3. or, where there is neither, the file is plain. ``notice`` then says so, and whoever runs the engine shows it.

``GENTORRENT_KEYRING=off`` leaves the keyring out (servers, containers, tests). A better protection that becomes
available is taken at the next start. One that is missing is never replaced by a new identity: that is an error.
"""

from __future__ import annotations

import base64
import contextlib
import enum
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.errors import KeyStoreError
from engine.sentences import say
from engine.storage import keyring_access
from engine.storage.files import overwrite_and_remove, read_limited, write_atomically
from engine.storage.keyring_access import Keyring

PASSPHRASE = "GENTORRENT_KEY_PASSPHRASE"  # noqa: S105 - the name of the variable
FORMAT = "gentorrent-keys-1"
DAY_SECONDS = 86_400.0
MAXIMUM_FILE_LENGTH = 1024 * 1024
SCRYPT_COST = 1 << 15
"""scrypt N (RFC 7914); with r = 8 and p = 1 about 32 MiB and 0.1 s."""


class Protection(enum.StrEnum):
    """What keeps the key file from being read by who copies it."""

    KEYRING = "keyring"
    PASSPHRASE = "passphrase"  # noqa: S105 - a name
    PLAIN = "plain"


Secret = Annotated[bytes, msgspec.Meta(min_length=32, max_length=8192)]


class RotatingKey(msgspec.Struct, frozen=True):
    """A key of one day, kept for the next one too. Times in seconds since 1970."""

    secret: Secret
    created: float

    @property
    def expires(self) -> float:
        """When it is destroyed: two days after it was made."""
        return self.created + 2 * DAY_SECONDS


class _Content(msgspec.Struct):
    """All the secrets."""

    identities: dict[str, Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]] = msgspec.field(
        default_factory=dict
    )
    rotating: dict[str, list[RotatingKey]] = msgspec.field(default_factory=dict)


class _File(msgspec.Struct, frozen=True):
    """The key file. ``body`` is the content in JSON, sealed unless the protection is plain."""

    format: str
    protection: Protection
    entry: str = ""  # name in the keyring
    salt: bytes = b""
    cost: Annotated[int, msgspec.Meta(ge=2, le=1 << 20)] = SCRYPT_COST
    nonce: bytes = b""
    body: bytes = b""

    def associated(self) -> bytes:
        """Bound to the body, so that no header can be put on another one."""
        return msgspec.json.encode([self.format, self.protection, self.entry, self.salt, self.cost])


class KeyStore:
    """Opens or makes the key file. One engine has it at a time (the data directory's lock sees to that)."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        environment: Mapping[str, str] | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
        keyring: Keyring | None = None,
    ) -> None:
        """``keyring`` replaces the system's one (tests). Raises :class:`KeyStoreError` if existing keys cannot be
        opened; the text says what is missing."""
        self._path = path
        self._clock = clock
        self._random_bytes = random_bytes
        self._environment = os.environ if environment is None else environment
        self._keyring = keyring if keyring is not None else keyring_access.find_keyring(self._environment)
        self._key = b""
        data = read_limited(path, MAXIMUM_FILE_LENGTH)
        if data is None:
            self._content = _Content()
            self._header = self._protect()
        else:
            self._header, self._content = self._open(data)
            self._improve()

    @property
    def protection(self) -> Protection:
        return self._header.protection

    @property
    def notice(self) -> str:
        """One sentence for the log and the window on how the keys are kept; a warning if they are not encrypted."""
        if self.protection is Protection.KEYRING:
            return "The keys of this node are protected by the keyring of the operating system."
        if self.protection is Protection.PASSPHRASE:
            return f"The keys of this node are encrypted with the passphrase in {PASSPHRASE}."
        return (
            f"The keys of this node are NOT encrypted: anyone who can read {self._path} can act in its name. No keyring"
            f" was found here; set {PASSPHRASE} to encrypt them."
        )

    def identity(self, name: str = "identity") -> Identity:
        """The lasting Ed25519 identity of this name (``identity``, ``client-identity``), made on first use."""
        seed = self._content.identities.get(name)
        if seed is None:
            seed = self._random_bytes(32)
            self._keep(identities={**self._content.identities, name: seed})
        return Identity.from_seed(seed)

    def replace_identity(self, name: str = "identity") -> Identity:
        """A new identity in the place of this one, which is kept as its predecessor until :meth:`forget_predecessor`.
        The newest; :class:`KeyStoreError` while a predecessor is still kept."""
        identities = dict(self._content.identities)
        if _before(name) in identities:
            raise KeyStoreError(
                "The last change of this identity is not known to the network yet. Run gentorrent node until it is,"
                " then change it again."
            )
        if name in identities:
            identities[_before(name)] = identities[name]
        identities[name] = self._random_bytes(32)
        self._keep(identities=identities)
        return Identity.from_seed(identities[name])

    def predecessor(self, name: str = "identity") -> Identity | None:
        """The identity that the one of this name has replaced, if that is still to be told."""
        seed = self._content.identities.get(_before(name))
        return None if seed is None else Identity.from_seed(seed)

    def forget_predecessor(self, name: str = "identity") -> None:
        """Destroy it; gone from the file before this returns."""
        identities = {key: seed for key, seed in self._content.identities.items() if key != _before(name)}
        if len(identities) != len(self._content.identities):
            self._keep(identities=identities)

    def rotating(self, name: str, generate: Callable[[], bytes]) -> tuple[RotatingKey, ...]:
        """Today's key of this name and, if there is one, yesterday's; newest first.

        ``generate`` makes the private bytes of a new key when the newest is a day old. Older ones are destroyed: gone
        from the file before this returns.
        """
        now = self._clock.wall()
        before = self._content.rotating.get(name, [])
        # A key from the future is one that was made under a wrong clock; it would never grow old.
        kept = [key for key in before if key.created <= now + DAY_SECONDS and now < key.expires][:2]
        if not kept or now >= kept[0].created + DAY_SECONDS:
            kept = [RotatingKey(generate(), now), *kept[:1]]
        if kept != before:
            self._keep(rotating={**self._content.rotating, name: kept})
        return tuple(kept)

    # ------------------------------------------------------------------------------------------------- protection

    def _protect(self) -> _File:
        """A header and key of the best protection available now."""
        if self._keyring is not None:
            entry = "keys-" + self._random_bytes(8).hex()
            key = self._random_bytes(32)
            try:
                keyring_access.write(self._keyring, entry, base64.b64encode(key).decode("ascii"))
            except KeyStoreError:
                self._keyring = None  # this one does not work here
            else:
                self._key = key
                return _File(FORMAT, Protection.KEYRING, entry=entry)
        passphrase = self._environment.get(PASSPHRASE, "")
        if passphrase:
            salt = self._random_bytes(16)
            self._key = _derive(passphrase, salt, SCRYPT_COST)
            return _File(FORMAT, Protection.PASSPHRASE, salt=salt, cost=SCRYPT_COST)
        self._key = b""
        return _File(FORMAT, Protection.PLAIN)

    def _improve(self) -> None:
        """A plain file is sealed as soon as there is something to seal it with."""
        if self.protection is Protection.PLAIN:
            header = self._protect()
            if header.protection is not Protection.PLAIN:
                self._header = header
                self._save()

    def _keep(self, **changes: Any) -> None:
        """Change the content, on disk first: a key that could not be written is not used either."""
        before = self._content
        self._content = msgspec.structs.replace(before, **changes)
        try:
            self._save()
        except BaseException:
            self._content = before
            raise

    def _save(self) -> None:
        body = msgspec.json.encode(self._content)
        header = self._header
        if header.protection is not Protection.PLAIN:
            nonce = self._random_bytes(12)
            body = ChaCha20Poly1305(self._key).encrypt(nonce, body, header.associated())
            header = msgspec.structs.replace(header, nonce=nonce)
        write_atomically(self._path, msgspec.json.encode(msgspec.structs.replace(header, body=body)) + b"\n")

    def _open(self, data: bytes) -> tuple[_File, _Content]:
        try:
            file = msgspec.json.decode(data, type=_File)
            if file.format != FORMAT:
                raise KeyStoreError(say("start.keys_newer", path=str(self._path)))
            body = file.body
            if file.protection is not Protection.PLAIN:
                self._key = self._find_key(file)
                body = ChaCha20Poly1305(self._key).decrypt(file.nonce, file.body, file.associated())
            content = msgspec.json.decode(body, type=_Content)
        except InvalidTag as error:
            wrong = file.protection is Protection.PASSPHRASE
            cause = say("start.wrong_passphrase", variable=PASSPHRASE) if wrong else say("start.other_key")
            raise KeyStoreError(say("start.keys_unopened", path=str(self._path), cause=cause)) from error
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            raise KeyStoreError(say("start.keys_damaged", path=str(self._path))) from error
        return msgspec.structs.replace(file, body=b"", nonce=b""), content

    def _find_key(self, file: _File) -> bytes:
        if file.protection is Protection.PASSPHRASE:
            passphrase = self._environment.get(PASSPHRASE, "")
            if not passphrase:
                raise KeyStoreError(say("start.keys_passphrase", path=str(self._path), variable=PASSPHRASE))
            return _derive(passphrase, file.salt, file.cost)
        if self._keyring is None:
            raise KeyStoreError(say("start.keyring_silent", path=str(self._path), switch=keyring_access.SWITCH))
        secret = keyring_access.read(self._keyring, file.entry)
        if secret is None:
            raise KeyStoreError(say("start.keyring_forgot", path=str(self._path)))
        return base64.b64decode(secret, validate=True)


def destroy_keys(path: Path, *, environment: Mapping[str, str] | None = None, keyring: Keyring | None = None) -> None:
    """Remove the key file, overwritten, and what seals it. ``StorageError`` if the file stays. A keyring that does not
    answer keeps an entry that opens nothing any more."""
    data = read_limited(path, MAXIMUM_FILE_LENGTH)
    if data is None:
        return
    entry = ""
    with contextlib.suppress(msgspec.DecodeError):
        entry = msgspec.json.decode(data, type=_File).entry
    overwrite_and_remove(path)
    if entry:
        found = keyring or keyring_access.find_keyring(os.environ if environment is None else environment)
        if found is not None:
            with contextlib.suppress(KeyStoreError):
                keyring_access.delete(found, entry)


def _before(name: str) -> str:
    return f"{name}-before"


def _derive(passphrase: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase.encode())
