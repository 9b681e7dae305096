"""Where control groups are, by recorded mounts; what is written into them; and that none is left behind."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from engine.bench.forwarding import janitor, quotas
from engine.bench.forwarding.quotas import PREFIX, Controller, Quotas, find_controller, find_controllers, sweep, usable

VERSION_1 = """\
proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0
tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0
cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0
cgroup /sys/fs/cgroup/cpuacct cgroup rw,relatime,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
"""
TOGETHER = "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,nodev,noexec,relatime,cpu,cpuacct 0 0\n"
VERSION_2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot 0 0\n"
DEAD = 2**22 + 1
"""More than any process id."""


def test_controllers_by_recorded_mounts():
    root = Path("/sys/fs/cgroup")
    assert find_controllers(VERSION_1) == [Controller(1, root / "cpu"), Controller(2, root / "unified")]
    assert find_controllers(TOGETHER) == [Controller(1, root / "cpu,cpuacct")]
    assert find_controllers(VERSION_2) == [Controller(2, root)]
    assert find_controllers("cgroup /a\\040b cgroup rw,cpu 0 0\nbroken line\n\n") == [Controller(1, Path("/a b"))]
    assert find_controllers("") == []


def test_what_is_written_for_a_share():
    assert Controller(2, Path("/x")).settings(0.4) == {"cpu.weight": "10000", "cpu.max": "8000 20000"}
    assert list(Controller(1, Path("/x")).settings(1.5).items()) == [
        ("cpu.shares", "262144"),
        ("cpu.cfs_period_us", "20000"),
        ("cpu.cfs_quota_us", "30000"),
    ]
    assert Controller(2, Path("/x")).settings(0.001)["cpu.max"] == "1000 20000"  # the kernel takes no less
    assert Controller(2, Path("/x")).settings(None) == {"cpu.weight": "10000", "cpu.max": "max 20000"}
    assert Controller(1, Path("/x")).settings(None) == {"cpu.shares": "262144"}


def test_why_there_are_no_quotas(tmp_path):
    assert find_controller("") == (None, "no cpu controller of control groups is mounted")
    missing = tmp_path / "missing"
    found, why = find_controller(f"cgroup {missing} cgroup rw,cpu 0 0\n")
    assert found is None
    assert str(missing) in why
    (tmp_path / "cgroup.subtree_control").write_text("memory pids\n")
    assert "no cpu controller" in usable(Controller(2, tmp_path))
    assert list(tmp_path.iterdir()) == [tmp_path / "cgroup.subtree_control"]


def test_a_process_and_its_children_get_their_share(tmp_path):
    with Quotas(Controller(2, tmp_path), tmp_path / "none") as groups:
        groups.limit("node-1", os.getpid(), 0.25)
        group = tmp_path / f"{PREFIX}{os.getpid()}-node-1"
        assert (group / "cpu.max").read_text() == "5000 20000"
        assert int((group / "cgroup.procs").read_text()) in {os.getpid(), *(one.pid for one in _children())}
        (group / "cpu.stat").write_text("nr_periods 8\nnr_throttled 2\nthrottled_usec 5\n")
        assert groups.throttled("node-1") == 0.25
        assert groups.throttled("node-2") == 0.0
        for file in group.iterdir():  # a control group's files go with it
            file.unlink()
        groups.remove("node-1")
        assert not group.exists()


def _children():
    return psutil.Process().children(recursive=True)


def test_without_a_controller_nothing_happens(tmp_path):
    with Quotas(None, tmp_path / "run") as groups:
        groups.limit("node-1", os.getpid(), 0.25)
        assert groups.throttled("node-1") == 0.0
        groups.remove("node-1")


def test_groups_of_runs_that_are_gone_are_removed(tmp_path):
    for name in (f"{PREFIX}{DEAD}-node-1", f"{PREFIX}{os.getpid()}-node-1", f"{PREFIX}what-ever", "other"):
        (tmp_path / name).mkdir()
    assert sweep(tmp_path, psutil.pids()) == [f"{PREFIX}{DEAD}-node-1"]
    assert {one.name for one in tmp_path.iterdir()} == {f"{PREFIX}{os.getpid()}-node-1", f"{PREFIX}what-ever", "other"}


def test_the_janitor_cleans_up_when_its_parent_is_gone(tmp_path):
    run, root = tmp_path / "run", tmp_path / "groups"
    (run / "node-1").mkdir(parents=True)
    (run / "node-1" / "engine.lock").write_text("{}")
    for name in (f"{PREFIX}{DEAD}-node-1", f"{PREFIX}{DEAD}-node-2", f"{PREFIX}{DEAD + 1}-node-1"):
        (root / name).mkdir(parents=True)
    command = [sys.executable, "-m", janitor.__name__, str(run), str(root / f"{PREFIX}{DEAD}-")]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert run.exists()
        process.stdin.close()
        assert process.wait(30) == 0
    assert not run.exists()
    assert [one.name for one in root.iterdir()] == [f"{PREFIX}{DEAD + 1}-node-1"]


def test_what_stays_in_a_group_is_ended_and_a_group_that_stays_is_left(tmp_path, monkeypatch):
    now, ended = [0.0], []
    monkeypatch.setattr(os, "kill", lambda pid, number: ended.append(pid))

    def sleep(seconds):
        now[0] += seconds

    (tmp_path / "cgroup.procs").write_text("17\n18\n")  # not removable: a folder with a file
    assert not janitor.empty(tmp_path, lambda: now[0], sleep)
    assert set(ended) == {17, 18}
    assert janitor.PATIENCE < now[0] < 3 * janitor.PATIENCE
    assert quotas.PERIOD_US >= 10_000
