"""One frozen configuration of an engine, put together and checked once, before anything starts.

Stronger sources win: command line options, then ``GENTORRENT_*`` environment variables, then ``config.toml`` in the
data directory, then the network that was joined before (``network.json`` there), then the defaults below. The data
directory itself cannot come from the file that lies in it.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from engine.errors import ConfigurationError
from engine.refused_values import allowed_values
from engine.sentences import say, together

FILE_NAME = "config.toml"
JOINED_NAME = "network.json"
"""What keeps the network that was joined last, with an invitation or from the window."""
MAX_FILE = 65_536
"""Bytes of the configuration file that are read at most."""
DEFAULT_API_PORT = 8765
DEFAULT_BOOTSTRAP_PORT = 8900
_NETWORK_ID = re.compile(r"[0-9a-f]{64}\Z")
_MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}\Z")
_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]{1,253}\Z")

_WANTED = {
    "api_port": "a port is a whole number from 0 (any free one) to 65535.",
    "relay": "write true or false.",
    "least_paths": "this is a number of paths from 1 to 16. Leave it out to wait for all of them.",
    "least_hops": "this is a number of relays from 1 to 3. Leave it out to wait for all of them.",
    "direct": "write true or false.",
    "relay_bandwidth": "this is a number of megabits per second from 1 to 100000.",
    "sensors": "write true or false.",
    "relayed_only": "write true or false.",
    "max_tokens_per_second": "this is a speed: a number above 0, at most 1000000. Leave it out for no limit.",
    "threads": "this is a whole number from 0 (chosen from the machine) to 1024.",
    "cache_memory": "this is a whole number of MiB from 0 (chosen from the free memory) to 67108864.",
    "verifier_memory": "this is a whole number of MiB from 0 (what is free) to 67108864.",
    "forwarding_policy": "it is one of none, random, round-robin, least-load, planetserve, sglang, production-stack, "
    "consistent-hash, cost.",
    "family": "it is a text of at most 100 characters, the same for all machines of one owner.",
    "log_level": "it is one of debug, info, warning, error.",
    "backend": 'it is "openai" (another server makes answers) or left out (this machine alone does).',
    "backend_server": "it is one of openai (any other), vllm, sglang, llama.cpp, ollama.",
    "backend_slots": "this is a whole number from 1 to 4096: the answers that the server makes at once.",
    "backend_context": "this is a whole number of tokens; 0 takes what the server says.",
}
"""What a setting may be, for whoever wrote something of another kind."""

MAXIMUM_SERVERS = 16
"""Bootstrap servers of one network that an engine may be told."""
LogLevel = Literal["debug", "info", "warning", "error"]
BackendServer = Literal["openai", "vllm", "sglang", "llama.cpp", "ollama"]


ForwardingPolicy = Literal[
    "none",
    "random",
    "round-robin",
    "least-load",
    "planetserve",
    "sglang",
    "production-stack",
    "consistent-hash",
    "cost",
]
"""Names of ``engine.forwarding.policies.registry``."""


class Configuration(Struct, frozen=True, kw_only=True):
    """What the owner decided. Make one with :func:`load_configuration`, which checks the values."""

    data_directory: Path
    bootstrap: str = ""
    """URLs of the bootstrap server and its mirrors with commas between them, the preferred one first, with or without
    ``#NETWORKID``; empty: no network, local answers only."""
    join: Annotated[str, Meta(max_length=3_000)] = ""
    """Invitation to a private network; it names the bootstrap server and is kept, so once is enough."""
    api_port: Annotated[int, Meta(ge=0, le=65_535)] = DEFAULT_API_PORT
    """Of the local API on 127.0.0.1; 0 takes any free one."""
    api_allowed_origins: Annotated[tuple[str, ...], Meta(max_length=16)] = ()
    """Web pages that may use the API (with its token) from a browser; none by default."""
    contribute: str = ""
    """Model id to answer other people's questions with; "automatic": the engine chooses; empty: not contributing."""
    relay: bool = True
    """Whether other people's cells may pass through here."""
    relay_bandwidth: Annotated[float, Meta(ge=1, le=100_000)] = 20.0
    """Megabits per second of other people's traffic that are passed on at most."""
    least_paths: Annotated[int, Meta(ge=1, le=16)] | None = None
    """While the network has too few relays, as few paths as this carry the owner's questions; None: wait for all."""
    least_hops: Annotated[int, Meta(ge=1, le=3)] | None = None
    """As few relays on each path as this then; None: wait for all."""
    direct: bool = False
    """Whether questions then go without relays, as the last resort: who answers sees this machine's address."""
    relayed_only: bool = False
    """Whether links go through the network's TURN server only, so that neighbours do not see this machine's address."""
    turn_ca: str = ""
    """File with certificates (PEM) of the authority of a private TURN server; the system's count, too."""
    max_tokens_per_second: Annotated[float, Meta(gt=0, le=1e6)] | None = None
    """The owner's limit for the speed of each answer to other people; None: no limit."""
    forwarding_policy: ForwardingPolicy = "cost"
    """How this machine, asked for an answer, chooses who of those with the same model makes it; "none": it does."""
    sensors: bool = True
    """Whether the engine looks at what else the machine does (battery, other programs, heat), to give it back when it
    is wanted; without, rules about that do nothing."""
    threads: Annotated[int, Meta(ge=0, le=1024)] = 0
    """CPU threads of the inference worker; 0: chosen from the machine."""
    cache_memory: Annotated[int, Meta(ge=0, le=1 << 26)] = 0
    """MiB that each inference worker may take for the keys and values of texts; 0: chosen from what is free."""
    verifier_memory: Annotated[int, Meta(ge=0, le=1 << 26)] = 0
    """MiB that a verifier may take to load a reference model; answers of larger ones are scored by other machines that
    serve them. 0: what is free."""
    log_level: LogLevel = "info"
    family: Annotated[str, Meta(max_length=100)] = ""
    """A name that all machines of one owner publish: they never share a path, and do not judge each other."""
    signaling_address: Annotated[str, Meta(max_length=60)] = ""
    """IP:PORT at which other nodes reach this relay for offers of links when no bootstrap server is there; the engine
    listens on that port. Empty: it does not listen."""
    backend: Literal["", "openai"] = ""
    """"openai": a server that speaks OpenAI's protocol makes the answers of one more model."""
    backend_url: str = ""
    """Its base address, such as http://127.0.0.1:8000/v1."""
    backend_model: str = ""
    """What the server calls the model."""
    backend_model_id: str = ""
    """What the model is called here and in the network; empty: as the server calls it."""
    backend_server: BackendServer = "openai"
    """Which program the server is, which decides what can be asked of it beyond the protocol."""
    backend_slots: Annotated[int, Meta(ge=1, le=4096)] = 8
    """Answers that the server is asked for at once."""
    backend_context: Annotated[int, Meta(ge=0, le=100_000_000)] = 0
    """Tokens of its model's context; 0: what the server says."""

    @property
    def bootstrap_url(self) -> str:
        """The preferred server's address without network id and trailing slash; empty without a network."""
        return _without_network(self.bootstrap.partition(",")[0])

    @property
    def bootstrap_others(self) -> tuple[str, ...]:
        """The addresses of the other servers, in the order in which they are tried."""
        return tuple(map(_without_network, self.bootstrap.split(",")[1:]))

    @property
    def network_id(self) -> bytes | None:
        """The 32 bytes after ``#``; None when no URL names them (the first genesis file seen is pinned then)."""
        fragments = (url.strip().partition("#")[2] for url in self.bootstrap.split(","))
        return next((bytes.fromhex(fragment) for fragment in fragments if fragment), None)


