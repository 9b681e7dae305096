"""The built-in model's network: a small Llama (RMSNorm, rotary positions, grouped-query attention, SwiGLU).

Parameter names are those of ``transformers.LlamaForCausalLM``, so that the safetensors file beside a ``config.json``
loads there unchanged.  The arithmetic follows the same convention (rotary halves, not interleaved pairs).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

SHORT_LENGTH = 256


@dataclass(frozen=True)
class ModelConfig:
    """The dimensions of the network; ``vocab_size`` must differ from ``intermediate_size`` (see the exporter)."""

    vocab_size: int = 3072
    hidden_size: int = 256
    intermediate_size: int = 704
    num_hidden_layers: int = 6
    num_attention_heads: int = 8
    num_key_value_heads: int = 4
    head_dim: int = 32
    max_position_embeddings: int = 4096
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-5

    def to_hub(self, bos_token_id: int, eos_token_id: int, pad_token_id: int) -> dict[str, object]:
        """The ``config.json`` of a hub repository for these dimensions."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            **asdict(self),
            "attention_bias": False,
            "attention_dropout": 0.0,
            "mlp_bias": False,
            "hidden_act": "silu",
            "initializer_range": 0.02,
            "rope_parameters": {"rope_type": "default", "rope_theta": self.rope_theta},
            "tie_word_embeddings": True,
            "use_cache": True,
            "bos_token_id": bos_token_id,
            "eos_token_id": eos_token_id,
            "pad_token_id": pad_token_id,
            "dtype": "float32",
        }

    @classmethod
    def from_hub(cls, path: Path) -> ModelConfig:
        """Read the dimensions back from a ``config.json``."""
        stored = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{name: stored[name] for name in cls.__dataclass_fields__})


def rotary_tables(config: ModelConfig, length: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine of every position's angles, each [length, head_dim / 2], float32."""
    exponents = torch.arange(0, config.head_dim, 2, dtype=torch.int64).float() / config.head_dim
    frequencies = 1.0 / (config.rope_theta**exponents)
    angles = torch.arange(length, dtype=torch.int64).float()[:, None] * frequencies[None, :]
    return angles.cos(), angles.sin()


def rotate(values: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotate [batch, heads, length, head_dim] by tables of [length, head_dim / 2] (first half against second half)."""
    first, second = values.chunk(2, dim=-1)
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)


def short_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Causal attention by plain products: on a processor twice as fast as the fused one for short sequences."""
    length = query.shape[2]
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(2, 3)
    future = torch.ones(length, length, dtype=torch.bool, device=query.device).triu(1)
    return scores.masked_fill(future, float("-inf")).float().softmax(dim=-1).to(value.dtype) @ value


class RmsNorm(nn.Module):
    """Root-mean-square normalisation with a learned scale."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, values: Tensor) -> Tensor:
        return functional.rms_norm(values, (values.shape[-1],), self.weight.to(values.dtype), self.epsilon)


class Attention(nn.Module):
    """Causal grouped-query attention."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = (
            config.num_attention_heads,
            config.num_key_value_heads,
            config.head_dim,
        )
        self.q_proj = nn.Linear(config.hidden_size, self.heads * self.head_dim, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, self.kv_heads * self.head_dim, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, self.kv_heads * self.head_dim, bias=False)
        self.o_proj = nn.Linear(self.heads * self.head_dim, config.hidden_size, bias=False)

    def forward(self, hidden: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        batch, length, _ = hidden.shape
        query = self.q_proj(hidden).view(batch, length, self.heads, self.head_dim).transpose(1, 2)
        key = self.k_proj(hidden).view(batch, length, self.kv_heads, self.head_dim).transpose(1, 2)
        value = self.v_proj(hidden).view(batch, length, self.kv_heads, self.head_dim).transpose(1, 2)
        query, key = rotate(query, cosine, sine), rotate(key, cosine, sine)
        groups = self.heads // self.kv_heads
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
        if length <= SHORT_LENGTH:
            mixed = short_attention(query, key, value)
        else:
            mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, -1))


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.down_proj(functional.silu(self.gate_proj(hidden)) * self.up_proj(hidden))


class Layer(nn.Module):
    """One pre-normalised decoder layer."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.input_layernorm = RmsNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RmsNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = FeedForward(config)

    def forward(self, hidden: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        hidden = hidden + self.self_attn(self.input_layernorm(hidden), cosine, sine)
        return hidden + self.mlp(self.post_attention_layernorm(hidden))


class Decoder(nn.Module):
    """Embedding, layers and final normalisation (``model.`` in the hub's parameter names)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = RmsNorm(config.hidden_size, config.rms_norm_eps)


class SmallLlama(nn.Module):
    """The whole network; call it with token ids [batch, length] for hidden states, ``logits`` for the vocabulary."""

    cosine: Tensor
    sine: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        if config.vocab_size == config.intermediate_size:
            raise ValueError("vocab_size must differ from intermediate_size: exporters mistake one for the other")
        self.config = config
        self.model = Decoder(config)
        cosine, sine = rotary_tables(config, config.max_position_embeddings)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal(0, 0.02), the layers' output projections scaled down by the depth."""
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                deep = name.endswith(("o_proj.weight", "down_proj.weight"))
                scale = 0.02 / (2 * self.config.num_hidden_layers) ** 0.5 if deep else 0.02
                nn.init.normal_(parameter, std=scale)

    def forward(self, token_ids: Tensor) -> Tensor:
        """Hidden states [batch, length, hidden_size] after the final normalisation."""
        hidden: Tensor = self.model.embed_tokens(token_ids)
        cosine, sine = self.cosine[: token_ids.shape[1]], self.sine[: token_ids.shape[1]]
        if torch.is_autocast_enabled("cpu"):
            hidden = hidden.to(torch.bfloat16)
            cosine, sine = cosine.to(torch.bfloat16), sine.to(torch.bfloat16)
        for layer in self.model.layers:
            hidden = layer(hidden, cosine, sine)
        normalised: Tensor = self.model.norm(hidden)
        return normalised

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of the next token, [..., vocab_size], by the tied embedding."""
        return functional.linear(hidden, self.model.embed_tokens.weight)
