"""Writes the network as an ONNX graph in the style of onnxruntime-genai: GroupQueryAttention with the rotation inside.

Inputs ``input_ids`` [batch, sequence] and ``attention_mask`` [batch, total] (int64) and ``past_key_values.N.key/value``
[batch, key-value heads, past, head_dim] (float32); outputs ``logits`` [batch, sequence, vocabulary] and
``present.N.key/value``.
Weights are float32 or, block by block of 32, 8-bit (``MatMulNBits``, ``GatherBlockQuantized``).  Activations are never
quantised, so no row of a batch can change another.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"
BLOCK = 32
ZERO_POINT = 128
FLOAT32_COMPUTATION = 1
Array = NDArray[np.float32]


def quantise(weight: Array) -> tuple[NDArray[np.uint8], Array]:
    """Symmetric 8-bit blocks along the last axis of [rows, columns].

    Returns values [rows, blocks, 32] around 128 and scales [rows, blocks].
    """
    rows, columns = weight.shape
    blocks = weight.reshape(rows, columns // BLOCK, BLOCK)
    scales = np.abs(blocks).max(axis=2) / 127.0
    scales = np.where(scales == 0, 1.0, scales).astype(np.float32)
    values = np.rint(blocks / scales[:, :, None]) + ZERO_POINT
    return values.clip(1, 255).astype(np.uint8), scales


class GraphWriter:
    """Collects nodes and initialisers of one graph."""

    def __init__(self, config: Mapping[str, int | float], weights: Mapping[str, Array], eight_bit: bool) -> None:
        self.config = config
        self.weights = weights
        self.eight_bit = eight_bit
        self.nodes: list[onnx.NodeProto] = []
        self.initialisers: list[onnx.TensorProto] = []
        self.known: set[str] = set()

    def size(self, name: str) -> int:
        """A whole-number dimension from the configuration."""
        return int(self.config[name])

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Add an initialiser once."""
        if name not in self.known:
            self.known.add(name)
            self.initialisers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes: object) -> str:
        """Add a node; returns its first output."""
        name = "/" + outputs[0].replace(".", "/")
        self.nodes.append(helper.make_node(operator, inputs, outputs, name=name, domain=domain, **attributes))
        return outputs[0]

    def linear(self, source: str, weight_name: str, output: str) -> str:
        """``source`` times the transposed weight [outputs, inputs]."""
        weight = self.weights[weight_name]
        if not self.eight_bit:
            self.constant(weight_name + ".transposed", weight.T)
            return self.node("MatMul", [source, weight_name + ".transposed"], [output])
        values, scales = quantise(weight)
        self.constant(weight_name + ".q8", values)
        self.constant(weight_name + ".scales", scales)
        return self.node(
            "MatMulNBits",
            [source, weight_name + ".q8", weight_name + ".scales"],
            [output],
            MICROSOFT,
            K=weight.shape[1],
            N=weight.shape[0],
            bits=8,
            block_size=BLOCK,
            accuracy_level=FLOAT32_COMPUTATION,
        )

    def embedding(self) -> str:
        """Look the token embeddings up."""
        name = "model.embed_tokens.weight"
        if not self.eight_bit:
            self.constant(name, self.weights[name])
            return self.node("Gather", [name, "input_ids"], ["embedded"])
        values, scales = quantise(self.weights[name])
        self.constant(name + ".rows", values.reshape(values.shape[0], -1))
        self.constant(name + ".scales", scales)
        zero_points = np.full(scales.shape, ZERO_POINT, dtype=np.uint8)
        self.constant(name + ".zero_points", zero_points)
        return self.node(
            "GatherBlockQuantized",
            [name + ".rows", "input_ids", name + ".scales", name + ".zero_points"],
            ["embedded"],
            MICROSOFT,
            bits=8,
            block_size=BLOCK,
            gather_axis=0,
            quantize_axis=1,
        )

    def lengths(self) -> None:
        """Derive what the attention needs from the mask: last position of each row and the total length."""
        self.constant("one", np.array([1], dtype=np.int64))
        self.node("ReduceSum", ["attention_mask", "one"], ["row_lengths"], keepdims=0)
        self.node("Sub", ["row_lengths", "one"], ["last_positions"])
        self.node("Cast", ["last_positions"], ["seqlens_k"], to=TensorProto.INT32)
        self.node("Shape", ["attention_mask"], ["mask_shape"])
        self.constant("axis_one", np.array(1, dtype=np.int64))
        self.node("Gather", ["mask_shape", "axis_one"], ["total_long"], axis=0)
        self.node("Cast", ["total_long"], ["total_sequence_length"], to=TensorProto.INT32)

    def rotary(self) -> None:
        """Cosine and sine tables [positions, head_dim / 2]."""
        half = np.arange(0, self.size("head_dim"), 2, dtype=np.float32) / self.size("head_dim")
        frequencies = 1.0 / (np.float32(self.config["rope_theta"]) ** half)
        positions = np.arange(self.size("max_position_embeddings"), dtype=np.float32)
        angles = positions[:, None] * frequencies[None, :].astype(np.float32)
        self.constant("cos_cache", np.cos(angles).astype(np.float32))
        self.constant("sin_cache", np.sin(angles).astype(np.float32))

    def attention(self, layer: int, source: str) -> str:
        """Grouped-query attention of one layer."""
        prefix, inner = f"model.layers.{layer}.self_attn", f"layers.{layer}.attention"
        parts = [self.linear(source, f"{prefix}.{kind}_proj.weight", f"{inner}.{kind}") for kind in ("q", "k", "v")]
        past = [f"past_key_values.{layer}.key", f"past_key_values.{layer}.value"]
        outputs = [f"{inner}.mixed", f"present.{layer}.key", f"present.{layer}.value"]
        self.node(
            "GroupQueryAttention",
            [*parts, *past, "seqlens_k", "total_sequence_length", "cos_cache", "sin_cache"],
            outputs,
            MICROSOFT,
            num_heads=self.size("num_attention_heads"),
            kv_num_heads=self.size("num_key_value_heads"),
            scale=self.size("head_dim") ** -0.5,
            do_rotary=1,
            rotary_interleaved=0,
            local_window_size=-1,
        )
        return self.linear(outputs[0], f"{prefix}.o_proj.weight", f"{inner}.output")

    def feed_forward(self, layer: int, source: str) -> str:
        """SwiGLU of one layer."""
        prefix, inner = f"model.layers.{layer}.mlp", f"layers.{layer}.mlp"
        gate = self.linear(source, f"{prefix}.gate_proj.weight", f"{inner}.gate")
        rise = self.linear(source, f"{prefix}.up_proj.weight", f"{inner}.up")
        self.node("Sigmoid", [gate], [f"{inner}.sigmoid"])
        self.node("Mul", [gate, f"{inner}.sigmoid"], [f"{inner}.swish"])
        self.node("Mul", [f"{inner}.swish", rise], [f"{inner}.gated"])
        return self.linear(f"{inner}.gated", f"{prefix}.down_proj.weight", f"{inner}.output")

    def skip_norm(self, skip: str, update: str, weight_name: str, output: str) -> tuple[str, str]:
        """Add ``update`` to ``skip`` and normalise; returns the normalised and the plain sum."""
        self.constant(weight_name, self.weights[weight_name])
        total = output + ".sum"
        self.node(
            "SkipSimplifiedLayerNormalization",
            [skip, update, weight_name],
            [output, "", "", total],
            MICROSOFT,
            epsilon=float(self.config["rms_norm_eps"]),
        )
        return output, total

    def build(self) -> onnx.ModelProto:
        """The whole graph."""
        self.lengths()
        self.rotary()
        hidden = self.embedding()
        first = self.constant(
            "model.layers.0.input_layernorm.weight", self.weights["model.layers.0.input_layernorm.weight"]
        )
        epsilon = float(self.config["rms_norm_eps"])
        normal = self.node(
            "SimplifiedLayerNormalization", [hidden, first], ["layers.0.input"], axis=-1, epsilon=epsilon
        )
        layers = self.size("num_hidden_layers")
        for layer in range(layers):
            mixed = self.attention(layer, normal)
            after = f"model.layers.{layer}.post_attention_layernorm.weight"
            normal, hidden = self.skip_norm(hidden, mixed, after, f"layers.{layer}.middle")
            update = self.feed_forward(layer, normal)
            last = layer + 1 == layers
            weight = "model.norm.weight" if last else f"model.layers.{layer + 1}.input_layernorm.weight"
            normal, hidden = self.skip_norm(hidden, update, weight, "final" if last else f"layers.{layer + 1}.input")
        self.linear(normal, "model.embed_tokens.weight", "logits")
        return self._model(layers)

    def _model(self, layers: int) -> onnx.ModelProto:
        """Wrap nodes and initialisers with typed inputs and outputs."""
        heads, width = self.size("num_key_value_heads"), self.size("head_dim")
        kind = TensorProto.FLOAT
        inputs = [
            helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"]),
            helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "total"]),
        ]
        outputs = [helper.make_tensor_value_info("logits", kind, ["batch", "sequence", self.size("vocab_size")])]
        for layer in range(layers):
            for part in ("key", "value"):
                past, present = f"past_key_values.{layer}.{part}", f"present.{layer}.{part}"
                inputs.append(helper.make_tensor_value_info(past, kind, ["batch", heads, "past", width]))
                outputs.append(helper.make_tensor_value_info(present, kind, ["batch", heads, "present", width]))
        graph = helper.make_graph(self.nodes, "gentorrent-builtin", inputs, outputs, self.initialisers)
        operators = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=operators, ir_version=10, producer_name="gentorrent")
