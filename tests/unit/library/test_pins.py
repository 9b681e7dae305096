"""Pins on the disk: kept, bounded, never lost silently."""

import threading

import pytest

from engine.errors import StorageError
from engine.library.pins import MAX_MODELS, Pin, PinnedFile, Pins

FILE = PinnedFile(3, "ab" * 32, "cd" * 20)


def pin(**files):
    return Pin("hub", "a/b", "0" * 40, "mit", files)


def test_kept_over_processes(tmp_path):
    Pins(tmp_path).put("one", pin(x=FILE))
    Pins(tmp_path).put("two", pin())
    assert Pins(tmp_path).all() == {"one": pin(x=FILE), "two": pin()}
    assert Pins(tmp_path).get("one") == pin(x=FILE)
    Pins(tmp_path).drop("one")
    Pins(tmp_path).drop("never there")
    assert list(Pins(tmp_path).all()) == ["two"]


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"x":{"origin":"moon"}}', b'{"x":{"origin":"hub","files":{"a":{}}}}'])
def test_a_damaged_file_is_an_error_not_an_empty_list(tmp_path, data):
    (tmp_path / ".pins.json").write_bytes(data)
    with pytest.raises(StorageError, match="damaged"):
        Pins(tmp_path).all()
    with pytest.raises(StorageError, match="damaged"):
        Pins(tmp_path).put("one", pin())
    assert (tmp_path / ".pins.json").read_bytes() == data


def test_many_writers_at_once(tmp_path):
    def write(number):
        Pins(tmp_path).put(f"model-{number}", pin())

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Pins(tmp_path).all()) == 12


def test_bounded(tmp_path, monkeypatch):
    assert MAX_MODELS == 1000
    monkeypatch.setattr("engine.library.pins.MAX_MODELS", 2)
    pins = Pins(tmp_path)
    pins.put("a", pin())
    pins.put("b", pin())
    with pytest.raises(StorageError, match="more than 2"):
        pins.put("c", pin())
    assert list(pins.all()) == ["a", "b"]
