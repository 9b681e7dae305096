"""A model with random weights in a model folder, made without PyTorch: what simulations and benchmarks serve."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from engine.bench.making.checkpoint import write_tokenizer
from engine.bench.shapes import RANDOM_01B, Shape, tokens
from engine.bench.verification.rounding import Array
from engine.resources import resource_path

SPREAD = 0.02
"""Standard deviation of every matrix, as initialisers of language models have it."""


def make_random_model(folder: Path, shape: Shape = RANDOM_01B, *, eight_bit: bool = False) -> Path:
    """Write a Llama model of ``shape`` with float32 weights, or with these in 8 bits; the same for the same shape."""
    write_tokenizer(folder, shape.context)
    config = _config(shape)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": config["eos_token_id"]}), "utf-8")
    writer = _graph_writer()(config, _weights(shape), eight_bit)
    where: dict[str, Any] = {"location": "model.onnx_data", "size_threshold": 4096}
    onnx.save(writer.build(), str(folder / "model.onnx"), save_as_external_data=True, **where)
    return folder


def _graph_writer() -> Any:
    """The writer of the built-in model's graph, which lies beside its other scripts."""
    path = resource_path("engine/builtin/scripts/onnx_graph.py")
    spec = importlib.util.spec_from_file_location("gentorrent_builtin_graph", path)
    assert spec is not None and spec.loader is not None  # noqa: PT018 - it is a file of ours
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.GraphWriter


def _config(shape: Shape) -> dict[str, Any]:
    return {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "max_position_embeddings": shape.context,
        "rope_theta": 10_000.0,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True,
        "bos_token_id": tokens().index("<|endoftext|>"),
        "eos_token_id": tokens().index("<|im_end|>"),
    }


def _weights(shape: Shape) -> dict[str, Array]:
    dice = np.random.default_rng(shape.seed)
    wide, narrow = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    sizes = {
        "self_attn.q_proj": (wide, shape.hidden),
        "self_attn.k_proj": (narrow, shape.hidden),
        "self_attn.v_proj": (narrow, shape.hidden),
        "self_attn.o_proj": (shape.hidden, wide),
        "mlp.gate_proj": (shape.inner, shape.hidden),
        "mlp.up_proj": (shape.inner, shape.hidden),
        "mlp.down_proj": (shape.hidden, shape.inner),
    }

    def matrix(size: tuple[int, int]) -> Array:
        return dice.standard_normal(size, dtype=np.float32) * np.float32(SPREAD)

    ones = np.ones(shape.hidden, np.float32)
    found = {"model.embed_tokens.weight": matrix((shape.vocabulary, shape.hidden)), "model.norm.weight": ones}
    for layer in range(shape.layers):
        for name, size in sizes.items():
            found[f"model.layers.{layer}.{name}.weight"] = matrix(size)
        for name in ("input_layernorm", "post_attention_layernorm"):
            found[f"model.layers.{layer}.{name}.weight"] = ones
    return found
