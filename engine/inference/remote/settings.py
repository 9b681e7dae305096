"""Which server, which of its models, and what the owner says it can do. Data and checks only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.errors import ConfigurationError

FEATURES: dict[str, frozenset[str]] = {
    "openai": frozenset(),
    "ollama": frozenset({"json_schema"}),
    "llama.cpp": frozenset({"top_k", "min_p", "repeat_penalty", "json_schema"}),
    "vllm": frozenset(
        {
            "top_k",
            "min_p",
            "repetition_penalty",
            "min_tokens",
            "json_schema",
            "logprobs",
            "cache_salt",
            "chat_template_kwargs",
        }
    ),
    "sglang": frozenset(
        {"top_k", "min_p", "repetition_penalty", "min_tokens", "json_schema", "logprobs", "chat_template_kwargs"}
    ),
}
"""What each kind of server takes beyond OpenAI's protocol, from their documentation. "openai" is any other server: what
the protocol lists but many servers ignore without a word (log probabilities, JSON schemas) is not relied upon there."""

PIECES_SCHEME = hashlib.sha256(b"gentorrent/remote-pieces/v1").digest()
"""Stands where a tokenizer's digest stands: the ids of such answers are :func:`piece_id`, of no vocabulary."""


def piece_id(text: str | bytes) -> int:
    """The id of one piece of an answer: the first 31 bits of the SHA-256 of its UTF-8 text.

    These ids count the pieces and let a receipt commit to the text; nothing can be decoded from them.
    """
    content = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    return int.from_bytes(hashlib.sha256(content).digest()[:4], "big") >> 1


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """Limits are in seconds, bytes and characters. ``base_url`` as :func:`checked_base_url` returns it. ``api_key`` is
    sent to this server alone and shown nowhere. ``context_length`` 0: what the server says, else 4,096."""

    base_url: str
    server_model: str
    model_id: str
    server: str = "openai"
    api_key: str = ""
    context_length: int = 0
    slots: int = 8
    queue_limit: int = 32
    check_seconds: float = 10.0
    check_timeout: float = 5.0
    connect_timeout: float = 10.0
    first_timeout: float = 300.0
    """Until the first byte of an answer: prompts are read, other answers waited for."""
    stall_timeout: float = 60.0
    """Without a byte in the middle of an answer."""
    usage_timeout: float = 5.0
    """For the numbers that some servers send after the last text."""

    def __repr__(self) -> str:
        return f"RemoteSettings({self.base_url}, {self.server_model}, {self.server})"

    @property
    def features(self) -> frozenset[str]:
        """What the server takes beyond the protocol."""
        return FEATURES[self.server]

    @property
    def digest(self) -> bytes:
        """What takes the place of a digest over a model's files, which nobody here can see.

        It covers the kind of back end, the server's and the published name and the declared features: equal digests
        mean that two nodes *say* the same of their models, not that the weights are the same.
        """
        parts = ("gentorrent/remote-model/v1", self.server, self.server_model, self.model_id, *sorted(self.features))
        total = hashlib.sha256()
        for part in parts:
            encoded = part.encode()
            total.update(len(encoded).to_bytes(4, "big") + encoded)
        return total.digest()


def checked_base_url(url: str) -> str:
    """``url`` with ``/v1`` after it where it names no path, without a slash at the end; :class:`ConfigurationError`."""
    expected = "Write it like http://127.0.0.1:8000/v1, without user name, password, query and fragment."
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or any(character.isspace() for character in url):
        raise ConfigurationError(f"The back end's address {url[:200]!r} is not one of a web server. {expected}")
    if parts.username or parts.password or parts.query or parts.fragment:
        # Not shown: a password may stand in it.
        raise ConfigurationError(f"The back end's address has parts that do not belong there. {expected}")
    path = parts.path.rstrip("/") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"


def is_unprotected(base_url: str) -> bool:
    """Whether questions would leave this machine readable for everybody on the way."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    return parts.scheme == "http" and host not in ("localhost", "::1") and not host.startswith("127.")
