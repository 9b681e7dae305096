"""The benchmarks' own tokenizer and names: the same for every engine."""

import json

import pytest

from engine.bench.drivers.ours import LETTERS
from engine.bench.making.checkpoint import write_tokenizer
from engine.bench.making.gguf_files import gguf_name
from engine.bench.shapes import QWEN_05B, SHAPES, SPECIAL_TOKENS, TINY, byte_tokens, tokens
from engine.inference.models.folder import TOKENIZER_FILES


def test_every_byte_has_a_token_of_its_own():
    assert len(set(byte_tokens())) == 256
    assert byte_tokens()[ord("A")] == "A"
    assert byte_tokens()[ord(" ")] == "Ġ"
    assert len(set(tokens())) == len(tokens())
    assert tokens()[-3:] == list(SPECIAL_TOKENS)


def test_the_tokenizer_gives_back_any_text_and_one_token_a_letter(tmp_path):
    from tokenizers import Tokenizer

    write_tokenizer(tmp_path, 1024)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    text = "Hello there, é 漢字\n\t 1234"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
    letters = "".join(LETTERS) * 50
    assert len(tokenizer.encode(letters).ids) == len(letters)
    assert tokenizer.encode("<|im_start|>user").ids[0] == tokens().index("<|im_start|>")
    assert {file.name for file in tmp_path.iterdir()} <= set(TOKENIZER_FILES)
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["model_max_length"] == 1024


@pytest.mark.parametrize("shape", SHAPES.values(), ids=lambda shape: shape.name)
def test_shapes_avoid_what_exporters_and_quantisers_get_wrong(shape):
    assert shape.vocabulary != shape.inner  # onnxruntime-genai's builder writes a wrong graph
    assert shape.hidden % 32 == shape.inner % 32 == 0  # blocks of Q4_0
    assert shape.vocabulary > len(tokens())


def test_the_weights_of_the_half_billion_shape_are_counted_right():
    assert QWEN_05B.matrix_weights == pytest.approx(494e6, rel=0.01)
    assert TINY.matrix_weights < 1e6


def test_names_of_tensors():
    assert gguf_name("model.embed_tokens.weight") == "token_embd.weight"
    assert gguf_name("model.norm.weight") == "output_norm.weight"
    assert gguf_name("model.layers.23.self_attn.q_proj.bias") == "blk.23.attn_q.bias"
    assert gguf_name("model.layers.0.mlp.down_proj.weight") == "blk.0.ffn_down.weight"
    with pytest.raises(KeyError):
        gguf_name("model.layers.0.mlp.router.weight")
