"""What proves that a server shows different directories to different people, kept on disk to be shown to others."""

from __future__ import annotations

import base64
from pathlib import Path

from engine.directory.heads import Proof
from engine.errors import StorageError
from engine.ids import NetworkId
from engine.sentences import said_by, say, together
from engine.storage.files import make_directory
from engine.storage.state import save_state

MAXIMUM_FILES = 32
"""One proof is as good as a thousand."""


def keep_proof(folder: Path, network_id: NetworkId, proof: Proof) -> str:
    """Write ``evidence/epoch-N.json`` below ``folder``; what the user is told about it."""
    epoch = proof[0].epoch
    path = folder / "evidence" / f"epoch-{epoch}.json"
    document = {
        "what": "two directories of one epoch, both signed by a server of this network",
        "network_id": network_id.hex(),
        "epoch": epoch,
        "signed": [
            {
                "sha256": head.digest.hex(),
                "server_key": head.key.hex(),
                "signature": base64.b64encode(head.signature).decode("ascii"),
            }
            for head in proof
        ],
    }
    try:
        make_directory(path.parent)
        if not path.exists() and sum(1 for _ in path.parent.iterdir()) < MAXIMUM_FILES:
            save_state(path, document)
        kept = say("directory.proof_kept", folder=str(path.parent))
    except (StorageError, OSError) as error:
        kept = say("directory.proof_not_kept", problem=said_by(error))
    return together(say("directory.two", epoch=str(epoch)), kept)
