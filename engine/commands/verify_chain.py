"""``gentorrent verify-chain``: replay all that the committee has agreed on, from the genesis, and say what holds."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from engine.config import load_configuration
from engine.errors import ConfigurationError, StorageError, VerificationError, WireError

if TYPE_CHECKING:
    from engine.directory.genesis import GenesisRecord
    from engine.transport.chain_http import ChainReader
    from engine.verification.chain.replay import Replay
    from engine.wire.signed import SignedRecord


@dataclass(slots=True)
class _Found:
    """What is told in the end."""

    replay: Replay
    problems: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)


def run(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A chain exported with --export; without it a server is asked."),
    ] = None,
    bootstrap: Annotated[
        str | None, typer.Option(metavar="URL#NETWORKID", help="The network's server (as for gentorrent node).")
    ] = None,
    network: Annotated[
        str | None, typer.Option(metavar="NETWORKID", help="With FILE: the network that it must be of.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the chain to a new file, to be replayed without a network."),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Replay the committee's blocks from the genesis: votes, answers judged, reputations that follow.

    Exit code 0: all of it holds. 1: something does not, or cannot be read.
    """
    if file is not None:
        if bootstrap or export:
            raise ConfigurationError("A file is replayed as it is: leave out --bootstrap and --export.")
        found = _replay_file(file, network)
    else:
        if network:
            raise ConfigurationError("--network is for a FILE; with a server its address says it, URL#NETWORKID.")
        import asyncio

        found = asyncio.run(_replay_server(_address(bootstrap), export))
    _tell(found, json_output)
    if found.problems:
        raise typer.Exit(1)


# ------------------------------------------------------------------------------------------------------------ a server


def _address(bootstrap: str | None) -> tuple[str, bytes]:
    from engine.transport.bootstrap_state import parse_bootstrap

    text = load_configuration({"bootstrap": bootstrap}, os.environ).bootstrap
    if not text:
        raise ConfigurationError("Which chain? Give a server's address with --bootstrap URL#NETWORKID, or a FILE.")
    address = parse_bootstrap(text)
    if address.network_id is None:
        raise ConfigurationError(
            "A chain is only as good as the genesis that it begins with: give the whole address, URL#NETWORKID."
        )
    return address.url, address.network_id


async def _replay_server(address: tuple[str, bytes], export: Path | None) -> _Found:
    from engine.directory.genesis import from_file
    from engine.ids import NetworkId
    from engine.transport.bootstrap_http import http_session
    from engine.transport.chain_http import ChainReader
    from engine.verification.chain.replay import Replay

    async with http_session() as session:
        reader = ChainReader(session, address[0])
        text = await reader.genesis()
        genesis = from_file(text, NetworkId(address[1]))
        found = _Found(Replay(genesis))
        _need_committee(genesis)
        with _writing(export) as output:
            _write(output, text)
            async for block, records in _blocks(reader, output):
                if not found.replay.take(block, records):
                    found.problems.append(found.replay.problem)
                    return found
        await _compare(reader, found)
    return found


async def _blocks(
    reader: ChainReader, output: BinaryIO | None
) -> AsyncIterator[tuple[bytes, dict[bytes, SignedRecord]]]:
    """Each block with the evidence that it names, as far as the server still has it."""
    from engine.verification.chain.chain_file import Kind, part
    from engine.verification.chain.replay import records_named
    from engine.wire.blocks import block_decoder, certified_block_decoder
    from engine.wire.signed import signed_record_decoder

    height = 1
    while blocks := await reader.blocks(height):
        for encoded in blocks:
            records: dict[bytes, SignedRecord] = {}
            for digest in records_named(block_decoder.decode(certified_block_decoder.decode(encoded).block)):
                evidence = await reader.evidence(digest)
                if evidence is not None:
                    records[digest] = signed_record_decoder.decode(evidence)
                    if output is not None:
                        output.write(part(Kind.EVIDENCE, evidence))
            if output is not None:
                output.write(part(Kind.BLOCK, encoded))
            yield encoded, records
        height += len(blocks)


async def _compare(reader: ChainReader, found: _Found) -> None:
    """What the server says beside its blocks."""
    from engine.verification.contradictions import check_contradiction
    from engine.wire.blocks import signed_standings_decoder
    from engine.wire.receipts import contradiction_decoder

    state, network_id = found.replay.state, found.replay.genesis.network_id
    height = await reader.height()
    if height > state.height:  # one may have come meanwhile, and is there then
        if not await reader.blocks(state.height + 1):
            found.problems.append(f"The server says that it has {height} blocks, and shows {state.height}.")
    elif height < state.height:
        found.problems.append(f"The server says that it has {height} blocks, and has shown {state.height}.")
    elif state.height:
        standings = signed_standings_decoder.decode(await reader.standings())
        if standings.standings != found.replay.standings:
            found.problems.append("The standings that the server hands out are not those that follow from the blocks.")
    async for encoded in reader.contradictions():
        try:
            proven = check_contradiction(contradiction_decoder.decode(encoded), network_id)
        except (VerificationError, WireError) as error:
            found.problems.append(f"The server shows a contradiction that is none: {error}")
            continue
        found.contradictions.append(f"{_name(proven.node_id)} signed {proven.text}")


