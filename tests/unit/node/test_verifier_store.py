"""What a verifier keeps on its disk, and what becomes of a disk that is damaged."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import msgspec
import pytest

from engine.errors import VerificationError
from engine.node.checking import Found
from engine.node.verifier_store import FILE, VerifierStore
from engine.verification.challenges.plan import Candidate, EpochPlan, encoded_plan, plan_epoch, read_plan
from engine.verification.challenges.pool import read_pool
from engine.wire.challenges import Evidence
from engine.wire.signed import SignedRecord
from tests.support.judging import MODEL, judging
from tests.support.records import identity
from tests.unit.verification.challenges.test_pool import MANNERS, QUESTIONS, WORDS

NODES = [identity(number) for number in range(3)]


def planned(epoch: int = 5) -> EpochPlan:
    pool = read_pool([QUESTIONS], WORDS, MANNERS)
    candidates = [Candidate(node.node_id, "gentorrent/help", MODEL) for node in NODES]
    plan = plan_epoch(pool, epoch, bytes(32), candidates, {}, 600.0, random.Random(3).randbytes)
    assert plan is not None
    return plan


def same(one: EpochPlan, other: EpochPlan) -> bool:
    return (one.epoch, one.planned, one.committed.challenges) == (
        other.epoch,
        other.planned,
        other.committed.challenges,
    )


def records() -> list[SignedRecord]:
    network = judging(4)
    member = network.members[0]
    commitment = network.commit(1, member, [NODES[0].node_id])
    evidence = network.evidence(1, member, NODES[0].node_id, NODES[0])
    return [network.attest(evidence, NODES[0].node_id, member), evidence, commitment]


def test_everything_is_there_after_the_process_has_died(tmp_path: Path) -> None:
    store, plan, kept = VerifierStore(tmp_path), planned(), records()
    store.keep_plan(plan)
    for signed in (*kept, *kept):
        store.keep(signed)
    again = VerifierStore(tmp_path)  # the first one was never closed
    assert same(again.plans()[0], plan)
    found = again.records()
    assert sorted(one.record for one in found) == sorted(one.record for one in kept)
    assert found[-1] == kept[0], "an attestation is behind the evidence that it is about"
    again.forget(5)
    assert [one.epoch for one in again.plans()] == [5]
    assert again.records() == []
    again.close()
    store.close()


def test_conversations_that_are_under_way_are_kept_until_their_epoch_is_over(tmp_path: Path) -> None:
    store, (_, signed, _) = VerifierStore(tmp_path), records()
    evidence = msgspec.msgpack.decode(signed.record, type=Evidence)
    store.keep_turn(5, 3, 0, None)
    store.keep_turn(5, 3, 0, Found(evidence, "Yes."))
    store.keep_turn(5, 3, 1, None)
    store.keep_turn(5, 4, 0, None)
    store.forget_turn(5, 4, 0)
    again = VerifierStore(tmp_path)
    assert again.turns_of(5, 3) == [Found(evidence, "Yes."), None]
    assert again.turns_of(5, 4) == again.turns_of(4, 3) == []
    again._write("UPDATE turns SET evidence = ?", (b"\x00damaged",))
    assert again.turns_of(5, 3) == [None, None], "what cannot be read has brought nothing, and is not asked again"
    again.forget(6)
    assert again.turns_of(5, 3) == []
    again.close()
    store.close()


@pytest.mark.parametrize("cut", [600, 2_000, 4_096, 5_000, 9_000])
def test_a_file_that_was_cut_off_is_put_aside_and_begun_anew(tmp_path: Path, cut: int) -> None:
    store = VerifierStore(tmp_path)
    store.keep_plan(planned())
    for signed in records():
        store.keep(signed)
    store._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    store.close()
    file = tmp_path / FILE
    whole = file.read_bytes()
    assert len(whole) > cut
    file.write_bytes(whole[:cut])
    again = VerifierStore(tmp_path)
    assert again.plans() == []
    again.keep_plan(planned(6))
    assert [one.epoch for one in again.plans()] == [6]
    assert (tmp_path / (FILE + ".damaged")).exists()
    again.close()


@pytest.mark.parametrize("version", [0, 1, 9])
def test_a_file_of_another_version_is_put_aside_with_the_reason(
    tmp_path: Path, version: int, caplog: pytest.LogCaptureFixture
) -> None:
    VerifierStore(tmp_path).close()
    database = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    database.execute("DROP TABLE plans")
    database.execute("CREATE TABLE plans (something_else INTEGER)")
    database.execute(f"PRAGMA user_version = {version}")
    database.close()
    store = VerifierStore(tmp_path)
    store.keep_plan(planned(6))
    assert [one.epoch for one in store.plans()] == [6]
    store.close()
    assert f"version {version} of this program has written it" in caplog.text
    assert (tmp_path / (FILE + ".damaged")).exists()


def test_what_is_no_record_or_plan_is_left_out(tmp_path: Path) -> None:
    VerifierStore(tmp_path).close()
    database = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    database.execute("INSERT INTO plans VALUES (5, x'00')")
    database.execute("INSERT INTO records VALUES (x'00', 5, 0, x'ff', x'00', x'00')")
    database.close()
    store = VerifierStore(tmp_path)
    assert store.plans() == []
    assert store.records() == []
    store.close()


def test_a_plan_is_read_back_as_it_was_and_bytes_that_are_none_are_refused() -> None:
    plan = planned()
    assert same(read_plan(5, encoded_plan(plan)), plan)
    for data in (b"", b"x", encoded_plan(plan)[:-1], b"\x90", b"\x91\x95\x01\x02\x03\x04\x05"):
        with pytest.raises(VerificationError, match="cannot be read"):
            read_plan(5, data)
