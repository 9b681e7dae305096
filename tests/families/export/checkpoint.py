"""Write the PyTorch checkpoint of a family and its golden logits (in `.venv-optimum`; see make.py).

The weights are random but the same every time, large enough that every part of the network shows in the logits, and
rounded to 8 bits of mantissa, which halves what the committed graphs take in the repository.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from tests.families.export.families import CONTEXT, Family

LENGTHS = (1, 5, 40, 96)
"""Tokens of the golden sequences: the longest crosses the sliding windows. A model with two sets of rotary factors
(phi4-mini) is used within the range of the shorter one."""
TEXT = "the relay carries a clove of the answer and nobody between the two ends can read the whole of it " * 6


def make_checkpoint(family: Family, folder: Path) -> Any:
    """Model, configuration and tokenizer as a repository of checkpoints has them; returns the PyTorch model."""
    torch.manual_seed(0)
    tokenizer = make_tokenizer(family)
    ids = {token: tokenizer.token_to_id(token) for token in family.special}
    config = getattr(transformers, family.config_class)(
        **family.config,
        bos_token_id=ids[family.begin] if family.begin else ids[family.end[0]],
        eos_token_id=[ids[token] for token in family.end] if len(family.end) > 1 else ids[family.end[0]],
    )
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    _fill(model, zlib.crc32(family.name.encode()))
    model.generation_config = transformers.GenerationConfig(
        bos_token_id=config.bos_token_id, eos_token_id=[ids[token] for token in family.end], do_sample=True
    )
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    save_tokenizer(family, tokenizer, folder)
    return model


def golden(model: Any, vocabulary: int) -> dict[str, np.ndarray]:
    """Token ids and logits of PyTorch: ``ids.N`` [tokens] int64, ``places.N`` [places] int64 and ``logits.N``
    [places, vocabulary] float32, the logits after the token of each place."""
    random = np.random.default_rng(20)
    found: dict[str, np.ndarray] = {}
    limit = getattr(model.config, "original_max_position_embeddings", CONTEXT)
    for number, length in enumerate(min(length, limit) for length in LENGTHS):
        ids = random.integers(8, vocabulary, length).astype(np.int64)
        with torch.no_grad():
            logits = model(torch.from_numpy(ids)[None]).logits[0].numpy().astype(np.float32)
        places = np.unique(np.array([0, length // 4, length // 2, *range(max(0, length - 4), length)], dtype=np.int64))
        found |= {f"ids.{number}": ids, f"places.{number}": places, f"logits.{number}": logits[places]}
    return found


def make_tokenizer(family: Family) -> Tokenizer:
    """A BPE tokenizer of the family's kind with at most the family's vocabulary."""
    alphabet: list[str] = []
    if family.tokenizer == "bytes":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        special = list(family.special)
    else:
        tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
        tokenizer.normalizer = normalizers.Replace(" ", "▁")
        tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
        special = [*family.special, *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(
        vocab_size=family.config["vocab_size"] - 5,  # real models, too, have more rows than tokens
        special_tokens=special,
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    # The tokens of single bytes are ordinary ones: written as special, they would vanish from the text.
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [one for one in content["added_tokens"] if one["content"] in family.special]
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in family.special])
    return tokenizer


def save_tokenizer(family: Family, tokenizer: Tokenizer, folder: Path) -> None:
    """tokenizer.json, tokenizer_config.json and the chat template where repositories of the family have it."""
    tokenizer.save(str(folder / "tokenizer.json"))
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": family.begin,
        "eos_token": family.end[0],
        "pad_token": family.special[0],
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
        "added_tokens_decoder": {
            str(tokenizer.token_to_id(token)): {"content": token, "special": True} for token in family.special
        },
    }
    if family.legacy_template_place:
        config["chat_template"] = family.template
    else:
        (folder / "chat_template.jinja").write_text(family.template, encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1, ensure_ascii=False), encoding="utf-8")


def _fill(model: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    tied = getattr(model.config, "tie_word_embeddings", False)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            shape = tuple(parameter.shape)
            if "norm" in name:
                # Gemma's norms multiply by 1 + weight.
                values = random.standard_normal(shape) * 0.2 + (0.0 if "gemma" in model.config.model_type else 1.0)
            elif len(shape) == 1:
                values = random.standard_normal(shape) * 0.3
            elif "embed" in name:
                values = random.standard_normal(shape) * (0.35 if tied else 1.0)
            else:
                values = random.standard_normal(shape) * 1.3 / shape[1] ** 0.5
            rounded = torch.tensor(values, dtype=torch.float32).to(torch.bfloat16).to(torch.float32)
            parameter.copy_(rounded)
