"""``gentorrent bench hr-tree``: what it costs to know who holds which prompt prefix, and to keep telling each other."""

from __future__ import annotations

import gc
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from engine import __version__
from engine.bench.charts import draw_bars
from engine.bench.gossip import SIZES, measure_gossip
from engine.bench.machine import commit, describe_machine
from engine.bench.other_programs import OtherPrograms
from engine.bench.storing import disturbance, make_page, store_results, table
from engine.forwarding.digests import (
    BLOCK_TOKENS,
    DIGEST_BITS,
    PUBLISHED_BITS,
    Chunk,
    chunks_of,
    pack,
    prefix_digests,
    root_digest,
)
from engine.forwarding.hr_tree import CUT_BLOCKS, HrTree, TreeLimits
from engine.forwarding.sentry import Sentry
from engine.simulation.gossip import Block

Say = Callable[[str], None]
PATHS, QUICK_PATHS = 100_000, 20_000
MEMBERS = 64
TARGETS = {"lookup_us": 50.0, "insert_us": 100.0, "bytes_per_chunk": 200.0, "full_over_delta": 10.0}
_SYSTEM_PROMPTS = 2_000
_LOOKUPS = 20_000
METHOD = f"""
A prompt is one of {_SYSTEM_PROMPTS:,} system prompts (8 to 64 blocks of {BLOCK_TOKENS} tokens, chosen by Zipf's law)
and 1 to 12 blocks of its own; each is held by one of {MEMBERS} members. A *path* is such a prompt; a *chunk* is a
node of the tree: where prompts part, where they end, and every {CUT_BLOCKS} blocks. *insert* is the time for all
chunks of one path, *lookup* for one prompt among all members, with the digests given: of stored prompts with another
end (hit), and of unknown ones (miss). Times are processor time of this process, the median of batches of 100. *hash*
is what it takes to compute the digests of 1,024 tokens. Memory is what Python allocates while the tree is built,
divided by the number of different chunks, with all books that the tree keeps. *false matches*: of prompts that nobody
holds, the share that finds somebody; computed for {DIGEST_BITS} bits (a prompt of 1,024 blocks, a million chunks) and
measured for the {PUBLISHED_BITS} bits of the published scheme.

*delta*: a member whose cache holds 6,000 blocks takes up one more prompt; bytes of its chunks in the next statement
against all that it holds.

*Gossip*: the real machines in simulated time, 50 ms between any two members. Busy: every member's load changes all
the time and it takes up a new public prompt every three seconds. Quiet: nothing happens. Bytes are those of all
messages, as they are sent, per member and second; *age* is how old the newest statement of another member is, over
all pairs. The first seconds, in which everybody joins at once, are left out.
"""


def run(*, quick: bool, say: Say) -> dict[str, Any]:
    """Measure; the documented keys and more."""
    say("measuring the machine")
    machine = describe_machine()
    others = OtherPrograms()
    paths = QUICK_PATHS if quick else PATHS
    say(f"measuring: a tree of {paths:,} paths")
    tree = _measure_tree(paths)
    say("measuring: deltas and false matches")
    results = {
        "machine": machine,
        "versions": {"gentorrent": __version__, "commit": commit(Path(__file__).resolve().parents[2])},
        "targets": TARGETS,
        "paths": paths,
        "members": MEMBERS,
        **tree,
        "delta": _measure_delta(),
        "false_matches": {
            "measured_8_bits": _false_matches(PUBLISHED_BITS, 2_000),
            "measured_64_bits": _false_matches(DIGEST_BITS, 2_000),
            "computed_64_bits": 1_024 * 10**6 / 2**DIGEST_BITS,
        },
    }
    sizes = SIZES[:3] if quick else SIZES
    results["gossip"] = [measure_gossip(size, busy=busy, say=say) for size in sizes for busy in (True, False)]
    return {**results, "other_programs": others.share(), "quick": quick}


