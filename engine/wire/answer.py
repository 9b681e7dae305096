"""What client and model node say to each other, sealed from everybody between them (numbers 70 to 99)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.wire.codec import Decoder, Id16, Id20, Key32, Message, ShortText, UInt8, UInt16, UInt32, UInt53

MAX_REQUEST = 160_000
"""Bytes of one encoded request before splitting (a clove of it fits one link message)."""
MAX_FRAME = 16_384
"""Bytes of one encoded answer frame."""
MAX_TOKEN_BYTES = 128
"""Bytes shown of one token beside its log probability; the few longer ones (runs of blanks) are cut."""
MAX_TOP_LOGPROBS = 20
LOWEST_LOGPROB = -9999.0
"""What stands for minus infinity, as in OpenAI's API."""
Text = Annotated[str, Meta(max_length=140_000)]
Token = Annotated[int, Meta(ge=0, le=0x7FFF_FFFF)]
Bias = Annotated[float, Meta(ge=-100, le=100)]  # added to a token's logit
MAX_SAMPLE = 4_500
"""Bytes of a receipt with its key and signature."""
OptionalKey = Annotated[bytes, Meta(max_length=32)]
"""32 bytes, or none."""


class ChatMessage(Message, frozen=True, tag=70):
    """One message of the conversation. ``tool_calls`` (of an assistant) is a JSON array as OpenAI's API has it;
    ``tool_call_id`` and ``name`` belong to the answer of a tool."""

    role: Annotated[str, Meta(max_length=32)]
    content: Text
    reasoning: Text = ""
    tool_calls: Text = ""
    tool_call_id: ShortText = ""
    name: ShortText = ""


class Sampling(Message, frozen=True, tag=71):
    """How tokens are chosen: canonical ``gumbel-1`` (docs/sampling.md)."""

    seed: UInt53
    temperature: Annotated[float, Meta(ge=0, le=10)] = 1.0
    top_p: Annotated[float, Meta(gt=0, le=1)] = 1.0
    top_k: Annotated[int, Meta(ge=0, le=1_000_000)] = 0  # 0 means all
    min_p: Annotated[float, Meta(ge=0, le=1)] = 0.0
    repetition_penalty: Annotated[float, Meta(ge=0.01, le=100)] = 1.0
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] = 0.0
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] = 0.0
    logit_bias: Annotated[tuple[tuple[Token, Bias], ...], Meta(max_length=1024)] = ()


class Request(Message, frozen=True, tag=72):
    """A request for an answer; sealed to the model node with suite 2, then split into cloves."""

    version: UInt16
    request_id: Id16
    sealed_at: Annotated[float, Meta(ge=0, le=4e9)]  # seconds since 1970; expires 300 s later
    answer_secret: Key32
    clove_secrets: Annotated[tuple[Key32, ...], Meta(min_length=1, max_length=16)]  # one per path index
    n: Annotated[int, Meta(ge=1, le=16)]
    k: Annotated[int, Meta(ge=1, le=16)]
    model_id: Annotated[str, Meta(min_length=1, max_length=200)]
    model_digest: Key32
    messages: Annotated[tuple[ChatMessage, ...], Meta(max_length=2048)]  # empty where there is a prompt
    sampling: Sampling
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000)]
    min_tokens: Annotated[int, Meta(ge=0, le=1_000_000)]
    stop: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=500)], ...], Meta(max_length=16)]
    cache_salt: Key32
    public_messages: UInt16 = 0  # leading messages that may be cached for everyone and gossiped
    public_characters: UInt32 = 0  # and so many characters of the next one
    may_forward: bool = False
    minimum_standing: Annotated[float, Meta(ge=0, le=1)] = 0.0
    continue_tokens: Annotated[tuple[Token, ...], Meta(max_length=100_000)] = ()  # already delivered (hand-over)
    prompt: Text = ""  # plain text to continue in the place of messages
    tools: Text = ""  # JSON array as OpenAI's API has it
    tool_choice: ShortText = ""  # "": the model decides; "none"; "required"; "function:NAME"
    parallel_tool_calls: bool = True
    constraint_kind: Annotated[str, Meta(max_length=16)] = ""  # "json_schema", "json_object", "regex", "lark"
    constraint: Annotated[str, Meta(max_length=65_536)] = ""
    template_options: Annotated[str, Meta(max_length=4096)] = ""  # JSON object, arguments of the chat template
    top_logprobs: Annotated[int, Meta(ge=-1, le=MAX_TOP_LOGPROBS)] = -1  # alternatives per token; -1: none, nor its own
    continue_characters: UInt32 = 0  # of text that came with ``continue_tokens``; the node goes on behind them
    attempt: UInt16 = 0  # executions of the same answer that the client has begun before (hand-over)
    # 32 bytes each: make no answer, but say how well ``continue_tokens`` are what this request draws; the key of a
    # receipt's commitments, and what was signed of the prompt under it.
    score_key: OptionalKey = b""
    prompt_commitment: OptionalKey = b""
    # make no answer, but bring this user's sample (an encoded ``SignedRecord`` of a receipt) to the server
    sample: Annotated[bytes, Meta(max_length=MAX_SAMPLE)] = b""


