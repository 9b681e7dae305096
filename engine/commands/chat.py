"""``gentorrent chat``: questions from the terminal, answered by the running engine through its local API."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from engine.api import schema
from engine.commands.api_client import ApiClient, Reply, find_engine
from engine.commands.terminal import harmless
from engine.errors import ConfigurationError, RequestError, StorageError, UnknownModelError, WeakerPathsNeededError

FIRST_MODEL_LOOKS = 20
"""At a list of models that is empty,"""
LOOK_SECONDS = 0.25
"""one after so long each."""

ROUTES = ("auto", "local", "network")


def run(
    question: Annotated[
        str | None, typer.Option("--question", "-q", metavar="TEXT", help="Ask this and exit; - reads standard input.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Which model to ask; see gentorrent models list.")
    ] = None,
    system: Annotated[str | None, typer.Option(metavar="TEXT", help="System prompt of the chat.")] = None,
    route: Annotated[
        str, typer.Option(metavar="WHERE", help="auto: on the network if one is configured, else here; local; network.")
    ] = "auto",
    paths: Annotated[
        int | None,
        typer.Option(min=1, max=16, metavar="N", help="While relays are missing: accept as few paths as this."),
    ] = None,
    hops: Annotated[
        int | None,
        typer.Option(min=1, max=3, metavar="L", help="While relays are missing: accept as few on each path as this."),
    ] = None,
    direct: Annotated[
        bool,
        typer.Option("--direct", help="While relays are missing: ask without any; who answers sees your address."),
    ] = False,
    max_tokens: Annotated[int | None, typer.Option(min=1, metavar="N", help="Longest answer, in tokens.")] = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            min=0, max=10, metavar="T", help="0 always takes the likeliest word; default 1 (built-in model: 0)."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, metavar="N", help="The same seed gives the same answer.")] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="With --question: print one JSON object instead of the text.")
    ] = False,
    save_receipt: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --question: write the answer's receipt to this file.")
    ] = None,
    save: Annotated[
        bool,
        typer.Option("--save", help="Keep the chat beside those of the window; else nothing of it is stored."),
    ] = False,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Data directory of the engine to use. GENTORRENT_DATA.")
    ] = None,
    api: Annotated[
        str | None,
        typer.Option(metavar="URL", envvar="GENTORRENT_API", help="Use the local API at this address instead."),
    ] = None,
    token: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Its API token (better: the variable GENTORRENT_API_TOKEN).")
    ] = None,
) -> None:
    """Ask questions from the terminal. The answer is streamed; Ctrl-C stops it, Ctrl-D ends the chat.

    Needs a running engine: gentorrent node, gentorrent app, or gentorrent demo --keep-running.
    """
    if route not in ROUTES:
        raise ConfigurationError(f"--route is {route!r}. It is one of {', '.join(ROUTES)}.")
    if question is None and (json_output or save_receipt):
        raise ConfigurationError("--json and --save-receipt belong to a single question. Add --question TEXT.")
    if save and (json_output or save_receipt or api or token):
        raise ConfigurationError(
            "--save goes neither with --json and --save-receipt (see gentorrent chats show and export) nor with --api."
        )
    client = find_engine(data, api, token, os.environ)
    from engine.inference.models.installed import BUILTIN_MODEL

    chosen = model or _first_model(client)
    if temperature is None and chosen == BUILTIN_MODEL:
        temperature = 0.0  # it states facts
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # bytes that are no UTF-8 shall not end the chat
    if save:
        settings = _settings(chosen, route, _readable(system or ""), temperature, seed, max_tokens)
        if paths or hops or direct:
            choice = schema.PrivacyChoice(least_paths=paths, least_hops=hops, direct=direct)
            settings = msgspec.structs.replace(settings, privacy=choice)
        asked = sys.stdin.read() if question == "-" else question and _readable(question)
        from engine.commands import saved_chat  # loads asyncio

        saved_chat.converse(data, settings, asked)
        return
    body: dict[str, Any] = {"model": chosen, "stream": True, "stream_options": {"include_usage": True}}
    body |= {
        name: value
        for name, value in (("max_tokens", max_tokens), ("temperature", temperature), ("seed", seed))
        if value is not None
    }
    body["gentorrent"] = {"route": route, "stages": True, "receipt": save_receipt is not None}
    if paths or hops or direct:
        body["gentorrent"]["privacy"] = {"least_paths": paths, "least_hops": hops, "direct": direct}
    messages = [{"role": "system", "content": _readable(system)}] if system else []
    if question is None:
        _converse(client, body, messages)
    else:
        text = sys.stdin.read() if question == "-" else _readable(question)
        _ask_once(client, body, [*messages, {"role": "user", "content": text}], json_output, save_receipt)


def _settings(
    model: str, route: str, system: str, temperature: float | None, seed: int | None, max_tokens: int | None
) -> schema.ChatSettings:
    """How a kept chat is asked."""
    given = {"temperature": temperature, "seed": seed}
    sampling = msgspec.convert(
        {name: value for name, value in given.items() if value is not None}, schema.SamplingChoice
    )
    where = msgspec.convert(route, schema.Route)
    return schema.ChatSettings(model=model, route=where, system=system, sampling=sampling, max_tokens=max_tokens)


def _choose(error: WeakerPathsNeededError) -> dict[str, Any] | None:
    """Let the user choose what is accepted for the rest of this chat while relays are missing; None: to wait."""
    _note(f"gentorrent: {harmless(str(error))}")
    if not (error.choices and sys.stdin.isatty()):
        return None
    for number, choice in enumerate(error.choices, 1):
        _note(f"  {number}: {harmless(choice.text)}")
    try:
        given = input("Choose a number for this chat, or press Enter to wait: ").strip()
    except EOFError:
        return None
    if not given.isdecimal() or not 1 <= int(given) <= len(error.choices):
        return None
    chosen = error.choices[int(given) - 1]
    return {"direct": True} if chosen.hops == 0 else {"least_paths": chosen.paths, "least_hops": chosen.hops}


def _options(error: WeakerPathsNeededError) -> str:
    """The options that would choose each of the choices."""
    ways = (
        "--direct" if choice.hops == 0 else f"--paths {choice.paths} --hops {choice.hops}" for choice in error.choices
    )
    offered = ", or ".join(ways)
    return f" Choose with {offered}." if offered else ""


def _readable(argument: str) -> str:
    """A word of the command line as text: bytes that are no UTF-8, which no JSON can carry, become U+FFFD."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _first_model(client: ApiClient) -> str:
    for _ in range(FIRST_MODEL_LOOKS):  # an engine that has just started still looks at its folders
        models = client.models()
        if models:
            return str(models[0]["id"])
        time.sleep(LOOK_SECONDS)
    raise UnknownModelError(
        "The engine knows no model yet: none is on this machine, and the network has not been joined or has none. "
        "Wait a moment, or look with gentorrent models list."
    )