class _Prompts:
    """Prompts that share system prompts; their digests are random, as SHA-256's are."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._systems = [self._blocks(self._random.randrange(8, 65)) for _ in range(_SYSTEM_PROMPTS)]

    def _blocks(self, count: int) -> tuple[bytes, ...]:
        return tuple(self._random.randbytes(32) for _ in range(count))

    def next(self) -> tuple[tuple[Chunk, ...], tuple[Chunk, ...]]:
        """The names of all prefixes of a prompt, and its chunks."""
        place = min(int(self._random.paretovariate(0.5)) - 1, _SYSTEM_PROMPTS - 1)
        system = self._systems[place]
        names = chunks_of((*system, *self._blocks(self._random.randrange(1, 13))))
        ends = {len(system), len(names)}
        return names, tuple(one for depth, one in enumerate(names, 1) if depth in ends or depth % CUT_BLOCKS == 0)

    def like(self, names: Sequence[Chunk]) -> tuple[Chunk, ...]:
        """A prompt with the same beginning and another end."""
        kept = names[: max(1, len(names) - 3)]
        return (*kept, *chunks_of((*self._blocks(len(kept)), *self._blocks(6)))[len(kept) :])


def _measure_tree(paths: int) -> dict[str, Any]:
    limits = TreeLimits(member=1 << 17, total=1 << 23)  # what a member may hold is not what is measured
    prompts = _Prompts(1)
    made = [prompts.next() for _ in range(paths)]
    owners = [prompts._random.randrange(MEMBERS) for _ in made]
    gc.collect()
    tree = _new_tree(limits)
    works = [partial(tree.apply, owner, chunks) for (_, chunks), owner in zip(made, owners, strict=True)]
    insert = _microseconds(works)
    chosen = [made[prompts._random.randrange(paths)][0] for _ in range(min(_LOOKUPS, paths))]
    hits = [prompts.like(names) for names in chosen]
    misses = [chunks_of(prompts._blocks(len(names))) for names in chosen[:2_000]]
    found = [len(tree.lookup(names)) for names in hits[:2_000]]
    lookup = _microseconds([partial(tree.lookup, names) for names in hits])
    miss = _microseconds([partial(tree.lookup, names) for names in misses])
    root, ids = root_digest(bytes(32), bytes(32)), tuple(range(1_024))
    hashing = _microseconds([partial(prefix_digests, root, ids, 1_024)] * 2_000)
    del tree, works
    bytes_, chunks, pairs = _measure_memory(made, owners, limits)
    return {
        "insert_us": insert,
        "lookup_us": lookup,
        "lookup_miss_us": miss,
        "hash_1024_tokens_us": hashing,
        "chunks": chunks,
        "member_chunks": pairs,
        "bytes_per_chunk": round(bytes_ / chunks, 1),
        "blocks_per_prompt": round(statistics.fmean(len(names) for names, _ in made[:5_000]), 1),
        "holders_per_lookup": round(statistics.fmean(found), 1),
    }


def _new_tree(limits: TreeLimits) -> HrTree[int]:
    tree: HrTree[int] = HrTree(limits)
    for member in range(MEMBERS):
        tree.add_member(member)
    return tree


def _measure_memory(
    made: Sequence[tuple[tuple[Chunk, ...], tuple[Chunk, ...]]], owners: Sequence[int], limits: TreeLimits
) -> tuple[int, int, int]:
    """Bytes of the tree, different chunks, and chunks of all members together."""
    gc.collect()
    tracemalloc.start()
    try:
        tree = _new_tree(limits)
        for (_, chunks), owner in zip(made, owners, strict=True):
            tree.apply(owner, [_copied(chunk) for chunk in chunks])
        gc.collect()
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    return used, len(tree), sum(tree.count(member) for member in range(MEMBERS))


def _copied(chunk: Chunk) -> Chunk:
    """A number of its own: what the tree keeps counts as the tree's."""
    return Chunk(int.from_bytes(chunk.to_bytes(10, "big"), "big"))


def _microseconds(works: Sequence[Callable[[], object]], batch: int = 100) -> dict[str, float]:
    """Processor time of one call: median and 99th percentile of batches."""
    times = []
    for begin in range(0, len(works), batch):
        part = works[begin : begin + batch]
        before = time.process_time_ns()
        for work in part:
            work()
        times.append((time.process_time_ns() - before) / 1_000 / len(part))
    times.sort()
    return {"median": round(statistics.median(times), 2), "p99": round(times[int(len(times) * 0.99)], 2)}