def _without_network(address: str) -> str:
    return address.strip().partition("#")[0].rstrip("/")


def default_data_directory() -> Path:
    """Where this user's engine keeps its data when nothing else is said."""
    import platformdirs

    return platformdirs.user_data_path("GenTorrent", appauthor=False)


def find_data_directory(option: str | Path | None, environment: Mapping[str, str]) -> Path:
    """The data directory of ``--data``, ``GENTORRENT_DATA`` or the user's default, absolute; need not exist."""
    chosen = str(option) if option else environment.get("GENTORRENT_DATA", "")
    directory = usable_directory(Path(chosen)) if chosen else default_data_directory()
    try:
        is_file = directory.exists() and not directory.is_dir()
    except OSError as error:
        raise ConfigurationError(
            say("start.directory", folder=str(directory)[:200], error=str(error.strerror))
        ) from error
    if is_file:
        raise ConfigurationError(say("start.directory_is_file", folder=str(directory)))
    return directory.absolute()


def usable_directory(chosen: Path) -> Path:
    """``chosen`` with ``~`` and ``~user`` replaced, absolute; ``ConfigurationError`` if there is no such user."""
    try:
        return chosen.expanduser().absolute()
    except RuntimeError as error:
        raise ConfigurationError(say("start.no_user", folder=str(chosen))) from error


def load_configuration(options: Mapping[str, object], environment: Mapping[str, str]) -> Configuration:
    """Merge and check. ``options`` holds field names of :class:`Configuration` (None: not given) and may hold
    ``data_directory``. Raises ``ConfigurationError``, which names the source and the value that is wrong."""
    directory = find_data_directory(_text_or_none(options.get("data_directory")), environment)
    values: dict[str, Any] = {}
    values.update(_from_file(directory / FILE_NAME))
    values.update(_from_environment(environment))
    for name, value in options.items():
        if name != "data_directory" and value is not None:
            values[name] = _checked(name, value, say("start.option", name=f"--{name.replace('_', '-')}"), strict=True)
    if not values.get("bootstrap") and not values.get("join"):
        values.update(_from_joined(directory / JOINED_NAME))
    if values.get("relayed_only") and values.get("signaling_address"):
        raise ConfigurationError(say("start.hidden_and_published"))
    if values.get("relay") is False and values.get("signaling_address"):
        raise ConfigurationError(say("start.for_relays"))
    return Configuration(data_directory=directory, **values)


