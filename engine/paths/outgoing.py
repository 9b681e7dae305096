"""One request on its way out: sealed to the model node, split into cloves, each sealed on its own. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.crypto.sealing import seal
from engine.crypto.sida import split
from engine.errors import InvalidRequestError, SealError, ServingNodeLostError, WireError
from engine.ids import NetworkId, NodeId, RequestId
from engine.paths import keys
from engine.paths.answer_receiver import AnswerReceiver
from engine.wire import PROTOCOL_VERSION, SUITE_HPKE_MLKEM768_X25519, SUITE_HPKE_X25519
from engine.wire.answer import (
    MAX_REQUEST,
    Attach,
    ChatMessage,
    Request,
    RequestClove,
    Sampling,
    SealedClove,
    request_decoder,
)
from engine.wire.codec import encode


@dataclass(frozen=True, slots=True)
class Target:
    """A model node as the directory describes it; keys are the newest of each suite."""

    node_id: NodeId
    clove_key: bytes
    request_key: bytes
    model_digest: bytes
    tokenizer_digest: bytes
    started: float = 0.0
    """The node's last start (seconds since 1970): it refuses what was sealed before."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, before anything is chosen or sealed; see :class:`engine.wire.answer.Request`. An empty
    ``request_id`` is drawn."""

    model_id: str
    messages: tuple[ChatMessage, ...]
    sampling: Sampling
    max_tokens: int
    min_tokens: int = 0
    stop: tuple[str, ...] = ()
    public_messages: int = 0
    public_characters: int = 0
    may_forward: bool = False
    prompt: str = ""
    tools: str = ""
    tool_choice: str = ""
    parallel_tool_calls: bool = True
    constraint_kind: str = ""
    constraint: str = ""
    template_options: str = ""
    top_logprobs: int = -1
    minimum_standing: float = 0.0
    continue_tokens: tuple[int, ...] = ()
    continue_characters: int = 0
    attempt: int = 0
    score_key: bytes = b""
    prompt_commitment: bytes = b""
    sample: bytes = b""
    request_id: bytes = b""


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """A sealed and split request. ``encoded`` is what the receipt's commitment covers."""

    request: Request
    encoded: bytes
    target: Target
    network_id: NetworkId
    message_id: bytes
    shares: tuple[bytes, ...]
    _sealed: dict[int, bytes] = field(default_factory=dict, compare=False)

    def clove(self, index: int) -> bytes:
        """Share ``index`` sealed to the model node; sealed afresh at every call, so that two look nothing alike."""
        if index in self._sealed:
            return self._sealed.pop(index)
        request = self.request
        content = RequestClove(
            message_id=self.message_id, index=index, n=request.n, k=request.k, share=self.shares[index]
        )
        return self._seal(content)

    def seal_first(self) -> None:
        """Seal clove 0 ahead of its sending. ``SealError`` if nothing can be sealed to the node's clove key."""
        self._sealed[0] = self.clove(0)

    def receiver(
        self, random_bytes: Callable[[int], bytes], may_serve: Callable[[NodeId], bool] | None
    ) -> AnswerReceiver:
        """The incoming half of the answer."""
        request = self.request
        return AnswerReceiver(
            request_id=RequestId(request.request_id),
            answer_secret=request.answer_secret,
            clove_secrets=request.clove_secrets,
            n=request.n,
            k=request.k,
            random_bytes=random_bytes,
            serving_node=self.target.node_id,
            attempt=request.attempt,
            may_serve=may_serve,
        )

    def attach(self, message: Attach) -> bytes:
        """`Replace proxy i by j`, sealed to the model node."""
        return self._seal(message)

    def _seal(self, content: RequestClove | Attach) -> bytes:
        info = keys.clove_info(self.network_id, self.target.node_id)
        sealed = seal(SUITE_HPKE_X25519, self.target.clove_key, encode(content), info)
        return encode(SealedClove(suite=SUITE_HPKE_X25519, sealed=sealed))


def prepare(
    question: Question,
    target: Target,
    network_id: NetworkId,
    n: int,
    k: int,
    cache_salt: bytes,
    wall: float,
    random_bytes: Callable[[int], bytes],
) -> OutgoingRequest:
    """Seal and split a question. Raises ``InvalidRequestError`` when it is too long to send, ``ServingNodeLostError``
    when nothing can be sealed to the keys that the node published."""
    request = Request(
        version=PROTOCOL_VERSION,
        request_id=question.request_id or random_bytes(16),
        sealed_at=max(wall, target.started),  # the node's clock may be ahead of ours
        answer_secret=random_bytes(32),
        clove_secrets=tuple(random_bytes(32) for _ in range(n)),
        n=n,
        k=k,
        model_id=question.model_id,
        model_digest=target.model_digest,
        messages=question.messages,
        sampling=question.sampling,
        max_tokens=question.max_tokens,
        min_tokens=question.min_tokens,
        stop=question.stop,
        cache_salt=cache_salt,
        public_messages=question.public_messages,
        public_characters=question.public_characters,
        may_forward=question.may_forward,
        prompt=question.prompt,
        tools=question.tools,
        tool_choice=question.tool_choice,
        parallel_tool_calls=question.parallel_tool_calls,
        constraint_kind=question.constraint_kind,
        constraint=question.constraint,
        template_options=question.template_options,
        top_logprobs=question.top_logprobs,
        minimum_standing=question.minimum_standing,
        continue_tokens=question.continue_tokens,
        continue_characters=question.continue_characters,
        attempt=question.attempt,
        score_key=question.score_key,
        prompt_commitment=question.prompt_commitment,
        sample=question.sample,
    )
    encoded = encode(request)
    limit = min(MAX_REQUEST, k * 55_000)  # a clove of it must fit one link message
    if len(encoded) > limit:
        raise InvalidRequestError(
            f"The conversation is {len(encoded):,} bytes long and the network carries {limit:,} at most. "
            "Shorten it or start a new chat."
        )
    try:
        request_decoder.decode(encoded)
    except WireError as error:  # the node would drop it without a word
        raise InvalidRequestError(
            f"The network does not carry this request: {error}. Make the part that it names shorter."
        ) from error
    try:
        sealed = seal(
            SUITE_HPKE_MLKEM768_X25519, target.request_key, encoded, keys.request_info(network_id, target.node_id)
        )
        outgoing = OutgoingRequest(
            request=request,
            encoded=encoded,
            target=target,
            network_id=network_id,
            message_id=random_bytes(16),
            shares=tuple(split(sealed, n, k, random_bytes)),
        )
        outgoing.seal_first()  # an unusable clove key shows here, before anything is promised, and never in a timer
    except SealError as error:
        raise ServingNodeLostError(
            "The machine that was chosen to answer published keys that cannot be used. Ask again; another one answers."
        ) from error
    return outgoing