def _measure_delta() -> dict[str, float]:
    source = random.Random(2)
    sentry = Sentry()

    def insert(blocks: int) -> None:
        digests = [source.randbytes(32) for _ in range(blocks)]
        sentry.apply([Block(True, digests[:depth]) for depth in range(1, blocks + 1)])

    for _ in range(150):
        insert(40)
    sentry.take(1 << 20, 1 << 20)
    full = len(pack(sentry.told))
    insert(40)
    delta = sentry.take(1 << 20, 1 << 20)
    told = len(pack(delta.added)) + len(pack(delta.removed))
    return {"full_bytes": full, "delta_bytes": told, "full_over_delta": round(full / told, 1)}


def _false_matches(bits: int, prompts: int) -> float:
    source = random.Random(3)
    tree: HrTree[int] = HrTree(bits=bits)
    tree.add_member(0)
    for _ in range(1_000):
        names = chunks_of([source.randbytes(32) for _ in range(16)], bits)
        tree.apply(0, [names[7], names[15]])
    found = sum(bool(tree.lookup(chunks_of([source.randbytes(32) for _ in range(16)], bits))) for _ in range(prompts))
    return round(found / prompts, 4)


def as_text(results: dict[str, Any]) -> str:
    """What is printed."""
    target, delta, false = results["targets"], results["delta"], results["false_matches"]
    times = (
        ("lookup, us", "lookup_us", f"<= {target['lookup_us']:.0f}"),
        ("lookup of what nobody holds, us", "lookup_miss_us", ""),
        ("insert a path, us", "insert_us", f"<= {target['insert_us']:.0f}"),
        ("hash 1,024 tokens, us", "hash_1024_tokens_us", ""),
    )
    rows = [[words, results[name]["median"], results[name]["p99"], wanted] for words, name, wanted in times]
    rows += [
        ["bytes per stored chunk", results["bytes_per_chunk"], "", f"<= {target['bytes_per_chunk']:.0f}"],
        ["full state / delta, bytes", delta["full_over_delta"], "", f">= {target['full_over_delta']:.0f}"],
    ]
    gossip = [
        [
            f"{one['members']} {'busy' if one['busy'] else 'quiet'}",
            one["bytes_per_member_per_s"],
            one["statement_bytes"],
            one["offer_bytes"],
            one["age_s"]["mean"],
            one["age_s"]["p99"],
            f"{one['known_share']:.2%}",
        ]
        for one in results["gossip"]
    ]
    return "\n".join(
        [
            f"{results['paths']:,} paths of {results['members']} members, {results['chunks']:,} different chunks,",
            f"prompts of {results['blocks_per_prompt']} blocks on average; a look-up finds",
            f"{results['holders_per_lookup']} members on average.",
            "",
            *table(["tree", "median", "99 %", "target"], rows),
            "",
            f"- One more prompt in a cache of 6,000 blocks: {delta['delta_bytes']} bytes are told, not",
            f"  {delta['full_bytes']:,}.",
            f"- False matches: {false['measured_8_bits']:.0%} of unknown prompts with the published 8 bits,",
            f"  {false['measured_64_bits']:.0%} of 2,000 with 64; {false['computed_64_bits']:.0e} computed at a",
            "  million chunks.",
            "",
            *table(
                ["members", "bytes/s each", "statements", "offers", "age, s", "age 99 %", "pairs known"],
                gossip,
            ),
            *disturbance(results),
        ]
    )


def store(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write hr-tree.json, hr-tree.md and hr-tree.svg."""
    target = results["targets"]
    groups: list[tuple[str, dict[str, float]]] = [
        ("lookup, us", {"measured": results["lookup_us"]["median"], "target": target["lookup_us"]}),
        ("insert a path, us", {"measured": results["insert_us"]["median"], "target": target["insert_us"]}),
        ("bytes per chunk", {"measured": results["bytes_per_chunk"], "target": target["bytes_per_chunk"]}),
        *(
            (f"{one['members']} members, KB/s each", {"busy": one["bytes_per_member_per_s"] / 1e3})
            for one in results["gossip"]
            if one["busy"]
        ),
    ]
    below = f"{results['paths']:,} paths, {results['machine']['processor']}; each group has a scale of its own"
    page = make_page(
        "The HR-tree and its gossip",
        "bench hr-tree",
        "hr-tree.svg",
        results,
        findings=as_text(results).splitlines(),
        method=METHOD,
    )
    return store_results("hr-tree", results, page, draw_bars("Who holds which prefix", groups, below, ""), folder)