class RequestClove(Message, frozen=True, tag=73):
    """Inside the sealing of one request clove: share ``index`` of message ``message_id``."""

    message_id: Id16
    index: Annotated[int, Meta(ge=0, le=15)]
    n: Annotated[int, Meta(ge=1, le=16)]
    k: Annotated[int, Meta(ge=1, le=16)]
    share: Annotated[bytes, Meta(max_length=60_000)]


class Attach(Message, frozen=True, tag=74):
    """Inside the sealing of a clove: `replace proxy i by j`. Arrives over the new path, whose return address takes the
    place of path ``index``; ``sealed`` is an :class:`Attachment` under the control key, so that only the client can."""

    request_id: Id16
    index: Annotated[int, Meta(ge=0, le=15)]
    counter: UInt53
    sealed: Annotated[bytes, Meta(max_length=512)]


class Attachment(Message, frozen=True, tag=75):
    """The new path's clove secret."""

    clove_secret: Key32


class SealedClove(Message, frozen=True, tag=76):
    """What a proxy hands over for a handle it has not used before: HPKE (clove suite) to the model node."""

    suite: UInt8
    sealed: Annotated[bytes, Meta(max_length=61_000)]


class ControlClove(Message, frozen=True, tag=77):
    """Client to model node on an attached handle: AEAD under the control key. The nonce is drawn at random and the
    counter is inside: proxies that compare what they carry find nothing that rises over the paths of one answer."""

    nonce: Annotated[bytes, Meta(min_length=12, max_length=12)]
    sealed: Annotated[bytes, Meta(max_length=4096)]


class AnswerClove(Message, frozen=True, tag=78):
    """Model node to client. ``salt`` and ``announcement`` stand in every clove of a path until the first
    acknowledgement, then are empty. ``number`` is the frame number plus an offset only the client knows."""

    salt: Annotated[bytes, Meta(max_length=16)]
    announcement: Annotated[bytes, Meta(max_length=256)]
    number: UInt32
    index: Annotated[int, Meta(ge=0, le=15)]
    sealed: Annotated[bytes, Meta(max_length=17_000)]


class Announcement(Message, frozen=True, tag=79):
    """Sealed under HKDF(path's clove secret, path's salt, "announce"): which execution this path carries."""

    serving_node: Id20
    attempt: UInt16
    frame_salt: Id16


class Acknowledge(Message, frozen=True, tag=80):
    """Control: every frame below ``next_frame`` has arrived; ``missing`` above it are wanted again."""

    next_frame: UInt32
    missing: Annotated[tuple[UInt32, ...], Meta(max_length=64)]
    announced: UInt16  # bit i: the client has read the announcement of path i and needs it no more
    counter: UInt53  # rises with every control message and attachment of the answer


class Cancel(Message, frozen=True, tag=81):
    """Control: stop the execution."""

    counter: UInt53


TokenBytes = Annotated[bytes, Meta(max_length=MAX_TOKEN_BYTES)]
LogProbability = Annotated[float, Meta(ge=LOWEST_LOGPROB, le=0)]  # natural, of the model's own logits


class TokenProbability(Message, frozen=True, tag=90):
    """How probable a token was, and the most probable ones at its place, falling: (token, bytes, log probability)."""

    token: Token
    text: TokenBytes
    logprob: LogProbability
    top: Annotated[tuple[tuple[Token, TokenBytes, LogProbability], ...], Meta(max_length=MAX_TOP_LOGPROBS)] = ()


class Tokens(Message, frozen=True, tag=82):
    """Frame event: the next tokens and the text they complete (UTF-8 is never broken; text may lag behind ids)."""

    first: UInt32  # position of the first of ``ids`` in the answer
    ids: Annotated[tuple[Token, ...], Meta(max_length=4096)]
    text: Annotated[str, Meta(max_length=12_000)]
    logprobs: Annotated[tuple[TokenProbability, ...], Meta(max_length=4096)] = ()  # one for each id, if asked for


