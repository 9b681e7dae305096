"""``gentorrent simulate anonymity``: everything that is computed, put together."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import GenTorrentError
from engine.simulation.anonymity import exposure, published, signaling
from engine.simulation.anonymity.network import make_network

FRACTIONS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.5)
SIZES = (96, 1_000, 10_000)
N, K, LENGTH = 4, 3, 3
CURVES = Path(__file__).resolve().parents[3] / "docs" / "benchmarks" / "data"


@dataclass(frozen=True)
class Amount:
    """Trials of the drawing by size of the network, and senders that are looked for."""

    trials: Mapping[int, int]
    senders: int


FULL = Amount({96: 20_000, 1_000: 4_000, 10_000: 200}, 200)
QUICK = Amount({96: 1_000, 1_000: 300, 10_000: 20}, 15)


def run(*, quick: bool, seed: int, say: Callable[[str], None], curves: Path = CURVES) -> dict[str, Any]:
    """Compute everything; the same ``seed`` gives the same numbers. Needs the curves, which a checkout has."""
    amount = QUICK if quick else FULL
    networks = [_network(size, amount, seed, say) for size in SIZES]
    return {
        "published": {str(f): _published(f) for f in FRACTIONS},
        "ours": {str(f): _ours(f, networks) for f in FRACTIONS},
        "others": {str(f): _others(f) for f in FRACTIONS},
        "deviation": _deviation(curves),
        "adversaries": {str(f): _adversaries(f) for f in FRACTIONS},
        "networks": networks,
        "parameters": {"n": N, "k": K, "path_length": LENGTH, "guards": exposure.GUARDS, "chats": signaling.CHATS},
        "seed": seed,
        "quick": quick,
    }


def _published(f: float) -> dict[str, float]:
    """What PlanetServe deploys, n = 4 and l = 3, by its own formula; without single nodes' ignorance of each other."""
    return {
        "anonymity": round(published.anonymity(N, LENGTH, f), 5),
        "confidentiality": round(published.confidentiality(N, K, LENGTH, f), 5),
    }


def _others(f: float) -> dict[str, float]:
    """The other published curves, by their formulas."""
    return {
        "PlanetServe, l = 4": round(published.anonymity(*published.PLANETSERVE, f), 5),
        "Garlic Cast, l = 4": round(published.anonymity(*published.GARLIC_CAST, f, across_paths=True), 5),
        "Onion, one path of 5": round(published.anonymity(*published.ONION, f), 5),
    }


def _ours(f: float, networks: list[dict[str, Any]]) -> dict[str, float]:
    """The published metric for our paths against the worst of the strategies of refusal.

    Without refusals the expectation is exact: the relays of a chat's paths are all different and each is hostile on its
    own, so the formula holds on every graph. A strategy of refusal counts when it is worse beyond chance (by three
    standard errors).
    """
    exact = published.anonymity(N, LENGTH, f)
    drawn = [found for one in networks for found in one["exposure"][str(f)]]
    worse = [found["anonymity"] for found in drawn if found["anonymity"] + 3 * found["standard_error"] < exact]
    return {
        "anonymity": round(min([exact, *worse]), 5),
        "confidentiality": 1.0,
        "cloves_gathered": round(published.gathered(N, K, LENGTH, f), 5),
    }


def _adversaries(f: float) -> dict[str, float]:
    """Share of answers (and chats: a chat keeps its paths) in which the sender is found by timing."""
    return {
        "guard_and_proxy": round(exposure.guard_and_proxy(N, f), 5),
        "guard_and_proxy_12_chats": round(exposure.guard_and_proxy(N, f, signaling.CHATS), 5),
        "guard_and_proxy_12_chats_without_guards": round(
            exposure.guard_and_proxy(N, f, signaling.CHATS, keep_guards=False), 5
        ),
        "guard_and_serving_node": round(exposure.guard_and_serving(N, f), 5),
    }


def _network(size: int, amount: Amount, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Everything about the network of ``size`` relays."""
    network = make_network(size, seed)
    generator = np.random.default_rng([seed, size])
    trials = amount.trials[size]
    kind = "mesh" if network.is_mesh else "48 rings"
    found: dict[str, list[dict[str, Any]]] = {}
    for f in FRACTIONS:
        found[str(f)] = [
            {"refusal": refusal, **_rounded(asdict(exposure.simulate(network, f, refusal, trials, generator)))}
            for refusal in exposure.REFUSALS
            if refusal != "never"
        ]
        say(f"{size} relays, {kind}: f = {f}, {trials} chats with each kind of refusal")
    suspicion = signaling.simulate(network, amount.senders, generator)
    say(f"{size} relays, {kind}: serving node with the log of links, {amount.senders} senders")
    return {
        "relays": size,
        "graph": kind,
        "trials": trials,
        "exposure": found,
        "serving_node_with_log": {
            "clients": signaling.CLIENTS,
            "senders": amount.senders,
            "entropy": [round(value, 4) for value in suspicion.entropy],
            "named": [round(value, 4) for value in suspicion.named],
        },
    }


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 5) if isinstance(value, float) else value for name, value in values.items()}


def _deviation(folder: Path) -> dict[str, float]:
    """The largest absolute difference between each published curve and its formula."""
    anonymity = _read(folder / "planetserve-anonymity.csv")
    confidentiality = _read(folder / "planetserve-confidentiality.csv")
    lengths = published.CONFIDENTIALITY_LENGTHS
    formulas: dict[str, Callable[[float], float]] = {
        "PlanetServe": partial(published.anonymity, *published.PLANETSERVE),
        "Garlic Cast": partial(published.anonymity, *published.GARLIC_CAST, across_paths=True),
        "Onion": partial(published.anonymity, *published.ONION),
    }
    off = {f"anonymity, {name}": _largest(anonymity, name, formula) for name, formula in formulas.items()}
    for name, length in lengths.items():
        together, alone = f"{name} (no SNP)", f"{name} (SNP)"
        formula = partial(published.confidentiality, N, K, length)
        off[f"confidentiality, {together}"] = _largest(confidentiality, together, formula)
        formula = partial(published.confidentiality_alone, N, K, length)
        off[f"confidentiality, {alone}"] = _largest(confidentiality, alone, formula)
    return off


def _largest(rows: list[dict[str, str]], name: str, formula: Callable[[float], float]) -> float:
    return float(f"{max(abs(float(row[name]) - formula(float(row['f']))) for row in rows):.2g}")


def _read(file: Path) -> list[dict[str, str]]:
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))
    except OSError as error:
        raise GenTorrentError(
            f"The published curves cannot be read from {file} ({error.strerror}). They are part of a checkout of "
            "GenTorrent, not of an installed package: run this command there."
        ) from error
