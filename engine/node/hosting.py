"""A network that is hosted here: made once, its server run while the owner wants it, its members invited."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from engine.api.schema import (
    HostedInvitation,
    Hosting,
    HostNetwork,
    InvitationMade,
    MakeInvitation,
    Reach,
)
from engine.bootstrap.init import GENESIS_FILE, Network, init_network, load_network
from engine.bootstrap.invitations import Invited
from engine.bootstrap.inviting import Inviting, status_of
from engine.clock import Clock
from engine.config import address_problem
from engine.directory.genesis import is_name
from engine.directory.invite import to_text
from engine.errors import ConfigurationError, GenTorrentError, InvalidRequestError
from engine.ids import NodeId, node_id_text, parse_node_id
from engine.node.hosted_server import HostedServer, check_port
from engine.sentences import say
from engine.storage.data_directory import DataDirectory
from engine.storage.files import make_directory
from engine.storage.state import load_state, save_state
from engine.transport.network_watch import local_addresses
from engine.wire.records import Parameters

FOLDER = "bootstrap"
"""In the data directory; the same that ``gentorrent bootstrap`` takes there."""
STATE_FILE = "hosting.json"
HERE = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - others are to reach it; the owner has chosen so
OWN_SECONDS = 3600.0
"""So long this engine has to use the invitation that it makes for itself."""


class Chosen(msgspec.Struct, frozen=True):
    """What the owner has chosen, as it is kept."""

    wanted: bool = False
    reach: Reach = "local"
    url: str = ""
    port: int = 8900


class HostedNetwork:
    """``run()`` until cancelled. ``changed`` is called after each change of :meth:`hosting`."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        environment: Mapping[str, str],
        ids: tuple[NodeId, ...],
        changed: Callable[[], None],
    ) -> None:
        """``folder``: the engine's data directory; ``ids``: the engine's own."""
        self._data = folder / FOLDER
        self._state = folder / STATE_FILE
        self._clock = clock
        self._ids = ids
        self._inviting = Inviting(self._data, clock)
        self._chosen = Chosen()
        self._local = ""
        self._invitations: tuple[HostedInvitation, ...] = ()
        self._server = HostedServer(self._data, DataDirectory(folder).logs / "bootstrap.log", environment, changed)
        self._changed = changed

    async def run(self) -> None:
        """Run the server whenever it is wanted."""
        self._chosen = load_state(self._state, Chosen) or Chosen()
        if self._chosen.wanted and self._network() is not None:
            self._start()
        await self._server.run()

    @property
    def runs(self) -> bool:
        """Whether stopping this engine would end a server."""
        return self._server.status in ("starting", "running")

    def hosting(self, ref: str = "") -> Hosting:
        """How it is now."""
        network = self._network()
        if network is None:
            return Hosting(ref=ref, local_address=local_address(), ids=self._own_ids())
        private = network.genesis.parameters.invited_only
        url = self._url()
        return Hosting(
            ref=ref,
            status=self._server.status,
            reason=self._server.reason,
            name=network.genesis.genesis.name,
            network_id=network.network_id.hex(),
            private=private,
            reach=self._chosen.reach,
            url=url,
            address=f"{url}#{network.network_id.hex()}",
            port=self._chosen.port,
            local_address=local_address(),
            ids=self._own_ids(),
            invitations=self._invitations if private else (),
        )

    async def look(self) -> None:
        """Look who is invited, and by which invitation somebody came."""
        network = self._network()
        if network is None or not network.genesis.parameters.invited_only:
            return
        if self._server.status in ("running", "elsewhere"):  # else the tables may be in the making
            with contextlib.suppress(GenTorrentError):  # the server says what is wrong with its database
                self._invitations = tuple(self._told(one) for one in await self._inviting.list())

    async def host(self, wish: HostNetwork) -> None:
        """Make the network if need be, and run its server; returns once nodes can join. ``ConfigurationError`` with the
        reason where that cannot be; then nothing is wanted."""
        chosen = Chosen(True, wish.reach, _checked_url(wish), wish.port)
        network = self._network()
        if network is None and not is_name(wish.name):
            raise InvalidRequestError(say("hosting.name"))
        if network is not None and wish.name not in ("", network.genesis.genesis.name):
            raise InvalidRequestError(say("hosting.exists", name=network.genesis.genesis.name))
        if network is not None and network.genesis.parameters.allow_loopback != (wish.reach == "machine"):
            raise InvalidRequestError(say("hosting.reach_fixed", name=network.genesis.genesis.name))
        if not self._server.served():
            check_port(_listens(chosen), chosen.port)
        if network is None:
            await asyncio.to_thread(init_network, self._data, wish.name, _parameters(wish), clock=self._clock)
        self._keep(chosen)
        self._start()
        await self._server.settled()
        if self._server.status == "failed":
            reason = self._server.reason
            await self.stop()
            raise ConfigurationError(reason)

    async def stop(self) -> None:
        """End the server, also for later starts."""
        self._keep(msgspec.structs.replace(self._chosen, wanted=False))
        self._server.unwant()
        await self._server.settled()

    async def own_invitation(self) -> str:
        """What this engine joins its own network with: an invitation that is good for it alone, or the address."""
        network = load_network(self._data)
        url = f"http://{HERE}:{self._chosen.port}"
        if not network.genesis.parameters.invited_only:
            return f"{url}#{network.network_id.hex()}"
        return to_text(await self._inviting.make(url, seconds=OWN_SECONDS, bound=self._ids))

    async def invite(self, wish: MakeInvitation) -> InvitationMade:
        """Make one. ``ConfigurationError`` where nobody can be invited, or for ids that are none."""
        self._needed()
        try:
            bound = tuple(dict.fromkeys(parse_node_id(text.strip()) for text in wish.bound if text.strip()))
        except ValueError as error:
            raise InvalidRequestError(say("invite.no_id")) from error
        made = await self._inviting.make(
            self._url(), label=wish.label, seconds=wish.seconds, member_seconds=wish.member_seconds, bound=bound
        )
        grant = made.grant
        entry = Invited(grant.invite_id, wish.label, grant.created, grant.expires, grant.until, bound)
        await self.look()
        self._changed()
        return InvitationMade(ref=wish.ref, text=to_text(made), invitation=self._told(entry))

    async def revoke(self, invitation: str) -> None:
        """End one; ``ConfigurationError`` where there is none of that id."""
        self._needed()
        await self._inviting.revoke(invitation)
        await self.look()
        self._changed()

    def _needed(self) -> None:
        if self._network() is None:
            raise InvalidRequestError(say("hosting.none"))
        if self._server.status not in ("running", "elsewhere"):
            raise InvalidRequestError(say("hosting.not_running"))

    def _network(self) -> Network | None:
        return load_network(self._data) if (self._data / GENESIS_FILE).exists() else None

    def _start(self) -> None:
        self._server.want(_listens(self._chosen), self._chosen.port)

    def _keep(self, chosen: Chosen) -> None:
        make_directory(self._state.parent)
        save_state(self._state, chosen)
        self._chosen = chosen

    def _url(self) -> str:
        if self._chosen.reach == "internet":
            return self._chosen.url
        host = local_address() if self._chosen.reach == "local" else HERE
        return f"http://{host or HERE}:{self._chosen.port}"

    def _own_ids(self) -> tuple[str, ...]:
        return tuple(map(node_id_text, self._ids))

    def _told(self, one: Invited) -> HostedInvitation:
        return HostedInvitation(
            invitation=one.invite_id.hex(),
            label=one.label,
            status=status_of(one, self._clock.wall()),
            created=one.created,
            expires=one.expires,
            until=one.until,
            bound=bool(one.bound),
            node=node_id_text(one.node) if one.node else "",
            own=bool(set(self._ids) & {*one.bound, *one.members()}),
        )


