"""Making a network, once; the operator's settings; the database."""

from __future__ import annotations

import hashlib
import stat
import sys

import pytest
from sqlalchemy import create_engine, inspect, text

from engine.bootstrap.admission import Admission
from engine.bootstrap.configuration import FILE, client_address, load_configuration
from engine.bootstrap.init import GENESIS_FILE, KEY_FILE, init_network, load_network
from engine.bootstrap.registry import Member
from engine.bootstrap.store import Store
from engine.bootstrap.tables import Base
from engine.directory.delta import make_step
from engine.directory.snapshot import ChainPoint, sign_snapshot
from engine.errors import ConfigurationError, DirectoryError, StorageError
from engine.wire.records import Parameters
from tests.support.network import gentorrent
from tests.support.records import NOW, SERVER, descriptor, genesis, identity
from tests.unit.directory.test_snapshot import NETWORK, chain


def test_a_network_is_made_once_and_kept(tmp_path):
    made = init_network(tmp_path / "server", "home", Parameters(n=3, k=2))
    assert made.created
    again = init_network(tmp_path / "server", "other name")
    assert not again.created
    assert again.network_id == made.network_id
    assert "kept" in again.notice
    assert load_network(tmp_path / "server").server.public_key == made.server.public_key
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "server" / KEY_FILE).stat().st_mode) == 0o600


def test_a_network_may_have_a_committee(tmp_path):
    keys = [identity(number).public_key for number in range(1, 5)]
    made = init_network(tmp_path / "server", "judged", Parameters(epoch_seconds=5), committee=keys)
    assert made.genesis.genesis.committee_keys == tuple(keys)
    assert load_network(tmp_path / "server").genesis == made.genesis
    for wrong in ([*keys, keys[0]], [bytes((number,)) * 32 for number in range(65)]):
        with pytest.raises(DirectoryError, match="each of them once"):
            init_network(tmp_path / "wrong", committee=wrong)


def test_the_command_takes_a_committee(tmp_path):
    keys = [identity(number).public_key.hex() for number in range(1, 5)]
    init = ("bootstrap", "--init", "--one-machine", "--data", str(tmp_path / "n"), "--epoch-seconds", "2.5")
    for wrong in (keys[:3], [*keys, keys[0]], [*keys[:3], "nonsense"]):
        refused = gentorrent(*init, *(part for key in wrong for part in ("--committee", key)))
        assert refused.returncode == 2
        assert "ommittee" in refused.stderr
    made = gentorrent(*init, *(part for key in keys for part in ("--committee", key)))
    assert made.returncode == 0, made.stderr
    genesis = load_network(tmp_path / "n").genesis
    assert [key.hex() for key in genesis.genesis.committee_keys] == keys
    assert genesis.parameters.epoch_seconds == 2.5


def test_a_server_without_a_network_names_the_command(tmp_path):
    with pytest.raises(ConfigurationError, match="bootstrap --init --data"):
        load_network(tmp_path)


def test_a_lost_or_foreign_key_is_named(tmp_path):
    init_network(tmp_path)
    key = tmp_path / KEY_FILE
    good = key.read_text()
    key.write_text("00" * 32)
    with pytest.raises(DirectoryError, match="not a key that"):
        load_network(tmp_path)
    key.write_text("nonsense")
    with pytest.raises(StorageError, match="damaged"):
        load_network(tmp_path)
    key.unlink()
    with pytest.raises(StorageError, match="missing"):
        init_network(tmp_path)
    key.write_text(good)
    load_network(tmp_path)


def test_an_interrupted_init_is_completed(tmp_path):
    first = init_network(tmp_path)
    (tmp_path / GENESIS_FILE).unlink()
    second = init_network(tmp_path)
    assert second.created
    assert second.server.public_key == first.server.public_key
    assert second.network_id != first.network_id


def test_settings_have_defaults_and_are_checked(tmp_path):
    plain = load_configuration(tmp_path, loopback=False)
    assert plain.ice_servers == ()
    assert load_configuration(tmp_path, loopback=True).maximum_connections_per_address == plain.maximum_connections
    (tmp_path / FILE).write_text(
        'maximum_connections_per_address = 7\ntrusted_proxies = ["127.0.0.0/8"]\n'
        '[[ice_servers]]\nurls = ["stun:stun.example.org:3478"]\n'
    )
    read = load_configuration(tmp_path, loopback=True)
    assert read.maximum_connections_per_address == 7
    assert read.ice_servers[0].urls == ("stun:stun.example.org:3478",)


