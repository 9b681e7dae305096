"""The window's sentences about answers: where one was made, how fast, how sure, and who could know what."""

from __future__ import annotations

from dataclasses import dataclass

from app.i18n import mark, number, tr
from app.models.engine_words import from_engine
from app.models.turns import KeptAnswer
from engine.api import schema

SHORT_ID = 8
STAGES = {
    "connecting": mark("Choosing anonymous paths"),
    "sending": mark("Sending the question"),
    "queued": mark("Waiting in the queue"),
    "prefill": mark("The model reads the question"),
    "decode": mark("Writing"),
    "finishing": mark("Checking the receipt"),
}
BADGES = {
    "local": mark("Local"),
    "signed": mark("Signed"),
    "verified": mark("Verified"),
    "unverified": mark("Not verified"),
}
_BADGE_MEANINGS = {
    "local": mark("Local: this machine wrote the answer itself, so there is nobody to check."),
    "signed": mark("Signed: the answering node signed a receipt for exactly this answer, and the receipt was checked."),
    "verified": mark("Verified: the receipt was checked, and the committee's latest verdict on this node is a pass."),
    "unverified": mark("Not verified: there is no valid receipt for this answer, so nobody vouches for it."),
}


def short_id(node: str) -> str:
    """The beginning of a node id, enough to tell nodes apart."""
    return node if len(node) <= SHORT_ID else f"{node[:SHORT_ID]}…"


def stage_words(stage: schema.ChatStage | schema.AnswerStage) -> str:
    """One sentence: what is waited for and why."""
    text = from_engine(stage) or tr(STAGES.get(stage.stage, stage.stage.capitalize()))
    if stage.place > 0:
        text = tr("{text}, place {place}", text=text, place=number(stage.place))
    if stage.estimate >= 1:
        text = tr("{text}, about {seconds} s", text=text, seconds=number(stage.estimate))
    return text


def where_words(done: schema.ChatDone) -> str:
    """Where the answer was made."""
    return tr("This machine") if done.served_by == "local" else tr("Node {id}", id=short_id(done.served_by))


def speed_words(done: schema.ChatDone) -> list[str]:
    """Tokens per second and time to first token, as far as they are known."""
    words = []
    if done.tokens_per_s > 0:
        digits = 1 if done.tokens_per_s < 10 else 0
        words.append(tr("{speed} tokens/s", speed=number(done.tokens_per_s, digits)))
    if done.ttft_ms > 0:
        words.append(tr("first token after {time}", time=_seconds(done.ttft_ms)))
    if done.finish_reason == "length":
        words.append(tr("cut at its length limit"))
    return words


def privacy_words(done: schema.ChatDone) -> list[str]:
    """What was weaker than the network wants, or that no relay stood between; nothing for the full paths."""
    privacy = done.privacy
    if privacy is None or not (privacy.weaker or privacy.direct):
        return []
    if privacy.direct:
        return [tr("direct, without relays")]
    return [
        tr(
            "weaker: {paths} × {hops} relays instead of {full_paths} × {full_hops}",
            paths=privacy.paths,
            hops=privacy.hops,
            full_paths=privacy.full_paths,
            full_hops=privacy.full_hops,
        )
    ]


def choice_words(choice: schema.WeakerChoice) -> str:
    """What a button says that takes this choice for the chat."""
    text = from_engine(choice)
    return f"{text[:1].upper()}{text[1:]}"


def _seconds(milliseconds: float) -> str:
    if milliseconds < 1000:
        return tr("{time} ms", time=number(milliseconds))
    return tr("{time} s", time=number(milliseconds / 1000, 1))


def badge_words(done: schema.ChatDone) -> str:
    """What the badge of this answer means and why it is this one."""
    reason = _sentence(from_engine(done, "badge_reason"))
    if done.badge == "unverified" or not reason:
        return f"{tr(_BADGE_MEANINGS[done.badge])} {reason}".strip()
    return reason


def _sentence(text: str) -> str:
    """With a capital first and a full stop last, as a sentence stands beside others."""
    text = text.strip()
    return text and text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


@dataclass(frozen=True, slots=True)
class Known:
    """``who`` could know ``what``; ``nodes`` names them by their short ids."""

    who: str
    what: str
    nodes: str = ""


def knowledge(done: schema.ChatDone) -> list[Known]:
    """Who could know what about this answer, in the order to show."""
    if done.served_by == "local":
        return [Known(tr("Everyone else"), tr("Nothing. The question and the answer did not leave this machine."))]
    answering = tr("Could read the question and the answer. It does not know who asked.")
    if done.privacy is not None and done.privacy.direct:
        answering = tr(
            "Could read the question and the answer, and saw this machine's address: it came without relays."
        )
    rows = [Known(tr("Answering node"), answering, short_id(done.served_by))]
    others = [short_id(node) for node in dict.fromkeys((*done.asked, *done.machines)) if node != done.served_by]
    if others:
        rows.append(Known(tr("Nodes before it"), tr(_BEFORE), ", ".join(others)))
    if done.privacy is not None and done.privacy.weaker:
        rows.insert(0, Known(tr("Weaker"), from_engine(done.privacy)))
    for position, (who, what) in enumerate(_RELAYS):
        ids = [short_id(path[place]) for path in done.paths if (place := _place(position, len(path))) is not None]
        if ids:
            rows.append(Known(tr(who), tr(what), ", ".join(dict.fromkeys(ids))))
    if done.n > done.k > 0 and done.paths:
        pieces = tr("Carried pieces of the sealed text, of which any {k} of {n} join to the whole.", k=done.k, n=done.n)
        rows.append(Known(tr("Each path"), pieces))
    rows.append(
        Known(tr("Bootstrap server"), tr("Knows who is online and who is linked with whom. Not who asks what."))
    )
    if done.paths:
        rows.append(Known(tr("The limits"), tr(_LIMITS)))
    return rows


def about(done: schema.ChatDone) -> list[Known]:
    """What else there is to know about the answer."""
    rows = [Known(tr("Badge"), badge_words(done)), Known(tr("Model"), done.model)]
    if isinstance(done, KeptAnswer) and done.dropped:
        rows.append(Known(tr("Left out"), left_out_words(done.dropped, done.overflow)))
    return rows


def left_out_words(dropped: int, overflow: schema.Overflow) -> str:
    """Which messages the model did not get, as they did not fit its context."""
    if overflow == "keep_ends":
        return tr("%Ln message(s) after the first turn did not fit and were not sent to the model.", "", dropped)
    return tr("The %Ln oldest message(s) did not fit and were not sent to the model.", "", dropped)


_BEFORE = mark(
    "Were asked first, and passed the question on, refused it or went away. Could read the question, and what "
    "they answered of it."
)
_LIMITS = mark(
    "A guard that works together with a proxy or with the answering node can recognise you by timing. "
    "What you write can name you too."
)


_RELAYS = (
    (mark("Guards"), mark("The first relays. Know this machine's address, not the question or who answers.")),
    (mark("Middle relays"), mark("Know only their two neighbours on the path.")),
    (mark("Proxies"), mark("The last relays. Know that somebody asks the answering node. Not who, nor what.")),
)


def _place(position: int, length: int) -> int | None:
    """Where in a path of ``length`` relays the guard (0), a middle (1) or the proxy (2) stands."""
    if position == 0:
        return 0 if length >= 1 else None
    if position == 2:
        return length - 1 if length >= 2 else None
    return 1 if length >= 3 else None
