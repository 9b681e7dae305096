"""What several messages of the control WebSocket are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from engine.sentences import Said, Sentence

ChatId = Annotated[str, Meta(min_length=1, max_length=64)]
ModelName = Annotated[str, Meta(min_length=1, max_length=200)]
Whole = Annotated[int, Meta(ge=0, le=9_007_199_254_740_991)]
"""As large as JSON keeps numbers everywhere (RFC 8259, section 6), which databases keep, too."""
Route = Literal["auto", "local", "network"]
"""Where an answer may be made: on the network where one is configured, else here ("auto"), only here, or only on the
network."""


class ControlRequest(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of what a client sends."""


class ControlEvent(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of what the engine sends."""


class Worded(Struct, frozen=True, kw_only=True):
    """Base of what has texts for people in English. ``words``: by field (``warnings[0]`` in lists), the same as codes
    with values, for those texts that the engine has codes for."""

    words: dict[str, tuple[Sentence, ...]] = {}

    def __post_init__(self) -> None:
        words: dict[str, tuple[Sentence, ...]] = {}
        plain: dict[str, object] = {}
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Said):
                words[name], plain[name] = value.parts, "".join(value)
            elif isinstance(value, tuple) and any(isinstance(one, Said) for one in value):
                words |= {f"{name}[{at}]": one.parts for at, one in enumerate(value) if isinstance(one, Said)}
                plain[name] = tuple("".join(one) if isinstance(one, Said) else one for one in value)
        if words:
            plain["words"] = {**self.words, **words}
            for name, value in plain.items():
                structs.force_setattr(self, name, value)


class PrivacyChoice(Struct, frozen=True, kw_only=True):
    """The least that is accepted while the network has too few relays: so many paths, so many relays on each; None:
    nothing below what the network wants. ``direct``: no relays at all; the machine that answers sees this one's
    address. The strongest that is possible is used, never below what the network's genesis file allows."""

    least_paths: Annotated[int, Meta(ge=1, le=16)] | None = None
    least_hops: Annotated[int, Meta(ge=1, le=3)] | None = None
    direct: bool = False


class Privacy(Worded, frozen=True, kw_only=True):
    """What carried an answer: ``needed`` of ``paths`` of ``hops`` relays (0: none, ``direct``), against what the
    network wants. ``weaker`` than that only by the user's own choice; ``text`` says it in plain words, empty when all
    is as the network wants it and relays stand between."""

    paths: int
    needed: int
    hops: int
    direct: bool
    full_paths: int
    full_hops: int
    weaker: bool
    text: str = ""


class MachineStanding(Struct, frozen=True, kw_only=True):
    """What the network's committee says of a machine that answered. ``checked``: when the epoch began in which it last
    judged an answer of it, in seconds since 1970; 0: it never has. ``passed``: its latest verdict is a pass.
    ``contradicted``: it has signed two things that contradict each other, which alone excludes it. ``slower``: it was
    found to read slower than it says, which excludes nobody."""

    node: str
    standing: Literal["established", "newcomer", "excluded"]
    reputation: float = 0.0
    judged: int = 0
    passed: bool = False
    checked: float = 0.0
    contradicted: bool = False
    slower: bool = False


class WeakerChoice(Worded, frozen=True, kw_only=True):
    """Something to choose while relays are missing, in a form that can be sent back; ``text`` is for people."""

    privacy: PrivacyChoice
    paths: int
    hops: int
    text: str


class SamplingChoice(Struct, frozen=True, kw_only=True):
    """How tokens are chosen. ``seed`` None: drawn by the engine and told in :class:`ChatDone`."""

    seed: Whole | None = None
    temperature: Annotated[float, Meta(ge=0, le=10)] = 1.0
    top_p: Annotated[float, Meta(gt=0, le=1)] = 1.0
    top_k: Annotated[int, Meta(ge=0, le=1_000_000)] = 0  # 0 means all
    min_p: Annotated[float, Meta(ge=0, le=1)] = 0.0
    repetition_penalty: Annotated[float, Meta(ge=0.01, le=100)] = 1.0
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] = 0.0
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] = 0.0


class RequestFailed(ControlEvent, Worded, frozen=True, kw_only=True, tag="request_failed"):
    """A request was refused or failed and changed nothing; ``request`` is its type ("set_contributing", …), ``ref``
    what it was marked with. What fails of a :class:`Chat` comes as ``ChatFailed``."""

    request: str
    code: str
    text: str
    ref: str = ""


__all__ = [
    "ChatId",
    "ControlEvent",
    "ControlRequest",
    "MachineStanding",
    "ModelName",
    "Privacy",
    "PrivacyChoice",
    "RequestFailed",
    "Route",
    "SamplingChoice",
    "WeakerChoice",
    "Worded",
]
