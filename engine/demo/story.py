"""What happened in the demo, in plain words."""

from __future__ import annotations

from typing import Protocol

from engine.api.schema import ChatDone


class Say(Protocol):
    """Prints a line."""

    def __call__(self, text: str = "", end: str = "\n") -> None:
        """Print ``text``."""
        ...


def tell(done: ChatDone, verified: bool, setup: float, finished: float, memory: int, say: Say) -> None:
    """Who did what, who could know what, and how long it took."""
    say("\nWhat happened")
    say(f"  The question was sealed to one model node, split into {done.n} cloves (any {done.k} rebuild it), and each")
    say("  clove went its own way over three relays. The answer came back the same way, token by token.\n")
    for number, path in enumerate(done.paths, 1):
        names = [relay[:8] for relay in path]
        say(f"    path {number}:  you -> {' -> '.join(names)} -> model node {done.served_by[:8]}")
    say("\nWho could know what")
    say("  The first relay of a path (guard) knows your address, not the question, the model node or other paths.")
    say("  The middle one knows its two neighbours and nothing else.")
    say("  The last one (proxy) knows the model node and that somebody asks, not who.")
    say(f"  The model node {done.served_by[:8]} reads the question and writes the answer; it does not know who asked.")
    say("  The bootstrap server knows who is online, not who asks what.")
    say("  A guard that conspires with a proxy or with the model node can recognise you by timing.")
    say("\nReceipt")
    if verified:
        say(f"  Signed by {done.served_by[:8]} and checked here: this model, this question, exactly these tokens.")
    else:
        say(f"  NOT verified: {done.badge_reason}")
    say("\nNumbers")
    say(f"  network ready {setup:.1f} s, answer complete {finished:.1f} s after the start")
    say(f"  first token {done.ttft_ms:.0f} ms after asking, {done.completion_tokens} tokens, {done.tokens_per_s:.0f}/s")
    say(f"  memory of all processes {memory / 1e9:.2f} GB")


def tell_committee(verifiers: int, epoch_seconds: float, say: Say) -> None:
    """Who watches the model nodes."""
    say("\nCommittee")
    say(f"  {verifiers} verifiers ask the model nodes as any client does and compute their answers again. Every")
    say(f"  {epoch_seconds:.0f} s (an epoch) they agree on what they found. Who does not serve what it claims is")
    say("  asked no more.")


def tell_cheat(name: str, says: str, say: Say) -> None:
    """Which node is dishonest, and how to read what the committee says of it."""
    say(f"\n{name} is dishonest: it {says}.")
    say("Nobody in the network is told. What the verifiers find of an answer:")
    say("  passed        the right model, computed again, draws the same words")
    say("  failed        it draws other words too often: who signed the answer did not make it as it claims")
    say("  inconclusive  the model is nearly certain of every word, so that any maker would have written the same")
    say(
        "Failed answers add to a node's suspicion and lower its reputation, 0.30 of a newcomer; at 12 it is excluded.\n"
    )


def tell_exclusion(name: str, excluded_at: int, first_checked: int | None, honest_excluded: int, say: Say) -> None:
    """What came of it."""
    after = "" if first_checked is None else f", {_nth(excluded_at - first_checked + 1)} in which it was checked"
    others = "no honest node" if not honest_excluded else f"{honest_excluded} honest nodes (this must not happen)"
    say(f"\nThe committee has excluded {name} in epoch {excluded_at}{after}, and {others}.")
    say("Its standing is certified by the verifiers and public: no client asks it any more.")


def _nth(number: int) -> str:
    return f"the {number}{({1: 'st', 2: 'nd', 3: 'rd'}).get(number if number < 20 else number % 10, 'th')} epoch"
