"""What a member of the committee keeps on disk: certified blocks, and what it must not forget of the present height.

Blocks stand in one growing file (the format of ``engine.verification.chain.chain_file``), each behind the evidence that
it names, for a server that has it not yet; what a crash has cut off is dropped at the next start and fetched again. A
checkpoint beside it spares a start most of the replaying. The memory is one small file that is replaced before each
vote is sent.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine.errors import StorageError, VerificationError, WireError
from engine.storage.files import PRIVATE_FILE, make_directory, read_limited, storage_error, write_atomically
from engine.verification.chain.chain_file import MAGIC, MAX_PART, Kind, OtherVersionError, part, parts
from engine.verification.chain.checkpoint import MAX_CHECKPOINT
from engine.verification.committee.effects import Memory
from engine.wire.blocks import CertifiedBlock, certified_block_decoder
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord, signed_record_decoder

logger = logging.getLogger(__name__)
MAX_MEMORY = 1024 * 1024
MEMORY_MAGIC = b"gentorrent-memory-2\n"
OTHER_VERSION = ".other-version"
FORGOTTEN = (
    "what this verifier has signed cannot be read, so it signs nothing until there is a block that was made after this"
    " start"
)
_HEAD = 5


class CommitteeStore:
    """In a folder of its own, for one network. ``StorageError`` where the disk refuses."""

    def __init__(self, folder: Path) -> None:
        make_directory(folder)
        self._blocks = folder / "blocks"
        self._memory = folder / "memory"
        self._checkpoint = folder / "checkpoint"
        self._places: list[tuple[int, int]] = []  # of the block of each height from 1: (offset, length)

    def load(self) -> int:
        """How many whole blocks were kept, from the first one on; what follows a torn one is cut off."""
        self._places.clear()
        is_of_other_version = False
        try:
            with self._blocks.open("rb") as file:
                try:
                    for kind, data in parts(file.read):
                        if kind is Kind.BLOCK:
                            self._places.append((file.tell() - len(data), len(data)))
                except OtherVersionError:
                    is_of_other_version = True
                except VerificationError as error:
                    logger.warning("the kept blocks end early: %s", error)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise storage_error("read", self._blocks, error) from error
        if is_of_other_version:
            self._put_aside()
        self.keep(len(self._places))
        return len(self._places)

    def _put_aside(self) -> None:
        """What another version has written stays for it; this one fetches all blocks from the server."""
        aside = self._blocks.with_name(f"{self._blocks.name}{OTHER_VERSION}")
        try:
            self._blocks.replace(aside)
        except OSError as error:
            raise storage_error("write", aside, error) from error
        logger.warning("another version of this program has kept blocks: they are put aside as %s", aside.name)

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

    def append(self, height: int, block: CertifiedBlock, records: Sequence[SignedRecord] = ()) -> None:
        """Keep the evidence and the block of this height; they are on the disk when this returns. One that does not
        follow those that are kept, as the disk was full when they came, is left out: a later start fetches all."""
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
                for record in records:
                    end += file.write(part(Kind.EVIDENCE, encode(record)))
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

    def records(self, height: int) -> list[SignedRecord]:
        """The evidence that was kept with the block of a height."""
        if not 1 <= height <= len(self._places):
            return []
        begin = sum(self._places[height - 2]) if height > 1 else len(MAGIC)
        found: list[SignedRecord] = []
        try:
            with self._blocks.open("rb") as file:
                file.seek(begin)
                while file.tell() + _HEAD < self._places[height - 1][0]:
                    head = file.read(_HEAD)
                    found.append(
                        signed_record_decoder.decode(file.read(min(int.from_bytes(head[1:], "big"), MAX_PART)))
                    )
        except (OSError, WireError) as error:
            logger.warning("the evidence of height %d cannot be read: %s", height, error)
        return found

    def keep_checkpoint(self, data: bytes) -> None:
        """In place of the one before."""
        write_atomically(self._checkpoint, data)

    def checkpoint(self) -> bytes | None:
        """The one that was kept last; None if there is none that can be read."""
        try:
            return read_limited(self._checkpoint, MAX_CHECKPOINT)
        except StorageError as error:
            logger.warning("the checkpoint of the committee's chain cannot be read: %s", error)
            return None

    def remember(self, memory: Memory) -> None:
        """On the disk when this returns."""
        write_atomically(self._memory, MEMORY_MAGIC + msgspec.msgpack.encode(memory))

    def memory(self) -> Memory | None:
        """What was remembered last; None if nothing was, or if it cannot be read."""
        try:
            data = read_limited(self._memory, MAX_MEMORY)
            if data is None:
                return None
            if not data.startswith(MEMORY_MAGIC):
                raise VerificationError("it is damaged, or another version of this program has written it")
            return msgspec.msgpack.decode(data[len(MEMORY_MAGIC) :], type=Memory)
        except (StorageError, VerificationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            logger.warning("%s: %s", FORGOTTEN, error)
            return None
