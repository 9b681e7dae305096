"""``gentorrent bench sida``: what cutting a message into cloves and joining them costs, and sealing it, apart."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

from engine import __version__
from engine.bench.charts import draw_bars
from engine.bench.machine import commit, describe_machine
from engine.bench.other_programs import OtherPrograms
from engine.bench.storing import disturbance, make_page, store_results, table
from engine.crypto.sealing import SealingKey, seal
from engine.crypto.sida import join, split
from engine.wire import SUITE_HPKE_MLKEM768_X25519, SUITE_HPKE_X25519

SIZES = (1024, 4096, 16384)
N, K = 4, 3
PUBLISHED_MS = {1024: (0.142, 0.08), 4096: (0.325, 0.29), 16384: (0.612, 0.66)}
"""Split and join of the paper's C++ code built with -O2, measured on another day on this class of machine."""
SUITES = {SUITE_HPKE_X25519: "X25519", SUITE_HPKE_MLKEM768_X25519: "ML-KEM-768 + X25519"}
_CALLS = 20
METHOD = f"""
A message of random bytes is split for n = {N}, k = {K} ({N} cloves, any {K} suffice) and joined again: a fresh key, the
message sealed under it with ChaCha20-Poly1305, a Reed-Solomon code over the ciphertext, the key shared after Shamir.
*join* is the median of the slowest set of {K} cloves. Each sample is the mean of {_CALLS} calls; sizes and operations
take turns, so that a disturbance meets all of them. HPKE, which seals the message to the model node before it is
split, is apart. The published numbers are those of the C++ code of the paper (arXiv 2504.20101), which were measured
once on this class of machine and are constants here.
"""


def run(*, quick: bool) -> dict[str, Any]:
    """Measure; the documented keys and more."""
    machine = describe_machine()
    others = OtherPrograms()
    samples = _measure(_works(), rounds=40 if quick else 400)
    ms: dict[str, dict[str, float]] = {}
    hpke: dict[str, dict[str, float]] = {}
    for size in SIZES:
        joins = [name for name in samples if name[:2] == (size, "join")]
        ms[str(size)] = {
            "split": _median(samples[size, "split", ""]),
            "join": max(_median(samples[name]) for name in joins),
        }
        hpke[str(size)] = {
            f"{what} {suite}": _median(samples[size, what, suite])
            for suite in SUITES.values()
            for what in ("seal", "open")
        }
    return {
        "machine": machine,
        "versions": {"gentorrent": __version__, "commit": commit(Path(__file__).resolve().parents[2])},
        "ms": ms,
        "published_ms": {str(size): {"split": one, "join": other} for size, (one, other) in PUBLISHED_MS.items()},
        "hpke_ms": hpke,
        "clove_bytes": {str(size): len(split(bytes(size), N, K, os.urandom)[0]) for size in SIZES},
        "spread_ms": {
            f"{size} {what} {which}".strip(): [round(min(times), 5), round(max(times), 5)]
            for (size, what, which), times in samples.items()
        },
        "other_programs": others.share(),
        "quick": quick,
    }


def as_text(results: dict[str, Any]) -> str:
    """What is printed."""
    rows = []
    for size in SIZES:
        ours, theirs = results["ms"][str(size)], results["published_ms"][str(size)]
        ratios = [f"{theirs[what] / ours[what]:.1f}" for what in ("split", "join")]
        rows.append([size, ours["split"], theirs["split"], ratios[0], ours["join"], theirs["join"], ratios[1]])
    head = ["bytes", "split, ms", "published", "times as fast", "join, ms", "published", "times as fast"]
    suites = [f"{what} {suite}" for suite in SUITES.values() for what in ("seal", "open")]
    sealing = [[size, *(results["hpke_ms"][str(size)][name] for name in suites)] for size in SIZES]
    named = ["HPKE, bytes", *(f"{name}, ms" for name in suites)]
    return "\n".join([*table(head, rows), "", *table(named, sealing), *disturbance(results)])


def store(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write sida.json, sida.md and sida.svg."""
    groups = []
    for size in SIZES:
        ours, theirs = results["ms"][str(size)], results["published_ms"][str(size)]
        groups += [
            (f"{what}, {size // 1024} KB", {"ours": ours[what], "published, C++": theirs[what]})
            for what in ("split", "join")
        ]
    below = f"{results['machine']['processor']}, n = {N}, k = {K}; shorter is better"
    picture = draw_bars("Milliseconds to split and join a message", groups, below, "ms")
    page = make_page(
        "S-IDA: splitting and joining messages",
        "bench sida",
        "sida.svg",
        results,
        findings=as_text(results).splitlines(),
        method=METHOD,
    )
    return store_results("sida", results, page, picture, folder)


Work = tuple[int, str, str]


def _works() -> dict[Work, Callable[[], object]]:
    works: dict[Work, Callable[[], object]] = {}
    for size in SIZES:
        message = os.urandom(size)
        cloves = split(message, N, K, os.urandom)
        works[size, "split", ""] = partial(split, message, N, K, os.urandom)
        for chosen in combinations(range(N), K):
            some = {index: cloves[index] for index in chosen}
            works[size, "join", ",".join(map(str, chosen))] = partial(join, some, N, K)
        for number, suite in SUITES.items():
            key = SealingKey.generate(number)
            sealed = seal(number, key.public, message, b"bench")
            works[size, "seal", suite] = partial(seal, number, key.public, message, b"bench")
            works[size, "open", suite] = partial(key.open, sealed, b"bench")
    return works


def _measure(works: dict[Work, Callable[[], object]], rounds: int) -> dict[Work, list[float]]:
    """Milliseconds of one call, a number for each round; a first round only warms up."""
    samples: dict[Work, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, call in works.items():
            begin = time.perf_counter()
            for _ in range(_CALLS):
                call()
            if number:
                samples[name].append((time.perf_counter() - begin) * 1000 / _CALLS)
    return samples


def _median(times: list[float]) -> float:
    return round(statistics.median(times), 5)
