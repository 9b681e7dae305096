"""What a member of the committee keeps on disk: certified blocks, and what it must not forget of the present height.

Blocks stand in one growing file (the format of ``engine.verification.chain.chain_file``); what a crash has cut off is
dropped at the next start and fetched again. The memory is one small file that is replaced before each vote is sent.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

from engine.errors import StorageError, VerificationError, WireError
from engine.storage.files import PRIVATE_FILE, make_directory, read_limited, storage_error, write_atomically
from engine.verification.chain.chain_file import MAGIC, MAX_PART, Kind, part, parts
from engine.verification.committee.effects import Memory
from engine.wire.codec import encode
from engine.wire.verification import CertifiedBlock, certified_block_decoder

logger = logging.getLogger(__name__)
MAX_MEMORY = 1024 * 1024
_HEAD = 5


class CommitteeStore:
    """In a folder of its own, for one network. ``StorageError`` where the disk refuses."""

    def __init__(self, folder: Path) -> None:
        make_directory(folder)
        self._blocks = folder / "blocks"
        self._memory = folder / "memory"
        self._places: list[tuple[int, int]] = []  # of the block of each height from 1: (offset, length)

    def load(self) -> list[CertifiedBlock]:
        """All whole blocks that were kept, the first one first; what follows a torn one is cut off."""
        found: list[CertifiedBlock] = []
        self._places.clear()
        try:
            with self._blocks.open("rb") as file:
                end = len(MAGIC)
                try:
                    for kind, data in parts(file.read):
                        if kind is not Kind.BLOCK:
                            break
                        found.append(certified_block_decoder.decode(data))
                        self._places.append((end + _HEAD, len(data)))
                        end = file.tell()
                except (VerificationError, WireError) as error:
                    logger.warning("the kept blocks end early: %s", error)
            with self._blocks.open("r+b") as file:
                file.truncate(end if self._places else 0)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise storage_error("read", self._blocks, error) from error
        return found

    def keep(self, count: int) -> None:
        """Forget all blocks behind the first ``count``: they do not follow from each other."""
        del self._places[count:]
        end = sum(self._places[-1]) if self._places else 0
        try:
            with self._blocks.open("r+b") as file:
                file.truncate(end)
        except FileNotFoundError:
            return
        except OSError as error:
            raise storage_error("write", self._blocks, error) from error

    def append(self, height: int, block: CertifiedBlock) -> None:
        """Keep the block of this height; it is on the disk when this returns. One that does not follow those that are
        kept, as the disk was full when they came, is left out: at the next start all are fetched."""
        if height != len(self._places) + 1:
            return
        data = encode(block)
        try:
            descriptor = os.open(self._blocks, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), PRIVATE_FILE)
            with os.fdopen(descriptor, "r+b") as file:
                end = sum(self._places[-1]) if self._places else 0
                file.truncate(end)  # half a record of an attempt that failed
                file.seek(end)
                if not end:
                    end += file.write(MAGIC)
                file.write(part(Kind.BLOCK, data))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise storage_error("write", self._blocks, error) from error
        self._places.append((end + _HEAD, len(data)))

    def block(self, height: int) -> CertifiedBlock | None:
        """The block of a height, None if it is not here."""
        if not 1 <= height <= len(self._places):
            return None
        offset, length = self._places[height - 1]
        try:
            with self._blocks.open("rb") as file:
                file.seek(offset)
                return certified_block_decoder.decode(file.read(min(length, MAX_PART)))
        except (OSError, WireError) as error:
            logger.warning("the block of height %d cannot be read: %s", height, error)
            return None

    def remember(self, memory: Memory) -> None:
        """On the disk when this returns."""
        write_atomically(self._memory, msgspec.msgpack.encode(memory))

    def memory(self) -> Memory | None:
        """What was remembered last; None if nothing was, or if it cannot be read."""
        try:
            data = read_limited(self._memory, MAX_MEMORY)
            return None if data is None else msgspec.msgpack.decode(data, type=Memory)
        except (StorageError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            logger.warning("what was signed for the committee cannot be read: %s", error)
            return None
