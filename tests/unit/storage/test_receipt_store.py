"""Receipts on disk: each answer once, batches once, and nothing lost when the process dies at any statement."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import StorageError
from engine.storage import receipt_store
from engine.storage.receipt_store import ReceiptStore, StoredBatch, StoredReceipt


def receipt(answer: str, text: str = "final", tokens: int = 4) -> StoredReceipt:
    return StoredReceipt(answer.encode(), f"{answer} {text}".encode(), b"s" * 64, tokens)


def make(epoch: int, receipts: list[StoredReceipt]) -> StoredBatch:
    return StoredBatch(epoch, b"salt", b"|".join(one.record for one in receipts), b"s" * 64)


def sealed(store: ReceiptStore, epoch: int, *running: str) -> list[tuple[int, bytes]]:
    """All batches that wait after sealing up to ``epoch``."""
    store.seal(epoch, [name.encode() for name in running], make)
    return [(batch.epoch, batch.record) for batch in store.unconfirmed()]


def test_each_answer_counts_once_with_its_last_receipt(tmp_path: Path) -> None:
    store = ReceiptStore(tmp_path / "r")
    store.keep(3, receipt("one", "checkpoint"))
    store.keep(3, receipt("two"))
    store.keep(3, receipt("one"))
    store.keep(4, receipt("three", "checkpoint"))
    assert sealed(store, 2) == []
    assert sealed(store, 3) == [(3, b"two final|one final")]
    store.keep(3, receipt("three"))  # its clock was set back: epoch 3 is signed
    assert sealed(store, 4) == [(3, b"two final|one final"), (4, b"three final")]
    store.close()


def test_who_is_still_answering_counts_when_it_is_over(tmp_path: Path) -> None:
    store = ReceiptStore(tmp_path / "r")
    store.keep(3, receipt("one", "checkpoint"))
    store.keep(3, receipt("two", "checkpoint"))
    assert sealed(store, 3, "one") == [(3, b"two checkpoint")]
    store.keep(4, receipt("one"))
    assert sealed(store, 5) == [(3, b"two checkpoint"), (4, b"one final")]
    store.keep(6, receipt("one", "again"))  # it is in a batch already
    assert sealed(store, 9) == [(3, b"two checkpoint"), (4, b"one final")]
    store.close()


def test_batches_wait_until_they_are_confirmed_or_refused_over_restarts(tmp_path: Path) -> None:
    store = ReceiptStore(tmp_path / "r")
    for epoch in (1, 2, 3):
        store.keep(epoch, receipt(f"of {epoch}"))
    assert len(sealed(store, 3)) == 3
    store.confirm(1, b"word")
    store.refuse(2, "too old")
    store.close()
    again = ReceiptStore(tmp_path / "r")
    assert [batch.epoch for batch in again.unconfirmed()] == [3]
    assert again.counts() == (1, 1)
    known = again.batch(1)
    assert known is not None
    assert (known.confirmation, [one.record for one in again.receipts(1)]) == (b"word", [b"of 1 final"])
    assert again.batch(7) is None
    again.keep(2, receipt("late"))
    assert again.receipts(4) == [receipt("late")]
    again.forget(100)
    assert (again.batch(1), again.receipts(1), again.counts()) == (None, [], (1, 0))
    again.confirm(3, b"word")
    again.forget(100)  # the newest stays: nothing may be signed for its epoch again
    again.close()
    last = ReceiptStore(tmp_path / "r")
    assert sealed(last, 3) == []
    assert sealed(last, 4) == [(4, b"late final")]
    last.close()


def test_what_a_full_disk_does_not_take_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt_store, "MAXIMUM_WAITING", 3)
    store = ReceiptStore(tmp_path / "r")
    store.keep(1, receipt("before"))
    pages = store._database.execute("PRAGMA page_count").fetchone()[0]
    store._database.execute(f"PRAGMA max_page_count = {pages}").close()
    for number in range(5):
        store.keep(1, StoredReceipt(bytes((number,)), bytes((number,)) * 4000, b"s" * 64, 1))
    assert "full" in store.problem
    assert store.lost == 2
    with pytest.raises(StorageError, match="full"):
        store.seal(1, [], make)
    assert store.unconfirmed() == []
    store._database.execute("PRAGMA max_page_count = 100000").close()
    store.keep(1, receipt("after"))
    assert store.problem == ""
    assert [one.record[:1] for one in store.receipts(1)] == [b"b", b"\x03", b"\x04", b"a"]
    store.close()


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt_store, "MAXIMUM_KEPT", 10)
    store = ReceiptStore(tmp_path / "r")
    for number in range(5):
        store.keep(1, receipt(f"{number}"))
    sealed(store, 1)
    store.confirm(1, b"word")
    for number in range(5, 12):
        store.keep(2, receipt(f"{number}"))
    assert (store.receipts(1), len(store.receipts(2)), store.lost) == ([], 7, 0)
    for number in range(12, 16):
        store.keep(2, receipt(f"{number}"))
    assert store.lost == 11
    store.close()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(b"this is no database" * 100)
    with pytest.raises(StorageError, match="Move the file away"):
        ReceiptStore(tmp_path / "r")


def test_a_file_of_another_version_is_left_as_it_is_and_named(tmp_path: Path) -> None:
    store = ReceiptStore(tmp_path / "r")
    store.keep(1, receipt("one"))
    store.close()
    database = sqlite3.connect(tmp_path / "r")
    database.execute("PRAGMA user_version = 7")
    database.close()
    for _ in range(2):
        with pytest.raises(StorageError, match="Start that version until the server has confirmed them, or move"):
            ReceiptStore(tmp_path / "r")
    database = sqlite3.connect(tmp_path / "r")
    assert database.execute("SELECT count(*) FROM receipts").fetchone() == (1,)
    database.close()


DYING = """
import os, signal, sys
from pathlib import Path
from engine.storage.receipt_store import ReceiptStore, StoredBatch, StoredReceipt