class JoinedNetwork(Struct, frozen=True):
    """Content of ``network.json``: the address as ``--bootstrap`` takes it."""

    bootstrap: Annotated[str, Meta(min_length=1, max_length=10_000)]


def _from_joined(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()[:MAX_FILE]
        joined = msgspec.json.decode(data, type=JoinedNetwork)
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(say("start.joined_unreadable", path=str(path), error=str(error))) from error
    source = say("start.in_file", name="bootstrap", path=str(path))
    return {"bootstrap": _checked("bootstrap", joined.bootstrap, source, strict=True)}


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def _field_types() -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(Configuration) if field.name != "data_directory"}


def _from_file(path: Path) -> dict[str, Any]:
    """The checked settings of the file; none when there is no file."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigurationError(say("start.settings_unreadable", path=str(path), error=str(error.strerror))) from error
    if len(raw) > MAX_FILE:
        raise ConfigurationError(say("start.settings_long", path=str(path), most=MAX_FILE))
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(say("start.no_toml", path=str(path), error=str(error))) from error
    known = _field_types()
    for name in table:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            names = ", ".join(sorted(known))
            meant = say("start.did_you_mean", name=close[0]) if close else say("start.known_settings", names=names)
            raise ConfigurationError(together(say("start.unknown_setting", path=str(path), name=name), meant))
    return {
        name: _checked(name, value, say("start.in_file", name=name, path=str(path)), strict=True)
        for name, value in table.items()
    }


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """The checked settings among the variables; an empty variable counts as not set."""
    values = {}
    for name in _field_types():
        variable = f"GENTORRENT_{name.upper()}"
        text = environment.get(variable, "")
        if text:
            given: object = [part.strip() for part in text.split(",")] if name == "api_allowed_origins" else text
            values[name] = _checked(name, given, say("start.variable", name=variable), strict=False)
    return values


def _checked(name: str, value: object, source: str, *, strict: bool) -> Any:
    """``value`` as the type of the field ``name``, or ``ConfigurationError`` that begins with ``source``."""
    kind = _field_types().get(name)
    if kind is None:
        raise ConfigurationError(say("start.no_setting", source=source))
    try:
        checked = msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        wanted = _WANTED.get(name) or say("value.meant", allowed=allowed_values(kind))
        raise ConfigurationError(say("start.value", source=source, value=repr(value), problem=wanted)) from error
    problem = _problem(name, checked)
    if problem:
        raise ConfigurationError(say("start.value", source=source, value=repr(value), problem=problem))
    return checked


def _problem(name: str, value: Any) -> str:
    """What is wrong with a value beyond its type; empty when nothing is."""
    if name == "bootstrap" and value:
        return address_problem(value)
    if name in ("contribute", "backend_model_id") and value and not is_model_id(value):
        return say("address.model_id")
    if name == "signaling_address" and value:
        return _address_problem(value)
    if name == "family" and not value.isprintable():
        return say("address.family")
    if name == "api_allowed_origins":
        for origin in value:
            if not _ORIGIN.match(origin):
                return say("address.origin")
    return ""


def _address_problem(value: str) -> str:
    host, _, port = value.rpartition(":")
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        fine = port.isascii() and port.isdigit() and 1 <= int(port) <= 65_535
    except ValueError:
        fine = False
    if not fine or (address.version == 6) != host.startswith("["):
        return say("address.signaling")
    return ""


def is_model_id(text: str) -> bool:
    """Whether a model may be called so."""
    return bool(_MODEL_ID.match(text))


def address_problem(value: str) -> str:
    """What is wrong with an address of bootstrap servers; "" where nothing is."""
    problems = [_server_problem(url.strip()) for url in value.split(",")]
    fragments = {url.partition("#")[2].strip() for url in value.split(",")} - {""}
    if not any(problems) and len(fragments) > 1:
        return say("address.different")
    if len(problems) > MAXIMUM_SERVERS:
        return say("address.most", most=MAXIMUM_SERVERS)
    return next((problem for problem in problems if problem), "")


def _server_problem(value: str) -> str:
    url, hash_sign, fragment = value.partition("#")
    expected = say("address.expected")
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return say("address.none", expected=expected)
    named = bool(parts.hostname) and url.isprintable() and " " not in url
    if parts.scheme not in ("http", "https") or not named or not port_is_fine:
        return say("address.no_server", expected=expected)
    if parts.query or parts.username or parts.password:
        return say("address.too_much", expected=expected)
    if hash_sign and not _NETWORK_ID.match(fragment):
        return say("address.no_network_id")
    return ""
