"""``gentorrent node``: one engine without a window."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.config import Configuration, load_configuration
from engine.errors import ConfigurationError

LOG_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def run(
    bootstrap: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL[#NETWORKID]",
            help="The network's bootstrap server, as its operator gave it; repeat it for mirrors, the preferred one "
            "first. Without it answers are local only.",
        ),
    ] = None,
    join: Annotated[
        str | None,
        typer.Option(metavar="INVITATION", help="Join a private network with the invitation of its operator."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Data directory. GENTORRENT_DATA, or your user account's own.")
    ] = None,
    api_port: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="P", help="Port of the local API (8765); 0: any free one.")
    ] = None,
    contribute: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Answer other people's questions with this model (gentorrent-builtin); automatic: the engine chooses.",
        ),
    ] = None,
    no_relay: Annotated[bool, typer.Option("--no-relay", help="Do not pass on other people's traffic.")] = False,
    relay_bandwidth: Annotated[
        float | None,
        typer.Option(
            min=1, max=100_000, metavar="MBIT", help="Megabits per second of other people's traffic at most (20)."
        ),
    ] = None,
    least_paths: Annotated[
        int | None,
        typer.Option(min=1, max=16, metavar="N", help="While relays are missing: accept as few paths as this."),
    ] = None,
    least_hops: Annotated[
        int | None,
        typer.Option(min=1, max=3, metavar="L", help="While relays are missing: accept as few on each path as this."),
    ] = None,
    direct: Annotated[
        bool,
        typer.Option("--direct", help="While relays are missing: ask without any; who answers sees your address."),
    ] = False,
    relayed_only: Annotated[
        bool,
        typer.Option("--relayed-only", help="Link through a TURN server only: neighbours do not see your address."),
    ] = False,
    turn_ca: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Certificates (PEM) of the authority of a private TURN server."),
    ] = None,
    max_tokens_per_second: Annotated[
        float | None,
        typer.Option(metavar="N", help="Your limit for the speed of each answer to other people."),
    ] = None,
    forwarding_policy: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How who answers is chosen among the machines with your model: cost (predicted time), none (you), …",
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="CPU threads for answers; 0: chosen from the machine.")
    ] = None,
    cache_memory: Annotated[
        int | None,
        typer.Option(min=0, metavar="MIB", help="Memory for cached prompts and answers; 0: chosen from what is free."),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Published; the same for all your machines: they share no path and do not judge each other.",
        ),
    ] = None,
    verifier_memory: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="MIB",
            help="A verifier's memory for a reference model; larger ones are left to other machines. 0: what is free.",
        ),
    ] = None,
    signaling_address: Annotated[
        str | None,
        typer.Option(
            metavar="IP:PORT",
            help="Where others reach this relay's TCP port for first links when no bootstrap server is there.",
        ),
    ] = None,
    log_level: Annotated[str | None, typer.Option(metavar="LEVEL", help="debug, info, warning or error.")] = None,
    backend: Annotated[
        str | None,
        typer.Option(metavar="KIND", help='"openai": another server that speaks OpenAI\'s protocol answers, too.'),
    ] = None,
    backend_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Its base address, such as http://127.0.0.1:8000/v1.")
    ] = None,
    backend_model: Annotated[str | None, typer.Option(metavar="NAME", help="What that server calls the model.")] = None,
    backend_model_id: Annotated[
        str | None, typer.Option(metavar="MODEL", help="What the model is called here (as the server calls it).")
    ] = None,
    backend_server: Annotated[
        str | None,
        typer.Option(metavar="PROGRAM", help="openai (any other), vllm, sglang, llama.cpp or ollama: what it can do."),
    ] = None,
    backend_slots: Annotated[
        int | None, typer.Option(min=1, max=4096, metavar="N", help="Answers that it makes at once (8).")
    ] = None,
    backend_context: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Tokens of its context; 0: what the server says.")
    ] = None,
) -> None:
    """Run an engine: ask, relay and, if you want, answer.

    Every option is also an environment variable (GENTORRENT_API_PORT, …) and a setting in config.toml in the data
    directory; options win, then the environment. Ctrl-C ends it cleanly. A back end's API key comes from the variable
    GENTORRENT_BACKEND_API_KEY or the system's keyring (GenTorrent, backend-api-key) alone.
    """
    for option, given, wanted in (
        ("--join", [join], "the invitation of the network's operator, whole and in quotes"),
        ("--bootstrap", bootstrap or [], "the address of the network's server"),
    ):
        if any(text is not None and not text.strip() for text in given):
            raise ConfigurationError(f"{option} was given nothing. Give it {wanted}, or leave it out.")
    options: dict[str, object] = {
        "bootstrap": ",".join(bootstrap) if bootstrap else None,
        "join": join,
        "data_directory": data,
        "api_port": api_port,
        "contribute": contribute,
        "relay": False if no_relay else None,
        "relay_bandwidth": relay_bandwidth,
        "least_paths": least_paths,
        "least_hops": least_hops,
        "direct": True if direct else None,
        "relayed_only": True if relayed_only else None,
        "turn_ca": turn_ca,
        "max_tokens_per_second": max_tokens_per_second,
        "forwarding_policy": forwarding_policy,
        "threads": threads,
        "cache_memory": cache_memory,
        "verifier_memory": verifier_memory,
        "family": family,
        "signaling_address": signaling_address,
        "log_level": log_level,
        "backend": backend,
        "backend_url": backend_url,
        "backend_model": backend_model,
        "backend_model_id": backend_model_id,
        "backend_server": backend_server,
        "backend_slots": backend_slots,
        "backend_context": backend_context,
    }
    configuration = load_configuration(options, os.environ)
    set_up_logging(configuration)

    from engine.doctor.in_engine import attach_doctor
    from engine.node.node import run_node

    raise typer.Exit(run_node(configuration, started=attach_doctor))


def set_up_logging(configuration: Configuration) -> None:
    """Log to stderr at the configured level; libraries from warnings on, unless debugging."""
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT, stream=sys.stderr)
    level = configuration.log_level.upper()
    logging.getLogger("engine").setLevel(level)
    if level == "DEBUG":
        logging.getLogger().setLevel(logging.INFO)
