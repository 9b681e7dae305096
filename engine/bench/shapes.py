"""Shapes of the random-weight models that everything is measured with. Data only; any Python can import it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """The numbers of a Qwen2 model. ``vocabulary`` differs from ``inner`` on purpose: onnxruntime-genai's builder makes
    a wrong graph, silently, where both are equal."""

    name: str
    hidden: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int
    context: int = 4096
    seed: int = 20_260

    @property
    def head_dim(self) -> int:
        """Numbers of one attention head."""
        return self.hidden // self.heads

    @property
    def matrix_weights(self) -> int:
        """Weights that each decode step reads: every matrix, the output (tied to the embedding) included."""
        attention = 2 * self.hidden * self.heads * self.head_dim + 2 * self.hidden * self.kv_heads * self.head_dim
        return self.layers * (attention + 3 * self.hidden * self.inner) + self.vocabulary * self.hidden


QWEN_05B = Shape("qwen2.5-0.5b", hidden=896, inner=4864, layers=24, heads=14, kv_heads=2, vocabulary=151_936)
RANDOM_01B = Shape("random-0.1b", hidden=768, inner=3072, layers=12, heads=12, kv_heads=2, vocabulary=8192)
TINY = Shape("tiny", hidden=128, inner=256, layers=2, heads=4, kv_heads=2, vocabulary=512, context=1024)
SHAPES = {shape.name: shape for shape in (QWEN_05B, RANDOM_01B, TINY)}

BITS_PER_WEIGHT = {"int4": 4.5, "fp32": 32.0}
"""In memory: int4 has blocks of 32 weights with a 16-bit scale in llama.cpp (ONNX Runtime keeps 32-bit scales: 5.0)."""

SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MERGES = (("Ġ", "t"), ("Ġ", "a"), ("i", "n"), ("h", "e"))
"""A few, because readers of byte-pair files want some."""
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_tokens() -> list[str]:
    """The 256 tokens of single bytes in GPT-2's spelling, in the order of the bytes.

    Printable Latin-1 characters stand for themselves, the others for U+0100 upwards (Radford et al. 2019, byte-level
    byte-pair encoding).
    """
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    rest = iter(range(0x100, 0x200))
    return [chr(byte) if byte in plain else chr(next(rest)) for byte in range(256)]


def tokens() -> list[str]:
    """Every token that the small tokenizer knows: bytes, merges, special ones (the last three)."""
    return [*byte_tokens(), *("".join(pair) for pair in MERGES), *SPECIAL_TOKENS]