@pytest.mark.parametrize(
    "text",
    [
        "unknown = 1",
        "maximum_nodes = 0",
        'trusted_proxies = ["x"]',
        "= =",
        '[[ice_servers]]\nurls = ["http://x"]',
        "\xff",
    ],
)
def test_wrong_settings_are_named(tmp_path, text):
    (tmp_path / FILE).write_text(text, encoding="latin-1")
    with pytest.raises(ConfigurationError, match=FILE):
        load_configuration(tmp_path, loopback=False)


def test_only_a_trusted_proxy_is_believed():
    trusted = ("127.0.0.1/32",)
    assert client_address("127.0.0.1", "1.2.3.4, 203.0.113.9", trusted) == "203.0.113.9"
    assert client_address("198.51.100.1", "203.0.113.9", trusted) == "198.51.100.1"
    assert client_address("127.0.0.1", "203.0.113.9", ()) == "127.0.0.1"
    assert client_address("127.0.0.1", "nonsense", trusted) == "127.0.0.1"
    assert client_address("", "203.0.113.9", trusted) == ""


def member(number: int) -> Member:
    signed = descriptor(identity(number), genesis().network_id)
    return Member(
        identity(number).node_id,
        signed,
        int(NOW),
        int(NOW) + 9,
        "10.0.0.0/16",
        5,
        7,
        hours=(1 << 167) | 1,
        hour=3,
        admission=Admission(7, 12.5),
    )


async def test_the_database_gives_back_what_it_took(tmp_path):
    store = await Store.open(tmp_path / "x.sqlite3")
    assert await store.load() == ([], ChainPoint(), None)
    one, two = member(1), member(2)
    await store.save_member(one)
    one.withdrawn = True
    await store.save_member(one)
    first, point = sign_snapshot(SERVER, genesis().network_id, ChainPoint(), NOW, ())
    await store.save_member(two)
    await store.save_snapshot(first, point, [])
    second, later = sign_snapshot(SERVER, genesis().network_id, point, NOW, ())
    await store.save_snapshot(second, later, [])
    store.close()
    again = await Store.open(tmp_path / "x.sqlite3")
    members, found, signed = await again.load()
    assert sorted(members, key=lambda each: each.node_id) == sorted([one, two], key=lambda each: each.node_id)
    assert (found, signed) == (later, second)
    await again.save_snapshot(*sign_snapshot(SERVER, genesis().network_id, later, NOW, ()), [one.node_id])
    assert (await again.load())[0] == [two]
    again.close()


async def test_large_snapshots_are_kept_as_steps_from_a_whole_one(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.bootstrap.store.WHOLE_BELOW", 0)
    path, made = tmp_path / "x.sqlite3", chain(30)
    engine = create_engine(f"sqlite:///{path}")
    store, wholes = await Store.open(path), 0
    for number, signed in enumerate(made, 1):
        step = make_step(made[number - 2].record, signed.record) if number > 1 else None
        point = ChainPoint(number, hashlib.sha256(signed.record).digest(), int(NOW) + number)
        await store.save_snapshot(signed, point, [], step)
        with engine.connect() as connection:
            kept = connection.execute(
                text("select record, step from snapshots where record is not null or step is not null")
            ).all()
        wholes += kept[-1].record is not None
        assert sum(row.record is not None for row in kept) == 1
        assert sum(len(row.step) for row in kept if row.step) <= len(signed.record) // 2
        if number % 7 == 0:  # killed and started again
            store.close()
            store = await Store.open(path)
        assert (await store.load())[1:] == (point, signed)
    assert 1 < wholes < 20
    # A step that was not written makes the next one whole, and one that is damaged is told.
    with pytest.raises(StorageError):
        await store.save_snapshot(made[-1], point, [], step)  # this epoch is there already
    await store.save_snapshot(*sign_snapshot(SERVER, NETWORK, point, NOW + 31, ()), [], step)
    last = (await store.load())[2]
    assert last is not None
    with engine.begin() as connection:
        connection.execute(text("update snapshots set record = x'90' where record is not null"))
    with pytest.raises(StorageError, match="is damaged"):
        await store.load()
    store.close()
    engine.dispose()


async def test_migrations_make_the_tables_that_the_code_uses(tmp_path):
    (await Store.open(tmp_path / "x.sqlite3")).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    found = inspect(engine)
    for name, table in Base.metadata.tables.items():
        columns = {column["name"]: bool(column["nullable"]) for column in found.get_columns(name)}
        assert columns == {column.name: bool(column.nullable) for column in table.columns}
    engine.dispose()


async def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "x.sqlite3").write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError, match=r"x\.sqlite3"):
        await Store.open(tmp_path / "x.sqlite3")


async def test_a_database_of_another_version_is_named(tmp_path):
    path = tmp_path / "bootstrap.sqlite3"
    (await Store.open(path)).close()
    with create_engine(f"sqlite:///{path}").begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = 'later'")
    with pytest.raises(StorageError, match="not those of this version"):
        await Store.open(path)