left = int(sys.argv[2])
def count(_statement):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

store = ReceiptStore(Path(sys.argv[1]))
store._database.set_trace_callback(count)
def make(epoch, receipts):
    return StoredBatch(epoch, os.urandom(8), b"|".join(one.record for one in receipts), b"s" * 64)
for number in range(4):
    for text in (b"checkpoint", b"final"):
        name = b"%d" % number
        store.keep(number // 2, StoredReceipt(name, name + b" " + text, b"s" * 64, 1))
        print(number, text.decode(), flush=True)  # as it is sent to the client
    if number % 2:
        store.seal(number // 2, [], make)
        for batch in store.unconfirmed():
            print("submitted", batch.epoch, batch.record.decode(), flush=True)
            store.confirm(batch.epoch, b"word")
print("done", flush=True)
"""


@pytest.mark.timeout(180)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_death_at_any_statement_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    for step in range(200):
        path = tmp_path / f"{step}"
        told = subprocess.run(
            [sys.executable, "-c", DYING, str(path), str(step)], capture_output=True, text=True, check=False
        )
        assert not told.stderr, told.stderr
        lines = told.stdout.splitlines()
        sent = [line.rpartition(" ")[0] for line in lines if line.endswith("final") and line[0].isdigit()]
        submitted = {line.split(" ", 2)[1]: line.split(" ", 2)[2] for line in lines if line.startswith("submitted")}
        store = ReceiptStore(path)
        store.seal(9, [], make)
        counted: list[str] = []
        for epoch in range(3):
            batch = store.batch(epoch)
            if batch is not None:
                text = batch.record.decode()
                assert submitted.get(str(epoch), text) == text, "another batch than the one that was sent"
                counted += [part.split(" ")[0] for part in text.split("|")]
        assert len(counted) == len(set(counted)), f"counted twice after statement {step}"
        assert set(sent) <= set(counted), f"lost after statement {step}"
        store.close()
        if lines[-1:] == ["done"]:
            break
    assert lines[-1:] == ["done"]
    assert step > 40


def test_two_stores_do_not_disturb_each_other_for_long(tmp_path: Path) -> None:
    """The log is brought to the disk over another connection while answers are written down."""
    store = ReceiptStore(tmp_path / "r")
    for number in range(50):
        store.keep(1, receipt(f"{number}"))
        store.flush()
    other = sqlite3.connect(tmp_path / "r")
    assert other.execute("SELECT count(*) FROM receipts").fetchone() == (50,)
    other.close()
    store.close()
