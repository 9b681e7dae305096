"""Joining a network: by an invitation, which is checked, kept for the logins to come and names the server, or by an
address. What was joined is the network of this engine's later starts, unless they are told another one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine.clock import Clock
from engine.config import JOINED_NAME, Configuration, JoinedNetwork, address_problem
from engine.directory import CLOCK_SKEW_SECONDS
from engine.directory.invite import PREFIX, Invitation, from_text
from engine.errors import ConfigurationError, DirectoryError
from engine.ids import NodeId
from engine.sentences import said_by, say
from engine.storage.data_directory import DataDirectory
from engine.storage.files import make_directory, remove
from engine.storage.state import load_state, save_state
from engine.transport.saved_invitation import load_invitation, save_invitation


def join(configuration: Configuration, clock: Clock) -> Configuration:
    """The configuration with the invitation's server in it, and the invitation in the data directory.

    Raises ``ConfigurationError`` for a text that is no invitation and for one that is over or for another network than
    ``--bootstrap`` names, ``StorageError``. Nothing happens where no invitation is given.
    """
    invitation = invitation_of(configuration)
    if invitation is None:
        return configuration
    networks = DataDirectory(configuration.data_directory).networks
    make_directory(networks)
    kept = load_invitation(networks, invitation.network_id)
    if kept is None or kept.grant.invite_id != invitation.grant.invite_id:
        _check_times(invitation, clock.wall())
        save_invitation(networks, invitation)
    joined = configuration.bootstrap or invitation.address
    save_state(_file(configuration), JoinedNetwork(joined))
    return msgspec.structs.replace(configuration, bootstrap=joined)


def join_later(configuration: Configuration, text: str, clock: Clock, ids: Sequence[NodeId]) -> str:
    """Make the network that ``text`` names (an invitation, or an address as for ``--bootstrap``, perhaps in a line
    around it) that of the next start; its address. ``ids``: of this engine. ``ConfigurationError`` where the text
    cannot be used, is for another machine, or where this engine's network is not its own to choose;
    ``StorageError``."""
    _check_free(configuration)
    named = _named(text)
    if named.startswith(PREFIX):
        wanted = msgspec.structs.replace(configuration, join=named, bootstrap="")
        invitation = invitation_of(wanted)
        if invitation is not None and invitation.grant.bound and not set(ids) & set(invitation.grant.bound):
            raise ConfigurationError(say("join.for_another"))
        return join(wanted, clock).bootstrap
    if not named.startswith(("http://", "https://")):
        raise ConfigurationError(say("join.not_understood"))
    if problem := address_problem(named):
        raise ConfigurationError(say("join.no_address", problem=problem))
    save_state(_file(configuration), JoinedNetwork(named))
    return named


def leave_later(configuration: Configuration) -> None:
    """Be in no network from the next start on; errors as for :func:`join_later`."""
    _check_free(configuration)
    remove(_file(configuration))


def _file(configuration: Configuration) -> Path:
    return DataDirectory(configuration.data_directory).path / JOINED_NAME


def _check_free(configuration: Configuration) -> None:
    joined = load_state(_file(configuration), JoinedNetwork)
    if configuration.bootstrap and (joined is None or joined.bootstrap != configuration.bootstrap):
        raise ConfigurationError(say("join.named_at_start"))


def _named(text: str) -> str:
    """The address or invitation in what somebody has pasted: a command, say, or words around it."""
    if text.strip().startswith(PREFIX):
        return text.strip()  # mail programs break long lines
    words = [word.strip("\"'<>().,") for word in text.split()]
    found = [word for word in words if word.startswith((PREFIX, "http://", "https://"))]
    return found[0] if len(found) == 1 else text.strip()


def invitation_of(configuration: Configuration) -> Invitation | None:
    """What ``--join`` was given, if anything. ``ConfigurationError`` for a text that is no invitation, or is one for
    another network than ``--bootstrap`` names."""
    if not configuration.join:
        return None
    try:
        invitation = from_text(configuration.join)
    except DirectoryError as error:
        raise ConfigurationError(said_by(error)) from error
    _check_network(configuration, invitation)
    return invitation


def _check_network(configuration: Configuration, invitation: Invitation) -> None:
    named = configuration.network_id
    if named is not None and named != invitation.network_id:
        raise ConfigurationError(
            f"The invitation is for network {invitation.network_id.hex()} and --bootstrap names {named.hex()}. Leave "
            "out --bootstrap: the invitation names the server."
        )


def _check_times(invitation: Invitation, wall: float) -> None:
    """An invitation that was used here before is good for as long as its membership, so only a new one is checked."""
    grant = invitation.grant
    end = min(grant.expires, grant.until) if grant.until else grant.expires
    if wall >= end + CLOCK_SKEW_SECONDS:
        raise ConfigurationError(say("join.expired", when=float(end)))
    if wall < grant.created - CLOCK_SKEW_SECONDS:
        raise ConfigurationError(say("join.early", when=float(grant.created)))