def _ask_once(
    client: ApiClient, body: dict[str, Any], messages: list[dict[str, str]], json_output: bool, receipt: Path | None
) -> None:
    pieces: list[str] = []

    def show(piece: str) -> None:
        pieces.append(piece)
        if not json_output:
            _write(piece)

    try:
        reply = _receive(client, {**body, "messages": messages}, show)
    except WeakerPathsNeededError as error:
        raise RequestError(f"{error}{_options(error)}") from error
    if receipt is not None:
        _save(receipt, reply)
    if json_output:
        answer = {"answer": "".join(pieces), "model": body["model"], "finish_reason": reply.finish_reason}
        details = {name: value for name, value in reply.details.items() if name != "receipt"}
        typer.echo(json.dumps({**answer, "usage": reply.usage, **details}, ensure_ascii=False))
    else:
        _write("\n")
        _note(_told(reply))


def _converse(client: ApiClient, body: dict[str, Any], messages: list[dict[str, str]]) -> None:
    """Question and answer until end of input. A failed or stopped answer leaves the chat as it was before."""
    _note(f"{body['model']} at {client.address}. Ctrl-C stops an answer, Ctrl-D ends the chat.")
    while True:
        try:
            question = input("> " if sys.stdin.isatty() else "")
        except EOFError:
            _write("\n")
            return
        if not question.strip():
            continue
        asked = [*messages, {"role": "user", "content": question}]
        pieces: list[str] = []

        def show(piece: str, pieces: list[str] = pieces) -> None:
            pieces.append(piece)
            _write(piece)

        try:
            try:
                reply = _receive(client, {**body, "messages": asked}, show)
            except WeakerPathsNeededError as error:
                chosen = _choose(error)
                if chosen is None:
                    continue
                body["gentorrent"] = {**body["gentorrent"], "privacy": chosen}
                reply = _receive(client, {**body, "messages": asked}, show)
        except KeyboardInterrupt:
            _write("\n")
            _note("Stopped.")
        except RequestError as error:
            _write("\n" if pieces else "")
            _note(f"gentorrent: {harmless(str(error))}")
        else:
            _write("\n")
            _note(_told(reply))
            messages = [*asked, {"role": "assistant", "content": "".join(pieces)}]


