"""The same checkpoint as GGUF files for llama.cpp: fp32 written here, int4 made of it by llama.cpp itself."""

from __future__ import annotations

import ctypes
from pathlib import Path

from engine.bench.shapes import CHAT_TEMPLATE, MERGES, Shape, tokens

Q4_0_FILE = 2  # llama_ftype LLAMA_FTYPE_MOSTLY_Q4_0
LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
"""Qwen2's names in transformers and in llama.cpp (gguf.constants)."""


def gguf_name(name: str) -> str:
    """The tensor ``name`` of a Qwen2 checkpoint as GGUF calls it."""
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    _, _, layer, rest = name.split(".", 3)
    part, _, kind = rest.rpartition(".")
    return f"blk.{layer}.{LAYER_NAMES[part]}.{kind}"


def make_gguf(shape: Shape, checkpoint: Path, file: Path) -> None:
    """Write ``checkpoint`` as fp32 GGUF."""
    import gguf
    from safetensors import safe_open

    writer = gguf.GGUFWriter(file, "qwen2")
    writer.add_name(f"random {shape.name}")
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.hidden)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_freq_base(1_000_000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _add_tokenizer(writer, shape)
    with safe_open(checkpoint / "model.safetensors", framework="numpy") as weights:
        for name in weights.keys():  # noqa: SIM118 - not a mapping
            if name != "lm_head.weight":  # tied to the embedding
                writer.add_tensor(gguf_name(name), weights.get_tensor(name))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tokenizer(writer: object, shape: Shape) -> None:
    import gguf

    assert isinstance(writer, gguf.GGUFWriter)
    known = tokens()
    kinds = [gguf.TokenType.NORMAL] * (len(known) - 3) + [gguf.TokenType.CONTROL] * 3
    unused = shape.vocabulary - len(known)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([*known, *(f"[PAD{number}]" for number in range(unused))])
    writer.add_token_types([*kinds, *[gguf.TokenType.UNUSED] * unused])
    writer.add_token_merges([" ".join(pair) for pair in MERGES])
    writer.add_bos_token_id(known.index("<|endoftext|>"))
    writer.add_eos_token_id(known.index("<|im_end|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def quantise(source: Path, target: Path) -> None:
    """Q4_0 for every matrix, the embedding that is also the output included: as few bytes as the int4 graph reads."""
    import llama_cpp

    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = Q4_0_FILE
    parameters.pure = True
    status = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(parameters))
    if status:
        raise SystemExit(f"llama.cpp could not quantise {source}")
