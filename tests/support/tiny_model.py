"""A tiny random model in a folder laid out like a hub repository, made in a fraction of a second.

Two graph styles: "gqa" as onnxruntime-genai's builder writes them (GroupQueryAttention with rotary positions inside)
and "concat" with plain operators, ``position_ids`` and concatenated caches. The weights are random, so the answers are
nonsense, but the same nonsense every time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

LAYERS, HEADS, KV_HEADS, HEAD_DIM, WIDTH, INNER = 2, 4, 2, 16, 64, 96
CACHES = ((KV_HEADS, HEAD_DIM),) * LAYERS
"""Key-value heads and head size of every layer."""
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'system' and not loop.first %}"
    "{{ raise_exception('the system message comes first') }}{% endif %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make_tiny_model(
    folder: Path, *, context: int = 512, style: str = "gqa", seed: int = 7, caches: tuple[tuple[int, int], ...] = CACHES
) -> Path:
    """Write the whole folder and return it. ``caches``: as ``CACHES``; later layers may differ from the first one."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab_size()
    end = tokenizer.token_to_id("<|im_end|>")
    config = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": vocabulary,
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "num_hidden_layers": len(caches),
        "num_attention_heads": HEADS,
        "num_key_value_heads": caches[0][0],
        "head_dim": caches[0][1],
        "max_position_embeddings": context,
        "eos_token_id": end,
    }
    write_json(folder / "config.json", config)
    write_json(folder / "generation_config.json", {"eos_token_id": [end]})
    write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "model_max_length": context},
    )
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    onnx.save(_Graph(vocabulary, context, seed, caches).build(style), str(folder / "model.onnx"))
    return folder


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write one configuration file."""
    path.write_text(json.dumps(content), encoding="utf-8")


def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["what is a relay and why is the answer the same every time"] * 4, trainer)
    return tokenizer


class _Graph:
    def __init__(self, vocabulary: int, context: int, seed: int, caches: tuple[tuple[int, int], ...]) -> None:
        self._caches = caches
        self._random = np.random.default_rng(seed)
        self._vocabulary, self._context = vocabulary, context
        self._nodes: list[Any] = []
        self._weights: list[Any] = []
        self._number = 0

    def build(self, style: str) -> Any:
        """The model as an ONNX protocol buffer."""
        inputs = [_int64("input_ids", ["batch", "new"]), _int64("attention_mask", ["batch", "total"])]
        hidden = self._op("Gather", [self._weight((self._vocabulary, WIDTH), 1.0), "input_ids"])
        if style == "concat":
            inputs.append(_int64("position_ids", ["batch", "new"]))
            places = self._op("Gather", [self._weight((self._context, WIDTH), 0.5), "position_ids"])
            hidden = self._op("Add", [hidden, places])
        outputs = []
        for layer, (kv_heads, dim) in enumerate(self._caches):
            for kind in ("key", "value"):
                inputs.append(_cache(f"past_key_values.{layer}.{kind}", "past", kv_heads, dim))
                outputs.append(_cache(f"present.{layer}.{kind}", "total", kv_heads, dim))
            attention = self._gqa if style == "gqa" else self._concat
            normal = self._norm(hidden)
            mixed = attention(layer, *(self._linear(normal, WIDTH, n * dim) for n in (HEADS, kv_heads, kv_heads)))
            hidden = self._op("Add", [hidden, self._linear(mixed, HEADS * dim, WIDTH)])
            normal = self._norm(hidden)
            gate = self._linear(normal, WIDTH, INNER)
            gate = self._op("Mul", [gate, self._op("Sigmoid", [gate])])
            inner = self._op("Mul", [gate, self._linear(normal, WIDTH, INNER)])
            hidden = self._op("Add", [hidden, self._linear(inner, INNER, WIDTH)])
        head = self._weight((WIDTH, self._vocabulary), 0.4)
        self._op("MatMul", [self._norm(hidden), head], output="logits")
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "new", self._vocabulary])
        graph = helper.make_graph(self._nodes, "tiny", inputs, [logits, *outputs], self._weights)
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)

    def _gqa(self, layer: int, query: str, key: str, value: str) -> str:
        kv_heads, dim = self._caches[layer]
        angles = np.arange(self._context)[:, None] / 10_000 ** (np.arange(dim // 2) / (dim // 2))
        cos = self._constant(f"cos_cache.{layer}", np.cos(angles).astype(np.float32))
        sin = self._constant(f"sin_cache.{layer}", np.sin(angles).astype(np.float32))
        if layer == 0:
            lengths = self._op("ReduceSum", ["attention_mask", self._ints([1])], keepdims=0)
            lengths = self._op("Sub", [lengths, self._ints([1])])
            self._op("Cast", [lengths], output="seqlens_k", to=TensorProto.INT32)
            shape = self._op("Shape", ["attention_mask"])
            total = self._op("Gather", [shape, self._scalar(1)], axis=0)
            self._op("Cast", [total], output="total_length", to=TensorProto.INT32)
        past = [f"past_key_values.{layer}.{kind}" for kind in ("key", "value")]
        output = self._name()
        self._nodes.append(
            helper.make_node(
                "GroupQueryAttention",
                [query, key, value, *past, "seqlens_k", "total_length", cos, sin],
                [output, f"present.{layer}.key", f"present.{layer}.value"],
                domain="com.microsoft",
                num_heads=HEADS,
                kv_num_heads=kv_heads,
                do_rotary=1,
            )
        )
        return output

    def _concat(self, layer: int, query: str, key: str, value: str) -> str:
        if layer == 0:
            # A new token at place p sees the tokens up to p; what the mask hides has no place.
            every = self._op("CumSum", ["attention_mask", self._scalar(1)])
            shown = self._op("Cast", ["attention_mask"], to=TensorProto.BOOL)
            every = self._op("Where", [shown, self._op("Sub", [every, self._scalar(1)]), self._scalar(self._context)])
            every = self._op("Unsqueeze", [every, self._ints([1])])
            place = self._op("Unsqueeze", ["position_ids", self._ints([2])])
            seen = self._op("LessOrEqual", [every, place])
            bias = self._op("Where", [seen, self._float(0.0), self._float(-1e9)])
            self._op("Unsqueeze", [bias, self._ints([1])], output="bias")
        kv_heads, dim = self._caches[layer]
        query = self._split(query, HEADS, dim)
        full = []
        for kind, fresh in (("key", key), ("value", value)):
            parts = [f"past_key_values.{layer}.{kind}", self._split(fresh, kv_heads, dim)]
            present = self._op("Concat", parts, output=f"present.{layer}.{kind}", axis=2)
            wide = self._op("Unsqueeze", [present, self._ints([2])])
            wide = self._op("Tile", [wide, self._ints([1, 1, HEADS // kv_heads, 1, 1])])
            full.append(self._op("Reshape", [wide, self._ints([0, HEADS, -1, dim])]))
        scores = self._op("MatMul", [query, self._op("Transpose", [full[0]], perm=[0, 1, 3, 2])])
        scores = self._op("Add", [self._op("Mul", [scores, self._float(dim**-0.5)]), "bias"])
        mixed = self._op("MatMul", [self._op("Softmax", [scores], axis=-1), full[1]])
        mixed = self._op("Transpose", [mixed], perm=[0, 2, 1, 3])
        return self._op("Reshape", [mixed, self._ints([0, 0, HEADS * dim])])

    def _split(self, values: str, heads: int, dim: int) -> str:
        shaped = self._op("Reshape", [values, self._ints([0, 0, heads, dim])])
        return self._op("Transpose", [shaped], perm=[0, 2, 1, 3])

    def _norm(self, values: str) -> str:
        mean = self._op("ReduceMean", [self._op("Mul", [values, values]), self._ints([-1])])
        root = self._op("Sqrt", [self._op("Add", [mean, self._float(1e-5)])])
        return self._op("Div", [values, root])

    def _linear(self, values: str, width: int, out: int) -> str:
        return self._op("MatMul", [values, self._weight((width, out), 1.5 / width**0.5)])

    def _op(self, kind: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        output = output or self._name()
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def _name(self) -> str:
        self._number += 1
        return f"v{self._number}"

    def _constant(self, name: str, value: Any) -> str:
        self._weights.append(numpy_helper.from_array(value, name))
        return name

    def _weight(self, shape: tuple[int, ...], scale: float) -> str:
        return self._constant(self._name(), (self._random.standard_normal(shape) * scale).astype(np.float32))

    def _ints(self, values: list[int]) -> str:
        return self._constant(self._name(), np.array(values, dtype=np.int64))

    def _scalar(self, value: int) -> str:
        return self._constant(self._name(), np.array(value, dtype=np.int64))

    def _float(self, value: float) -> str:
        return self._constant(self._name(), np.array(value, dtype=np.float32))


def _int64(name: str, shape: list[str]) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.INT64, shape)


def _cache(name: str, length: str, kv_heads: int, dim: int) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", kv_heads, length, dim])
