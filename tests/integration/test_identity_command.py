"""``gentorrent identity`` against a running server: shown, revoked in two steps, replaced."""

from __future__ import annotations

import asyncio
from pathlib import Path

from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.ids import node_id_text
from engine.storage.data_directory import DataDirectory, acquire_lock
from engine.storage.key_store import KeyStore
from tests.support.bootstrap import running_client, running_server, until
from tests.support.network import QUIET, gentorrent


def identity_of(data: Path) -> Identity:
    return KeyStore(DataDirectory(data).keys, SystemClock(), environment=QUIET).identity()


async def run(*arguments: str) -> tuple[int, str]:
    told = await asyncio.to_thread(gentorrent, "identity", *arguments)
    assert "Traceback" not in told.stderr
    return told.returncode, told.stdout + told.stderr


async def test_an_identity_is_shown_revoked_and_replaced(tmp_path):
    data, saved = tmp_path / "node", tmp_path / "revocation"
    where = ("--data", str(data))
    async with running_server(tmp_path / "s") as address:
        network = ("--bootstrap", address)
        code, text = await run("show", *where)
        assert code == 0
        first = identity_of(data)
        assert (await run("show", "--key", *where)) == (0, first.public_key.hex() + "\n")
        assert text.strip() == node_id_text(first.node_id)
        # Made beforehand, and sent when the key is stolen, also by who has not got it.
        code, text = await run("revoke", *where, *network, "--save", str(saved))
        assert code == 0, text
        code, text = await run("revoke", *network, "--data", str(tmp_path / "elsewhere"), "--send", str(saved))
        assert code != 0
        assert "not known here" in text
        async with running_client(address, first, tmp_path / "c") as client:
            await until(lambda: client.directory is not None and first.node_id in client.directory)
            code, text = await run("revoke", *network, "--data", str(tmp_path / "elsewhere"), "--send", str(saved))
            assert code == 0, text
            await until(lambda: "is over" in client.state.reason)
        with acquire_lock(DataDirectory(data).lock, SystemClock()):  # as a running engine has it
            code, text = await run("show", *where)
            assert (code, text.strip()) == (0, node_id_text(first.node_id))
            code, text = await run("replace", *where)
            assert code != 0
            assert "Another engine" in text
        # The machine goes on with another one, which takes nobody's place.
        invitation = DataDirectory(data).networks / "n" / "invitation"
        invitation.parent.mkdir(parents=True)
        invitation.touch()
        code, text = await run("replace", *where)
        assert code == 0
        assert "ask its operator for another one" in text
        second = identity_of(data)
        assert node_id_text(first.node_id) in text
        assert node_id_text(second.node_id) in text
        code, text = await run("replace", *where)
        assert code != 0
        assert "not known to the network yet" in text
        async with running_client(address, second, tmp_path / "d") as client:
            await until(lambda: client.directory is not None and second.node_id in client.directory)
        code, text = await run("revoke", *where, *network, "--yes")
        assert code == 0, text
        assert identity_of(data).node_id not in (first.node_id, second.node_id)
        async with running_client(address, identity_of(data), tmp_path / "e", publish=False) as client:
            await until(lambda: client.directory is not None and len(client.directory) == 0)


async def test_wrong_input_is_told(tmp_path):
    where = ("--data", str(tmp_path / "node"))
    for arguments, said in (
        (["revoke", "--yes"], "Which network"),
        (["revoke", "--yes", "--bootstrap", "http://127.0.0.1:9"], "URL#NETWORKID"),
        (
            ["revoke", "--yes", "--bootstrap", f"http://127.0.0.1:9,http://127.0.0.1:8#{'0' * 64}"],
            "Nothing was changed",
        ),
    ):
        code, text = await run(*arguments, *where)
        assert code != 0
        assert said in " ".join(text.split())