def local_address() -> str:
    """This machine's address in the network that it is connected with; "" without one."""
    ways = sorted(one.removeprefix(">") for one in local_addresses() if one.startswith(">"))
    found = [one for one in ways if ":" not in one]
    return found[0] if found else ""


def _listens(chosen: Chosen) -> str:
    return HERE if chosen.reach == "machine" else EVERYWHERE


def _parameters(wish: HostNetwork) -> Parameters:
    """Of a network that begins with few machines: how few relays suffice is for its users to choose."""
    return Parameters(
        invited_only=wish.private,
        allow_loopback=wish.reach == "machine",
        one_prefix=wish.reach != "internet",
        least_n=1,
        least_path_length=0,
        snapshot_seconds=0.5 if wish.reach == "machine" else 2.0,
    )


def _checked_url(wish: HostNetwork) -> str:
    """The address that is given to others, without a network id."""
    if wish.reach != "internet":
        return ""
    text = wish.url.strip()
    text = (text if "://" in text or not text else f"http://{text}").rstrip("/")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidRequestError(say("hosting.url")) from error
    if address_problem(text) or not parts.hostname or "#" in text or "," in text:
        raise InvalidRequestError(say("hosting.url"))
    return text if port is not None or parts.scheme == "https" else f"{text}:{wish.port}"
