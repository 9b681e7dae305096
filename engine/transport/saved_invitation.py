"""The invitation that a private network was joined with, kept beside the network's genesis."""

from __future__ import annotations

from pathlib import Path

from engine.directory.invite import MAXIMUM_TEXT, Invitation, from_text, to_text
from engine.errors import DirectoryError, StorageError
from engine.ids import NetworkId
from engine.storage.files import make_directory, read_limited, write_atomically

FILE = "invitation"


def save_invitation(networks: Path, invitation: Invitation) -> None:
    """Keep it for the logins to come, readable by its owner alone; an older one of the network is replaced."""
    folder = networks / invitation.network_id.hex()
    make_directory(folder)
    write_atomically(folder / FILE, to_text(invitation).encode("ascii") + b"\n")


def is_invited(networks: Path) -> bool:
    """Whether this machine has been invited to any private network."""
    return any(networks.glob(f"*/{FILE}"))


def load_invitation(networks: Path, network_id: NetworkId) -> Invitation | None:
    """The one of this network, None if there is none; ``StorageError`` for one that is damaged."""
    path = networks / network_id.hex() / FILE
    data = read_limited(path, MAXIMUM_TEXT + 1)
    if data is None:
        return None
    try:
        invitation = from_text(data.decode("ascii", "replace"))
    except DirectoryError as error:
        raise StorageError(f"{path} is damaged: {error} Join again with --join INVITATION.") from error
    return invitation if invitation.network_id == network_id else None