class Stage(Message, frozen=True, tag=83):
    """Frame event: where the request stands; also the heartbeat (empty frames carry it)."""

    stage: ShortText  # "queued", "prefill", "decode", "finishing"
    place: UInt16  # place in the queue, 0 when running
    estimate: Annotated[float, Meta(ge=0, le=1e6)]  # seconds to the first token


class Checkpoint(Message, frozen=True, tag=84):
    """Frame event: signed receipt of the transcript so far, every 32 tokens or 1 s."""

    record: Annotated[bytes, Meta(max_length=4096)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


class Finished(Message, frozen=True, tag=85):
    """Frame event, the last: why it ended, usage and the final receipt. Of a request for a score ``reason`` is "scored"
    and ``record`` a ``engine.wire.challenges.ScoreReport``; of one with a sample it is "brought", and nothing is
    signed."""

    reason: ShortText  # "stop", "length", "scored", "brought"
    prompt_tokens: UInt32
    completion_tokens: UInt32
    record: Annotated[bytes, Meta(max_length=4096)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]
    cached_tokens: UInt32 = 0  # of the prompt, taken from the prefix cache
    waited_ms: UInt32 = 0  # before the first token, in which the node did other things than reading this prompt


class Failed(Message, frozen=True, tag=86):
    """Frame event, the last: the request was refused or failed; ``code`` as in ``engine.errors``, ``parameter`` names
    the field of the local API that is to blame, where that is known."""

    code: ShortText
    text: Annotated[str, Meta(max_length=1000)]
    estimate: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    alternatives: Annotated[tuple[Id20, ...], Meta(max_length=8)] = ()
    parameter: ShortText = ""


class AnswerStyle(Message, frozen=True, tag=89):
    """Frame event, before any token: how the model marks the parts of its answer in the text. ``tool_calls`` names the
    notation of its calls ("": none is known). Reasoning stands between the two marks ("": the model has none);
    ``reasoning_open``: the prompt ends inside it already."""

    tool_calls: Annotated[str, Meta(max_length=32)] = ""
    reasoning_begin: Annotated[str, Meta(max_length=64)] = ""
    reasoning_end: Annotated[str, Meta(max_length=64)] = ""
    reasoning_open: bool = False


FrameEvent = Tokens | Stage | Checkpoint | Finished | Failed | AnswerStyle


class Frame(Message, frozen=True, tag=87):
    """One answer frame, sealed under the frame key with its number as nonce, then split into n cloves."""

    number: UInt32
    events: Annotated[tuple[FrameEvent, ...], Meta(max_length=64)]


class Receipt(Message, frozen=True, tag=88):
    """What the model node signs (purpose ``receipt``) about tokens ``first`` to ``last`` (exclusive) of an answer.

    Commitments are made by ``engine.verification.receipts.commit``: of the request without its secrets, of the prompt's
    token ids and of the output's token ids. ``completion_tokens`` is ``last - first``. ``entry``: whom the client has
    asked, the signer itself or the member of its group that has passed the request on to it.
    """

    version: UInt16
    network_id: Key32
    request_id: Id16
    attempt: UInt16
    final: bool
    first: UInt32
    last: UInt32
    model_id: Annotated[str, Meta(max_length=200)]
    model_digest: Key32
    tokenizer_digest: Key32
    sampler: ShortText  # "gumbel-1"
    seed: UInt53
    request_commitment: Key32
    prompt_commitment: Key32
    output_commitment: Key32
    prompt_tokens: UInt32
    completion_tokens: UInt32
    ttft_ms: Annotated[float, Meta(ge=0, le=1e9)]
    total_ms: Annotated[float, Meta(ge=0, le=1e9)]
    node_id: Id20
    node_key: Key32
    entry: Id20
    issued: UInt53


request_decoder: Decoder[Request] = Decoder(Request, MAX_REQUEST)
clove_content_decoder: Decoder[RequestClove | Attach] = Decoder(RequestClove | Attach)
attachment_decoder: Decoder[Attachment] = Decoder(Attachment)
delivery_decoder: Decoder[SealedClove | ControlClove] = Decoder(SealedClove | ControlClove)
answer_clove_decoder: Decoder[AnswerClove] = Decoder(AnswerClove)
announcement_decoder: Decoder[Announcement] = Decoder(Announcement)
control_decoder: Decoder[Acknowledge | Cancel] = Decoder(Acknowledge | Cancel)
frame_decoder: Decoder[Frame] = Decoder(Frame, MAX_FRAME)
receipt_decoder: Decoder[Receipt] = Decoder(Receipt)
