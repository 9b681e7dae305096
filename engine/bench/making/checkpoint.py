"""A Qwen2 checkpoint with random weights, and a tokenizer small enough to write by hand."""

from __future__ import annotations

import json
from pathlib import Path

from engine.bench.shapes import CHAT_TEMPLATE, MERGES, SPECIAL_TOKENS, Shape, tokens

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def make_checkpoint(shape: Shape, folder: Path) -> None:
    """Write config.json, model.safetensors (fp32, tied embeddings) and the tokenizer to ``folder``."""
    import torch
    from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM

    write_tokenizer(folder, shape.context)
    end = tokens().index("<|im_end|>")
    config = Qwen2Config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.context,
        tie_word_embeddings=True,
        bos_token_id=tokens().index("<|endoftext|>"),
        eos_token_id=end,
        rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0},
        dtype="float32",
    )
    torch.manual_seed(shape.seed)
    model = Qwen2ForCausalLM(config)
    for name, parameter in model.named_parameters():  # the biases begin at zero: a lost one would go unnoticed
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter, std=0.02)
    model.generation_config = GenerationConfig(eos_token_id=[end], bos_token_id=config.bos_token_id)
    model.save_pretrained(folder)


def write_tokenizer(folder: Path, context: int) -> None:
    """A byte-level byte-pair tokenizer in the files of a hub repository."""
    folder.mkdir(parents=True, exist_ok=True)
    known = tokens()
    special = [
        {
            "id": known.index(token),
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for token in SPECIAL_TOKENS
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {token: number for number, token in enumerate(known) if token not in SPECIAL_TOKENS},
            "merges": [list(pair) for pair in MERGES],
        },
    }
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "model_max_length": context,
        "clean_up_tokenization_spaces": False,
    }
    for name, content in (("tokenizer.json", tokenizer), ("tokenizer_config.json", settings)):
        (folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")
