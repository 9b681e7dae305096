"""Folders laid out like real repositories of the hub: their files' names and configuration keys, with tiny contents.

Every file list is from the page cited beside it, as stored copies of these pages show it; what no page shows is marked
``documented``: it follows the documentation of the tool that writes it. Left out are only README, licences and
.gitattributes. The graphs are those of tests/families, so the folders can be loaded and run.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

MODELS = Path(__file__).resolve().parents[1] / "families" / "models"

CONFIGURATION = {"config.json": "config.json", "generation_config.json": "generation_config.json"}
TOKENIZER = {
    "tokenizer.json": "tokenizer.json",
    "tokenizer_config.json": "tokenizer_config.json",
    "special_tokens_map.json": "{}",
}
GRAPHS = {
    "model": "qwen2-concat/onnx/model.onnx",
    "model_fp16": "qwen2-variants/onnx/model_fp16.onnx",
    "model_q4": "qwen2-variants/onnx/model_q4.onnx",
    "model_q4f16": "qwen2-variants/onnx/model_q4f16.onnx",
    "model_bnb4": "qwen2-variants/onnx/model_bnb4.onnx",
    "model_quantized": "qwen2-variants/onnx/model_quantized.onnx",
    "model_int8": "qwen2-variants/onnx/model_quantized.onnx",
    "model_uint8": "qwen2-variants/onnx/model_quantized.onnx",
}
"""Stand-ins of the right kind for the names of transformers.js (shapes of the tiny Llama and Qwen 2 are the same)."""


@dataclass(frozen=True)
class Layout:
    """``files``: name in the repository to a file of tests/families/models, to ``config.json`` of the family, or to
    text. ``external``: graph to the name of its weights' file. ``keys``: more keys of config.json, real ones.
    ``chosen``: the variants taken on a processor and with CUDA. ``documented``: files that no page showed."""

    repository: str
    pages: tuple[str, ...]
    family: str
    files: dict[str, str]
    external: dict[str, str]
    keys: dict[str, Any]
    variants: tuple[str, ...]
    chosen: tuple[str, str]
    context: int = 256
    documented: tuple[str, ...] = ()


def _side_by_side(*names: str) -> dict[str, str]:
    return {f"onnx/{name}.onnx": GRAPHS[name] for name in names}


def _nested(folder: str, graph: str, name: str = "model.onnx", *more: str) -> dict[str, str]:
    source = graph.rpartition("/")[0]
    return {
        f"{folder}/{name}": graph,
        f"{folder}/genai_config.json": f"{source}/genai_config.json",
        f"{folder}/tokenizer.json": f"{source}/tokenizer.json",
        f"{folder}/tokenizer_config.json": f"{source}/tokenizer_config.json",
        f"{folder}/special_tokens_map.json": "{}",
        **{f"{folder}/{one}": "config.json" if one == "config.json" else "{}" for one in more},
    }


_PHI3 = "cpu_and_mobile/cpu-int4-rtn-block-32"
_PHI3_MORE = ("config.json", "configuration_phi3.py", "added_tokens.json", "tokenizer.model")
_PHI4_MORE = ("config.json", "configuration_phi3.py", "added_tokens.json", "merges.txt", "vocab.json")
_INT4, _FP16 = "phi3-nested/cpu_and_mobile/cpu-int4-rtn-block-32-acc-level-4/", "phi3-nested/cuda/cuda-fp16/"

LAYOUTS = (
    Layout(
        repository="onnx-community/Llama-3.2-1B-Instruct",
        pages=(
            "https://huggingface.co/onnx-community/Llama-3.2-1B-Instruct/tree/main",
            "https://huggingface.co/onnx-community/Llama-3.2-1B-Instruct/tree/c5b77c42b9a13105f54d55be507e1a65b5b8149b/onnx",
        ),
        family="llama-concat",
        files={**CONFIGURATION, **TOKENIZER, "quantize_config.json": "{}", **_side_by_side(*GRAPHS)},
        external={"onnx/model.onnx": "model.onnx_data", "onnx/model_fp16.onnx": "model_fp16.onnx_data"},
        keys={
            "transformers.js_config": {
                "dtype": "q4",
                "kv_cache_dtype": {"q4f16": "float16", "fp16": "float16"},
                "use_external_data_format": {"model.onnx": True, "model_fp16.onnx": True},
            }
        },
        variants=("bnb4", "fp16", "fp32", "int8", "q4", "q4f16", "q8", "uint8"),
        chosen=("q4", "fp16"),
    ),
    Layout(
        repository="HuggingFaceTB/SmolLM2-135M-Instruct",
        pages=("https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct/tree/main/onnx",),
        family="llama-concat",
        files={
            **CONFIGURATION,
            **TOKENIZER,
            "merges.txt": "",
            "vocab.json": "{}",
            "model.safetensors": "weights that are not read",
            **_side_by_side("model", "model_fp16", "model_q4", "model_q4f16"),
        },
        external={},
        keys={
            "is_llama_config": True,
            "pretraining_tp": 1,
            "transformers.js_config": {"kv_cache_dtype": {"q4f16": "float16", "fp16": "float16"}},
        },
        variants=("fp16", "fp32", "q4", "q4f16"),
        chosen=("q4", "fp16"),
        documented=(
            "config.json",
            "generation_config.json",
            *TOKENIZER,
            "merges.txt",
            "vocab.json",
            "model.safetensors",
        ),
    ),
    Layout(
        repository="microsoft/Phi-3-mini-4k-instruct-onnx",
        pages=(
            "https://huggingface.co/microsoft/Phi-3-mini-4k-instruct-onnx/tree/b33333f4dbd5740b8690600225467451211733e9",
            "https://huggingface.co/microsoft/Phi-3-mini-4k-instruct-onnx/tree/24fd626412942b0bcd8f16393ef10b69cfc2d162/cpu_and_mobile/cpu-int4-rtn-block-32-acc-level-4",
            "https://huggingface.co/microsoft/Phi-3-mini-4k-instruct-onnx/tree/a484edc37e8f7b425a5aefa25e35905769963681/cpu_and_mobile/cpu-int4-rtn-block-32",
        ),
        family="phi3-concat",
        files={
            **_nested(_PHI3, f"{_INT4}model.onnx", "phi3-mini-4k-instruct-cpu-int4-rtn-block-32.onnx", *_PHI3_MORE),
            **_nested(
                f"{_PHI3}-acc-level-4",
                f"{_INT4}model.onnx",
                "phi3-mini-4k-instruct-cpu-int4-rtn-block-32-acc-level-4.onnx",
                *_PHI3_MORE,
            ),
            **_nested("cuda/cuda-fp16", f"{_FP16}model.onnx", "phi3-mini-4k-instruct-cuda-fp16.onnx", *_PHI3_MORE),
            **_nested("directml/directml-int4-awq-block-128", f"{_INT4}model.onnx", "model.onnx", *_PHI3_MORE),
        },
        external={
            f"{_PHI3}/phi3-mini-4k-instruct-cpu-int4-rtn-block-32.onnx": (
                "phi3-mini-4k-instruct-cpu-int4-rtn-block-32.onnx.data"
            ),
            f"{_PHI3}-acc-level-4/phi3-mini-4k-instruct-cpu-int4-rtn-block-32-acc-level-4.onnx": (
                "phi3-mini-4k-instruct-cpu-int4-rtn-block-32-acc-level-4.onnx.data"
            ),
            "cuda/cuda-fp16/phi3-mini-4k-instruct-cuda-fp16.onnx": "phi3-mini-4k-instruct-cuda-fp16.onnx.data",
            "directml/directml-int4-awq-block-128/model.onnx": "model.onnx.data",
        },
        keys={"auto_map": {"AutoConfig": "configuration_phi3.Phi3Config"}, "sliding_window": 2047},
        variants=(
            "cpu-int4-rtn-block-32",
            "cpu-int4-rtn-block-32-acc-level-4",
            "cuda-fp16",
            "directml-int4-awq-block-128",
        ),
        chosen=("cpu-int4-rtn-block-32", "cuda-fp16"),
        documented=("cuda/cuda-fp16", "directml/directml-int4-awq-block-128"),
    ),
    Layout(
        repository="microsoft/Phi-4-mini-instruct-onnx",
        pages=(
            "https://huggingface.co/microsoft/Phi-4-mini-instruct-onnx/tree/main",
            "https://huggingface.co/microsoft/Phi-4-mini-instruct-onnx/tree/main/cpu_and_mobile",
            "https://huggingface.co/microsoft/Phi-4-mini-instruct-onnx/tree/main/gpu/gpu-int4-rtn-block-32",
        ),
        family="phi4-mini-concat",
        files={
            "config.json": "config.json",
            "configuration_phi3.py": "{}",
            **_nested(
                "cpu_and_mobile/cpu-int4-rtn-block-32-acc-level-4",
                "phi4-mini-gqa/model.onnx",
                "model.onnx",
                *_PHI4_MORE,
            ),
            **_nested("gpu/gpu-int4-rtn-block-32", "phi4-mini-gqa/model.onnx", "model.onnx", *_PHI4_MORE),
        },
        external={
            "cpu_and_mobile/cpu-int4-rtn-block-32-acc-level-4/model.onnx": "model.onnx.data",
            "gpu/gpu-int4-rtn-block-32/model.onnx": "model.onnx.data",
        },
        keys={"auto_map": {"AutoConfig": "configuration_phi3.Phi3Config", "AutoTokenizer": "Xenova/gpt-4o"}},
        variants=("cpu-int4-rtn-block-32-acc-level-4", "gpu-int4-rtn-block-32"),
        chosen=("cpu-int4-rtn-block-32-acc-level-4", "gpu-int4-rtn-block-32"),
        context=48,
        documented=("cpu_and_mobile/cpu-int4-rtn-block-32-acc-level-4",),
    ),
    Layout(
        repository="onnx-community/gemma-3-1b-it-ONNX",
        pages=("https://huggingface.co/onnx-community/gemma-3-1b-it-ONNX/tree/main",),
        family="gemma3-concat",
        files={
            **CONFIGURATION,
            **TOKENIZER,
            "onnx/model.onnx": "gemma3-concat/onnx/model.onnx",
            "onnx/model_q4.onnx": "gemma3-concat/onnx/model.onnx",
        },
        external={"onnx/model.onnx": "model.onnx_data", "onnx/model_q4.onnx": "model_q4.onnx_data"},
        keys={
            "cache_implementation": "hybrid",
            "transformers.js_config": {"use_external_data_format": {"model.onnx": 1}},
        },
        variants=("fp32", "q4"),
        chosen=("fp32", "fp32"),
        documented=("onnx/model.onnx", "onnx/model_q4.onnx"),
    ),
    Layout(
        repository="nvidia/Gemma-2b-it-ONNX-INT4",
        pages=("https://huggingface.co/nvidia/Gemma-2b-it-ONNX-INT4/tree/main",),
        family="gemma2-concat",
        files={
            "model.onnx": "gemma2-gqa/model.onnx",
            "genai_config.json": "gemma2-gqa/genai_config.json",
            **TOKENIZER,
            "tokenizer.model": "{}",
        },
        external={"model.onnx": "model.onnx_data"},
        keys={},
        variants=("fp32",),
        chosen=("fp32", "fp32"),
    ),
    Layout(
        repository="onnx-community/Llama-3.2-3B-Instruct-ONNX",
        pages=(
            "https://huggingface.co/onnx-community/Llama-3.2-3B-Instruct-ONNX/tree/main",
            "https://huggingface.co/onnx-community/Llama-3.2-3B-Instruct-ONNX/tree/main/cuda/cuda-int4-rtn-block-32",
            "https://huggingface.co/onnx-community/Llama-3.2-3B-Instruct-ONNX/tree/0f90e93312b312a55d652c0f0c33c47188a1e8f4/cpu_and_mobile/cpu-int4-rtn-block-32-acc-level-4",
        ),
        family="llama-concat",
        files={
            "config.json": "config.json",
            # At this revision the folder for processors had no config.json of its own.
            **_nested("cpu_and_mobile/cpu-int4-rtn-block-32-acc-level-4", "llama-gqa/model.onnx"),
            **_nested("cuda/cuda-int4-rtn-block-32", "llama-gqa/model.onnx", "model.onnx", "config.json"),
        },
        external={
            "cpu_and_mobile/cpu-int4-rtn-block-32-acc-level-4/model.onnx": "model.onnx.data",
            "cuda/cuda-int4-rtn-block-32/model.onnx": "model.onnx.data",
        },
        keys={"transformers.js_config": {"use_external_data_format": {"model.onnx": True}}},
        variants=("cpu-int4-rtn-block-32-acc-level-4", "cuda-int4-rtn-block-32"),
        chosen=("cpu-int4-rtn-block-32-acc-level-4", "cuda-int4-rtn-block-32"),
    ),
)


def make_layout(layout: Layout, folder: Path) -> Path:
    """Write the repository's files into ``folder`` and return it."""
    for name, source in layout.files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".onnx"):
            _write_graph(MODELS / source, target, layout.external.get(name))
        elif source == "config.json":
            config = json.loads((MODELS / layout.family / "config.json").read_text(encoding="utf-8"))
            target.write_text(json.dumps({**config, **layout.keys}), encoding="utf-8")
        elif source.endswith(".json"):
            origin = MODELS / (source if "/" in source else f"{layout.family}/{source}")
            if origin.name == "tokenizer_config.json":
                target.write_text(json.dumps(_with_template(origin)), encoding="utf-8")
            else:
                shutil.copyfile(origin, target)
        else:
            target.write_text(source, encoding="utf-8")
    return folder


def _with_template(path: Path) -> dict[str, Any]:
    """Repositories of 2024 and 2025 keep the chat template in tokenizer_config.json."""
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    template = path.with_name("chat_template.jinja")
    if "chat_template" not in config and template.is_file():
        config["chat_template"] = template.read_text(encoding="utf-8")
    return config


def _write_graph(source: Path, target: Path, external: str | None) -> None:
    """A copy of the graph with its weights inside or in the file named ``external`` beside it."""
    model = onnx.load(source)
    if external is None:
        onnx.save(model, target)
    else:
        onnx.save(model, target, save_as_external_data=True, location=external, size_threshold=256)
