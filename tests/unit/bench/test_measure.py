"""Sweeps, turns and medians, with engines that are made up."""

from collections import defaultdict
from typing import Any

import pytest

from engine.bench.engines import BARE, ENGINES, GENAI, LLAMA, OURS, PEERS
from engine.bench.inference import Results, make_row
from engine.bench.machine import bytes_per_token
from engine.bench.measure import Meter, Samples
from engine.bench.shapes import QWEN_05B
from engine.bench.work import FULL, QUICK, Work, sweep, sweep_group, thread_counts


class MadeUp:
    """Runs at ``speed`` tokens/s for each thread; keeps what it was asked."""

    def __init__(self, name, speed, log):
        self.engine = ENGINES[name]
        self.precision = "int4"
        self.speed = speed
        self.log = log
        self.used = 0.0
        self.busy_meanwhile = 0.0

    def use(self, settings):
        self.settings = settings

    def measure(self, work):
        self.log.append((self.engine.name, work.kind, work.batch))
        return {"seconds": work.tokens / (self.speed * self.settings["threads"]), "tokens": work.tokens}

    def processor_seconds(self):
        return self.used


def meter_of(**speeds):
    log: list[tuple[str, str, int]] = []
    processes: Any = [MadeUp(name, speed, log) for name, speed in speeds.items()]
    return Meter(processes, lambda line: None), log


def one_setting(engine):
    return [{"threads": 1}]


def test_everybody_is_measured_in_each_round_and_nobody_always_begins():
    meter, log = meter_of(**{OURS: 10, GENAI: 20, LLAMA: 5})
    work = Work("decode", "int4", 8, 32, 16)
    meter.sweep([work], 1, one_setting)
    log.clear()
    samples = meter.rounds(work, 3)
    rounds = [[name for name, _, _ in log[place : place + 3]] for place in (0, 3, 6)]
    assert all(sorted(one) == sorted([OURS, GENAI, LLAMA]) for one in rounds)
    assert len({one[0] for one in rounds}) == 3
    assert samples[GENAI].median == pytest.approx(20)
    assert len(samples[OURS].values) == 3


def test_the_best_setting_of_each_group_is_taken():
    meter, _ = meter_of(**{OURS: 10})
    works = [Work("decode", "int4", 1, 32, 16), Work("decode", "int4", 8, 32, 16), Work("prefill", "int4", 1, 512, 0)]
    meter.sweep(works, 2, lambda engine: [{"threads": 1}, {"threads": 4}, {"threads": 2}])
    assert {group for _, group in meter.best} == {"decode 1", "decode many", "prefill"}
    assert all(settings == {"threads": 4} for settings in meter.best.values())
    assert [entry.settings["threads"] for entry in meter.entries if entry.chosen] == [4, 4, 4]
    assert len(meter.entries) == 9


def test_an_engine_that_works_out_of_turn_is_noticed(monkeypatch):
    meter, _ = meter_of(**{OURS: 10, GENAI: 10})
    ours, other = meter.processes
    now = iter([0.0, 2.0])
    monkeypatch.setattr("engine.bench.measure.time.perf_counter", lambda: next(now))
    ours.settings = {"threads": 1}
    used = iter([0.0, 0.5])
    other.processor_seconds = lambda: next(used)
    monkeypatch.setattr(meter, "_elsewhere", lambda: 0.0)
    meter._once(ours, Work("decode", "int4", 1, 32, 16))
    assert meter.idle_share == 0.25


def test_other_programs_are_noticed(monkeypatch):
    meter, _ = meter_of(**{OURS: 10})
    process = meter.processes[0]
    process.settings = {"threads": 1}
    now, busy = iter([0.0, 2.0]), iter([100.0, 102.5])
    used = iter([10.0, 12.0])
    process.processor_seconds = lambda: next(used)
    times = type("Times", (tuple,), {"idle": 0.0})
    monkeypatch.setattr("engine.bench.other_programs.psutil.cpu_times", lambda: times((next(busy),)))
    monkeypatch.setattr("engine.bench.measure.time.perf_counter", lambda: next(now))
    monkeypatch.setattr("engine.bench.measure.time.process_time", lambda: 0.0)
    meter._once(process, Work("decode", "int4", 1, 32, 16))
    assert meter.outside == [0.25]


def test_medians_and_spread():
    samples = Samples((3.0, 1.0, 2.0))
    assert samples.median == 2.0
    assert samples.spread == (1.0, 3.0)


def test_a_row_has_the_published_keys_and_ratios():
    samples = {
        name: Samples((speed,)) for name, speed in zip((OURS, *PEERS, BARE), (100, 80, 50, 20, 110), strict=True)
    }
    work = Work("decode", "int4", 1, 32, 32)
    row = make_row(work, samples, QWEN_05B, {"read_gb_per_s": 50.0})
    assert (row["work"], row["batch"], row["ours"]) == ("decode int4", 1, 100)
    assert row["peers"] == {"onnxruntime-genai": 80, "llama.cpp": 50, "transformers": 20}
    assert row["ratio_best_onnxruntime"] == 1.25
    assert row["ratio_llama_cpp"] == 2.0
    expected = bytes_per_token(QWEN_05B, "int4", 64) * 100 / 50e9
    assert row["share_of_memory_bandwidth"] == pytest.approx(expected, abs=1e-3)
    assert bytes_per_token(QWEN_05B, "fp32", 0) == pytest.approx(494e6 * 4, rel=0.01)


def test_what_is_stored_has_the_published_keys():
    stored = Results({}, QWEN_05B, False).as_json()
    assert {"machine", "versions", "rows", "cached_prefix_speedup", "overhead"} <= stored.keys()
    assert stored["overhead"].keys() == {"greedy", "top_k_40", "full_vocabulary"}


@pytest.mark.parametrize(("processors", "expected"), [(1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (16, [1, 2, 4, 8, 16])])
def test_threads_that_are_tried(processors, expected):
    assert thread_counts(processors) == expected


def test_every_work_has_a_sweep_and_every_engine_settings():
    for plan in (FULL, QUICK):
        for precision in ("int4", "fp32"):
            swept = {sweep_group(work) for work in plan.sweep_works(precision)}
            assert {sweep_group(work) for work in plan.works(precision)} <= swept
        for name in ENGINES:
            settings = list(sweep(name, 2, wide=plan.wide_sweep))
            assert {one["threads"] for one in settings} == {1, 2}
            assert len({repr(one) for one in settings}) == len(settings)
    assert FULL.rounds >= 5


def test_names_are_unique_for_drivers():
    modules = defaultdict(set)
    for engine in ENGINES.values():
        modules[engine.module, engine.peers_python].add(engine.name)
    assert all(len(names) == 1 for names in modules.values())
