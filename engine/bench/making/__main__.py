"""``python -m engine.bench.making SHAPE FOLDER``: everything that is missing of one shape's model files."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from engine.bench.shapes import SHAPES, Shape


def main() -> None:
    """Make what is missing; a part that was cut off is made again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=sorted(SHAPES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cuda", action="store_true", help="also fp16 and int4 graphs for CUDA")
    options = parser.parse_args()
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    make_models(SHAPES[options.shape], options.folder, cuda=options.cuda)


def make_models(shape: Shape, folder: Path, *, cuda: bool = False) -> None:
    """``folder`` gets checkpoint/, onnx-int4/, onnx-fp32/, f32.gguf and q4_0.gguf."""
    from engine.bench.making.checkpoint import make_checkpoint
    from engine.bench.making.gguf_files import make_gguf, quantise
    from engine.bench.making.onnx_graphs import make_onnx

    checkpoint = folder / "checkpoint"
    _make(checkpoint, lambda place: make_checkpoint(shape, place))
    for precision in ("int4", "fp32"):
        _make(folder / f"onnx-{precision}", partial(make_onnx, checkpoint, precision=precision, provider="cpu"))
    for precision in ("int4", "fp16") if cuda else ():
        _make(folder / f"cuda-{precision}", partial(make_onnx, checkpoint, precision=precision, provider="cuda"))
    _make(folder / "f32.gguf", lambda place: make_gguf(shape, checkpoint, place))
    _make(folder / "q4_0.gguf", lambda place: quantise(folder / "f32.gguf", place))


def _make(target: Path, make: Callable[[Path], None]) -> None:
    """``make`` writes beside ``target``, which gets its name when it is complete."""
    if target.exists():
        return
    print(f"[bench] making {target.name} ...", flush=True)
    unfinished = target.with_name(f"unfinished-{target.name}")
    if unfinished.is_dir():
        shutil.rmtree(unfinished)
    unfinished.unlink(missing_ok=True)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    make(unfinished)
    unfinished.rename(target)


if __name__ == "__main__":
    main()
