"""The model families of which tiny random models are made: shapes, tokenizer and chat template of each.

Every shape keeps what makes its family differ (grouped heads, biases, norms of queries and keys, sliding windows, fused
projections, partial or scaled rotary positions) and makes every other number small and different from the rest: the
builder of onnxruntime-genai writes a silently wrong graph where vocabulary and intermediate size are equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CONTEXT = 256

CHATML = (
    "{%- if messages[0].role == 'system' %}{{ '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}"
    "{%- else %}{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{%- endif %}"
    "{%- for message in messages %}{%- if not (loop.first and message.role == 'system') %}"
    "{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{%- endif %}"
)
CHATML_THINKING = CHATML.replace(
    "{{ '<|im_start|>assistant\\n' }}",
    "{{ '<|im_start|>assistant\\n' }}{%- if enable_thinking is defined and enable_thinking is false %}"
    "{{ '<think>\\n\\n</think>\\n\\n' }}{%- endif %}",
)
HEADERS = (
    "{{- bos_token }}{%- for message in messages %}"
    "{{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content | trim + '<|eot_id|>' }}"
    "{%- endfor %}{%- if add_generation_prompt %}"
    "{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"
)
INSTRUCTIONS = (
    "{%- if messages[0].role == 'system' %}{%- set system = messages[0].content %}{%- set turns = messages[1:] %}"
    "{%- else %}{%- set system = none %}{%- set turns = messages %}{%- endif %}{{- bos_token }}"
    "{%- for message in turns %}{%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{- raise_exception('After the optional system message, conversation roles must alternate user and assistant') }}"
    "{%- endif %}{%- if message.role == 'user' %}{%- if loop.last and system is not none %}"
    "{{- '[INST] ' + system + '\\n\\n' + message.content + '[/INST]' }}{%- else %}"
    "{{- '[INST] ' + message.content + '[/INST]' }}{%- endif %}{%- else %}{{- ' ' + message.content + eos_token }}"
    "{%- endif %}{%- endfor %}"
)
TURNS = (
    "{{ bos_token }}{%- if messages[0].role == 'system' %}{%- set prefix = messages[0].content + '\\n\\n' %}"
    "{%- set turns = messages[1:] %}{%- else %}{%- set prefix = '' %}{%- set turns = messages %}{%- endif %}"
    "{%- for message in turns %}{%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{%- endif %}"
    "{{ '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\\n' + "
    "(prefix if loop.first else '') + message.content | trim + '<end_of_turn>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{%- endif %}"
)
TAGS = (
    "{% for message in messages %}{{ '<|' + message.role + '|>\\n' + message.content + '<|end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}"
)
TAGS_WITHOUT_LINES = (
    "{% for message in messages %}{{ '<|' + message.role + '|>' + message.content + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}"
)


@dataclass(frozen=True)
class Family:
    """One family. ``config`` goes to transformers' configuration class ``config_class``; ``tokenizer`` is
    "bytes" (byte-level BPE) or "pieces" (BPE with byte fallback, as converted from SentencePiece); the special tokens
    get the lowest ids, in their order."""

    name: str
    config_class: str
    config: dict[str, Any]
    tokenizer: str
    special: tuple[str, ...]
    begin: str | None
    end: tuple[str, ...]  # what ends a turn, the configuration's own first
    template: str
    legacy_template_place: bool = False  # in tokenizer_config.json, as exports of before 2025 have it


_SHAPE: dict[str, Any] = {
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "intermediate_size": 80,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": True,
    "vocab_size": 320,
    "use_cache": True,
}
_NARROW = {**_SHAPE, "hidden_size": 48, "head_dim": 16, "vocab_size": 352}

FAMILIES = {
    family.name: family
    for family in (
        Family(
            name="llama",
            config_class="LlamaConfig",
            config={
                **_SHAPE,
                "rope_theta": 500_000.0,
                "rope_scaling": {
                    "rope_type": "llama3",
                    "factor": 4.0,
                    "low_freq_factor": 1.0,
                    "high_freq_factor": 4.0,
                    "original_max_position_embeddings": 64,
                },
            },
            tokenizer="bytes",
            special=(
                "<|begin_of_text|>",
                "<|end_of_text|>",
                "<|start_header_id|>",
                "<|end_header_id|>",
                "<|eom_id|>",
                "<|eot_id|>",
            ),
            begin="<|begin_of_text|>",
            end=("<|eot_id|>", "<|end_of_text|>", "<|eom_id|>"),
            template=HEADERS,
            legacy_template_place=True,
        ),
        Family(
            name="qwen2",
            config_class="Qwen2Config",
            config={**_SHAPE, "rope_theta": 1_000_000.0, "use_sliding_window": False},
            tokenizer="bytes",
            special=("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>"),
            begin=None,
            end=("<|im_end|>", "<|endoftext|>"),
            template=CHATML,
            legacy_template_place=True,
        ),
        Family(
            name="qwen3",
            config_class="Qwen3Config",
            config={**_NARROW, "rope_theta": 1_000_000.0, "use_sliding_window": False},
            tokenizer="bytes",
            special=(
                "<|endoftext|>",
                "<|im_start|>",
                "<|im_end|>",
                "<tool_call>",
                "</tool_call>",
                "<think>",
                "</think>",
            ),
            begin=None,
            end=("<|im_end|>", "<|endoftext|>"),
            template=CHATML_THINKING,
        ),
        Family(
            name="mistral",
            config_class="MistralConfig",
            config={**_NARROW, "rope_theta": 10_000.0, "sliding_window": None, "tie_word_embeddings": False},
            tokenizer="pieces",
            special=("<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[TOOL_CALLS]"),
            begin="<s>",
            end=("</s>",),
            template=INSTRUCTIONS,
            legacy_template_place=True,
        ),
        Family(
            name="gemma2",
            config_class="Gemma2Config",
            config={
                **_NARROW,
                "hidden_size": 36,  # its root is exact: the builder rounds the scale of the embeddings to two places
                "rope_theta": 10_000.0,
                "sliding_window": 24,
                "query_pre_attn_scalar": 12,
                "attn_logit_softcapping": 5.0,
                "final_logit_softcapping": 8.0,
                "hidden_activation": "gelu_pytorch_tanh",
                "attn_implementation": "eager",
            },
            tokenizer="pieces",
            special=("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"),
            begin="<bos>",
            end=("<eos>", "<end_of_turn>"),
            template=TURNS,
        ),
        Family(
            name="gemma3",
            config_class="Gemma3TextConfig",
            config={
                **_NARROW,
                "hidden_size": 36,  # its root is exact: the builder rounds the scale of the embeddings to two places
                "num_key_value_heads": 1,
                "rope_theta": 1_000_000.0,
                "rope_local_base_freq": 10_000.0,
                "sliding_window": 24,
                "sliding_window_pattern": 2,
                "layer_types": ["sliding_attention", "full_attention"],
                "query_pre_attn_scalar": 16,
                "hidden_activation": "gelu_pytorch_tanh",
            },
            tokenizer="pieces",
            special=("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"),
            begin="<bos>",
            end=("<eos>", "<end_of_turn>"),
            template=TURNS,
        ),
        Family(
            name="phi3",
            config_class="Phi3Config",
            config={
                **_SHAPE,
                "vocab_size": 352,
                "num_key_value_heads": 4,
                "intermediate_size": 48,
                "rope_theta": 10_000.0,
                "original_max_position_embeddings": CONTEXT,
                "sliding_window": None,
                "pad_token_id": 0,
                "tie_word_embeddings": False,
            },
            tokenizer="pieces",
            special=("<unk>", "<s>", "</s>", "<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
            begin="<s>",
            end=("<|endoftext|>", "<|assistant|>", "<|end|>"),
            template=TAGS,
            legacy_template_place=True,
        ),
        Family(
            name="phi4-mini",
            config_class="Phi3Config",
            config={
                **_SHAPE,
                "rope_theta": 10_000.0,
                "partial_rotary_factor": 0.5,
                "num_attention_heads": 2,
                "num_key_value_heads": 1,
                "original_max_position_embeddings": 48,
                "rope_scaling": {
                    "type": "longrope",
                    "short_factor": [1.0, 1.02, 1.05, 1.08, 1.1, 1.2, 1.3, 1.4],
                    "long_factor": [1.0, 1.2, 1.5, 1.8, 2.5, 3.3, 4.4, 5.0],
                },
                "sliding_window": None,
                "pad_token_id": 0,
            },
            tokenizer="bytes",
            special=("<|endoftext|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|tool_call|>"),
            begin=None,
            end=("<|endoftext|>", "<|end|>"),
            template=TAGS_WITHOUT_LINES,
        ),
    )
}
