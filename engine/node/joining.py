"""Joining a private network with an invitation: it is checked, kept for the logins to come, and names the server."""

from __future__ import annotations

import msgspec

from engine.clock import Clock
from engine.config import Configuration
from engine.directory import CLOCK_SKEW_SECONDS
from engine.directory.invite import Invitation, from_text
from engine.errors import ConfigurationError, DirectoryError
from engine.storage.data_directory import DataDirectory
from engine.storage.files import make_directory
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
    return msgspec.structs.replace(configuration, bootstrap=configuration.bootstrap or invitation.address)


def invitation_of(configuration: Configuration) -> Invitation | None:
    """What ``--join`` was given, if anything. ``ConfigurationError`` for a text that is no invitation, or is one for
    another network than ``--bootstrap`` names."""
    if not configuration.join:
        return None
    try:
        invitation = from_text(configuration.join)
    except DirectoryError as error:
        raise ConfigurationError(str(error)) from error
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
        raise ConfigurationError(
            f"The invitation expired {(wall - end) / 3600:.1f} h ago, unless this computer's clock is wrong. Set the "
            "clock if it is; else ask the operator for a new invitation."
        )
    if wall < grant.created - CLOCK_SKEW_SECONDS:
        raise ConfigurationError(
            f"The invitation was made {(grant.created - wall) / 60:.0f} minutes in the future by this computer's clock,"
            " so the clock is wrong. Set it and try again."
        )