def _receive(client: ApiClient, body: dict[str, Any], show: Callable[[str], None]) -> Reply:
    """Pass text to ``show`` as it comes, say what is waited for, and return the rest."""
    finish_reason = ""
    usage: dict[str, int] = {}
    details: dict[str, Any] = {}
    stages = _Stages()
    with closing(client.ask(body)) as chunks:  # type: ignore[type-var]
        for chunk in chunks:
            extension = chunk.get("gentorrent") or {}
            if "stage" in extension:
                stages.show(extension)
            elif extension:
                details = extension
            usage = chunk.get("usage") or usage
            for choice in chunk.get("choices", ()):
                finish_reason = choice.get("finish_reason") or finish_reason
                piece = choice.get("delta", {}).get("content")
                if piece:
                    stages.clear()
                    show(piece)
                elif choice.get("delta", {}).get("reasoning_content"):
                    stages.show({"stage": "thinking", "text": "The model thinks before it answers"})
    stages.clear()
    return Reply(finish_reason, usage, details)


class _Stages:
    """One line on a terminal that says what is waited for; nothing when stderr is a file."""

    def __init__(self) -> None:
        self._shown = 0

    def show(self, stage: dict[str, Any]) -> None:
        if not sys.stderr.isatty():
            return
        text = harmless(str(stage.get("text") or stage["stage"])).replace("\n", " ")
        estimate = stage.get("estimate") or 0
        text = (f"{text} (about {estimate:.0f} s)" if estimate >= 1 else text)[:100]
        sys.stderr.write("\r" + text.ljust(self._shown))
        sys.stderr.flush()
        self._shown = len(text)

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r" + " " * self._shown + "\r")
            sys.stderr.flush()
            self._shown = 0


def _told(reply: Reply) -> str:
    """One line about an answer."""
    details = reply.details
    served_by = str(details.get("served_by", "unknown"))
    badge = str(details.get("badge"))
    receipt = {"signed": "receipt checked", "verified": "verified", "unverified": "NOT VERIFIED"}.get(badge, "")
    reason = details.get("badge_reason") if badge == "unverified" else ""
    parts = [
        "answered here" if served_by == "local" else f"answered by node {served_by[:8]}",
        f"over {len(details['paths'])} paths" if details.get("paths") else "",
        _privacy(details.get("privacy") or {}),
        f"{details.get('ttft_ms', 0):.0f} ms to the first token",
        f"{details.get('tokens_per_s', 0):.1f} tokens/s",
        f"{receipt}: {reason}" if reason else receipt,
        "cut at the longest length" if reply.finish_reason == "length" else "",
    ]
    return harmless(" · ".join(part for part in parts if part))


def _privacy(privacy: Mapping[str, Any]) -> str:
    """What was weaker than the network wants, or that there were no relays; empty for the full paths."""
    return str(privacy.get("text", "")).rstrip(".")


def _save(file: Path, reply: Reply) -> None:
    receipt = reply.details.get("receipt")
    if receipt is None:
        _note("There is no receipt: the answer was made on this machine, or its receipt did not verify.")
        return
    try:
        file.write_text(json.dumps(receipt, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"The receipt cannot be written to {file} ({error.strerror}). Name another file.") from error


def _write(text: str) -> None:
    sys.stdout.write(harmless(text))
    sys.stdout.flush()


def _note(text: str) -> None:
    print(text, file=sys.stderr)