# -------------------------------------------------------------------------------------------------------------- a file


def _replay_file(file: Path, network: str | None) -> _Found:
    from engine.directory.genesis import from_file, parse_network_id
    from engine.verification.chain.chain_file import Kind, parts
    from engine.verification.chain.replay import MAX_NAMED, Replay
    from engine.verification.signing import digest_of
    from engine.wire.signed import signed_record_decoder

    expected = parse_network_id(network) if network else None
    try:
        opened = file.open("rb")
    except OSError as error:
        raise StorageError(f"{file} cannot be read ({error.strerror}). Name a file made with --export.") from error
    with opened:
        content = parts(opened.read)
        kind, text = next(content, (None, b""))
        if kind is not Kind.GENESIS:
            raise VerificationError("The file has no genesis at its beginning, so nothing in it can be checked.")
        genesis = from_file(text, expected)
        _need_committee(genesis)
        found = _Found(Replay(genesis))
        records: dict[bytes, SignedRecord] = {}
        try:
            for kind, data in content:
                if kind is Kind.EVIDENCE:
                    if len(records) >= MAX_NAMED:
                        raise VerificationError("More evidence follows than one block can name.")
                    record = signed_record_decoder.decode(data)
                    records[digest_of(record)] = record
                elif kind is Kind.GENESIS or not found.replay.take(data, records):
                    found.problems.append(found.replay.problem or "The file has a second genesis.")
                    break
                else:
                    records = {}
        except (VerificationError, WireError) as error:
            found.problems.append(f"After block {found.replay.state.height}: {error}")
    return found


def _need_committee(genesis: GenesisRecord) -> None:
    if not genesis.genesis.committee_keys:
        raise VerificationError(
            f'The network "{genesis.genesis.name}" has no committee, so it has no chain: nobody is judged in it.'
        )


@contextlib.contextmanager
def _writing(path: Path | None) -> Iterator[BinaryIO | None]:
    """The file to write to, if there is one; it appears only when it is complete."""
    if path is None:
        yield None
        return
    if path.exists():
        raise StorageError(f"{path} exists already. Choose another name.")
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as output:
            yield output
        temporary.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror}). Choose another folder.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _write(output: BinaryIO | None, genesis: bytes) -> None:
    from engine.verification.chain.chain_file import MAGIC, Kind, part

    if output is not None:
        output.write(MAGIC + part(Kind.GENESIS, genesis))


# ------------------------------------------------------------------------------------------------------------- telling


def _name(node: bytes) -> str:
    from engine.ids import NodeId, node_id_text

    return node_id_text(NodeId(node))


def _sentences(found: _Found) -> Iterator[str]:
    replay = found.replay
    state, genesis = replay.state, replay.genesis
    yield f'network       "{genesis.genesis.name}" ({genesis.network_id.hex()})'
    yield f"blocks        {state.height} hold" + (f", up to epoch {state.epoch}" if state.height else "")
    yield f"committee     {len(state.members)} members now"
    yield f"answers       {replay.judged} judged, of {len(state.standings)} nodes"
    if replay.unseen:
        yield f"not seen      the evidence of {replay.unseen} blocks, which is kept for some weeks only"
    for node in replay.excluded:
        yield f"excluded      {_name(node)}"
    if state.speeds.moments:
        nodes = set(state.speeds.moments)
        yield f"speeds        {replay.measured} measured, of {len(nodes)} nodes that claim one"
    for node, rates in sorted(state.speeds.slower.items()):
        told = ", ".join(f"{rate} tokens a second with model {model.hex()}..." for model, rate in rates)
        yield f"slower        {_name(node)} reads {told}, less than it says"
    for text in found.contradictions:
        yield f"contradiction {text}"


def _tell(found: _Found, json_output: bool) -> None:
    replay = found.replay
    if json_output:
        document = {
            "holds": not found.problems,
            "problems": found.problems,
            "network_id": replay.genesis.network_id.hex(),
            "height": replay.state.height,
            "epoch": replay.state.epoch,
            "digest": replay.state.previous.hex(),
            "members": [key.hex() for key in replay.state.members],
            "judged": replay.judged,
            "nodes": len(replay.state.standings),
            "blocks_without_evidence": replay.unseen,
            "excluded": [_name(node) for node in replay.excluded],
            "contradictions": found.contradictions,
            "speeds_measured": replay.measured,
            "slower": {
                _name(node): {model.hex(): rate for model, rate in rates}
                for node, rates in sorted(replay.state.speeds.slower.items())
            },
        }
        typer.echo(json.dumps(document, ensure_ascii=False))
        return
    typer.echo("The chain holds." if not found.problems else "The chain does NOT hold.")
    for text in _sentences(found):
        typer.echo(f"  {text}")
    for problem in found.problems:
        typer.echo(f"  problem       {problem}", err=True)
