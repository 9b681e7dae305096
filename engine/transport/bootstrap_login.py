"""Logging in to a bootstrap server, or to a mirror that one permits."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.directory.genesis import GenesisRecord
from engine.directory.invite import Invitation
from engine.directory.login import check_welcome, make_login
from engine.directory.mirrors import check_challenge
from engine.errors import BootstrapUnreachableError, LoginRefusedError, WireError
from engine.sentences import say
from engine.transport.saved_invitation import load_invitation
from engine.wire.codec import encode
from engine.wire.signaling import Challenge, Refused, Welcome, server_message_decoder


@dataclass(frozen=True, slots=True)
class Account:
    """As whom one logs in. ``data`` is where invitations lie."""

    identity: Identity
    data: Path
    clock: Clock
    client_only: bool
    software: str
    random_bytes: Callable[[int], bytes] = os.urandom


async def log_in(account: Account, socket: aiohttp.ClientWebSocketResponse, genesis: GenesisRecord) -> Welcome:
    """The server's welcome; ``LoginRefusedError``, ``DirectoryError`` (another server than it should be),
    ``SignatureError``, ``WireError`` or ``BootstrapUnreachableError``."""
    challenge = await receive(socket)
    if not isinstance(challenge, Challenge):
        raise LoginRefusedError(refusal(challenge))
    check_challenge(challenge, genesis.genesis.server_keys, genesis.network_id, account.clock.wall())
    login = make_login(
        account.identity,
        challenge,
        account.random_bytes(32),
        account.clock.wall(),
        client_only=account.client_only,
        software=account.software,
        invitation=_invitation(account, genesis),
    )
    await socket.send_bytes(encode(login))
    welcome = await receive(socket)
    if not isinstance(welcome, Welcome):
        raise LoginRefusedError(refusal(welcome))
    check_welcome(welcome, challenge, login)
    return welcome


def _invitation(account: Account, genesis: GenesisRecord) -> Invitation | None:
    """What this machine was invited with; ``LoginRefusedError`` where one is needed and none is here."""
    if not genesis.parameters.invited_only:
        return None
    invitation = load_invitation(account.data, genesis.network_id)
    if invitation is None:
        raise LoginRefusedError(say("server.private", name=genesis.genesis.name))
    return invitation


async def receive(socket: aiohttp.ClientWebSocketResponse) -> Any:
    """The next message; ``BootstrapUnreachableError`` when the connection is over, ``WireError`` for garbage."""
    message = await socket.receive()
    if message.type is aiohttp.WSMsgType.BINARY:
        return server_message_decoder.decode(message.data)
    if message.type is aiohttp.WSMsgType.TEXT:
        raise WireError("the server sent text")
    raise BootstrapUnreachableError(say("server.closed"))


def refusal(message: Any) -> str:
    """Why a login was refused, in a sentence."""
    if isinstance(message, Refused):
        return say("server.refuses", reason=message.reason)
    return say("server.no_protocol")
