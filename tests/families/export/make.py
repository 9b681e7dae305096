"""Make the tiny models of every family, their graphs in both styles and their golden logits anew (make check-torch).

    python -m tests.families.export.make [FAMILY ...]

Everything is made in `.work/families` by the environments that tools/torch_environment.py sets up. Every fp32 graph
must give PyTorch's logits (one pass, in chunks, token by token) before it replaces the committed one. Golden numbers
that changed are named; ones that differ by less than 1e-6 stay as committed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.families.export.families import FAMILIES
from tests.families.plain import PlainModel, golden_sequences

ROOT = Path(__file__).resolve().parents[3]
WORK = ROOT / ".work" / "families"
MODELS = ROOT / "tests" / "families" / "models"
GOLDEN = ROOT / "tests" / "families" / "golden"
LARGEST_DIFFERENCE = 5e-5
SAME = 1e-6
NESTED = {"int4": "cpu_and_mobile/cpu-int4-rtn-block-32-acc-level-4", "fp16": "cuda/cuda-fp16"}
CONFIGURATION = ("config.json", "generation_config.json")
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def main(names: list[str]) -> int:
    """Make, check and put in place; 1 if a golden file changed."""
    names = names or list(FAMILIES)
    for name in names:
        shutil.rmtree(WORK / name, ignore_errors=True)
    run(".venv-optimum", "concatenated", str(WORK), *names)
    run(".venv-torch", "grouped", str(WORK), *names)
    if "qwen2" in names:
        run(".venv-torch", "quantized", str(WORK))
    changed = []
    for name in names:
        check(name)
        install(name)
        if not keep_golden(name):
            changed.append(name)
    if changed:
        print(f"[families] the golden logits of {', '.join(changed)} changed: look at the difference, then commit it.")
    else:
        print(f"[families] the golden logits of {', '.join(names)} are those committed; the graphs give them.")
    return 1 if changed else 0


def run(environment: str, script: str, *arguments: str) -> None:
    """One script of this folder with another environment's Python."""
    python = ROOT / environment / "bin" / "python"
    if not python.exists():
        raise SystemExit(f"There is no {environment}: run 'make check-torch', which makes it.")
    command = [str(python), "-W", "ignore", "-m", f"tests.families.export.{script}", *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{done.stderr[-4000:]}\n{script} failed in {environment}.")


def check(name: str) -> None:
    """Both fp32 graphs against PyTorch's logits."""
    for style in ("gqa", "concat", *(("positions",) if name == "llama" else ())):
        model = PlainModel(WORK / name / style / "model.onnx", WORK / name / "checkpoint" / "config.json")
        for ids, places, wanted in golden_sequences(WORK / name / "golden.npz"):
            for chunk in (len(ids), 13, 1):
                difference = np.abs(model.logits(ids, chunk)[places] - wanted).max()
                if not difference <= LARGEST_DIFFERENCE:
                    raise SystemExit(f"{name}, {style}: {len(ids)} tokens by {chunk} differ by {difference}")


def install(name: str) -> None:
    """Lay the files out as repositories do."""
    source, checkpoint = WORK / name, WORK / name / "checkpoint"
    place(MODELS / f"{name}-concat", (checkpoint, "", (*CONFIGURATION, *TOKENIZER)), (source / "concat", "onnx", None))
    place(MODELS / f"{name}-gqa", (checkpoint, "", CONFIGURATION), (source / "gqa", "", None))
    if name == "qwen2":
        whole = (checkpoint, "", (*CONFIGURATION, *TOKENIZER))
        place(MODELS / "qwen2-variants", whole, (source / "variants", "onnx", None))
    if name == "phi3":
        parts = [(source / kind, folder, None) for kind, folder in NESTED.items()]
        configurations = [(checkpoint, folder, CONFIGURATION) for folder in NESTED.values()]
        place(MODELS / "phi3-nested", *parts, *configurations)
    for made, family in (("windowed", "gemma3"), ("positions", "llama")):
        if name == family:
            place(MODELS / f"{name}-{made}", (checkpoint, "", CONFIGURATION), (source / made, "", None))


def place(target: Path, *parts: tuple[Path, str, tuple[str, ...] | None]) -> None:
    """Copy (folder, place in the target, names) into a fresh folder; names None: the graph, and of a builder's output
    everything."""
    shutil.rmtree(target, ignore_errors=True)
    for source, below, names in parts:
        folder = target / below
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(source.iterdir()):
            wanted = path.name in names if names is not None else below != "onnx" or ".onnx" in path.name
            if wanted and path.is_file():
                shutil.copyfile(path, folder / path.name)


def keep_golden(name: str) -> bool:
    """True if the committed numbers still hold; else the new ones take their place."""
    new, committed = WORK / name / "golden.npz", GOLDEN / f"{name}.npz"
    if committed.exists():
        old, fresh = np.load(committed), np.load(new)
        same_form = set(old) == set(fresh) and all(old[key].shape == fresh[key].shape for key in old)
        if same_form and all(np.abs(old[key] - fresh[key]).max() <= SAME for key in old):
            return True
    GOLDEN.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(new, committed)
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
