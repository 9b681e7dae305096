"""The shipped built-in model: its folder, its 8-bit graph against the float32 one, and what it answers."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from transformers import AutoTokenizer

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "resources" / "engine" / "builtin" / "model"
GOLDEN = ROOT / "tests" / "vectors" / "builtin" / "golden.npz"
TOPICS = ROOT / "resources" / "engine" / "help" / "topics.toml"


class Model:
    """The 8-bit graph with its tokenizer."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(FOLDER / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self.tokenizer: Any = AutoTokenizer.from_pretrained(FOLDER)
        self.past = [entry for entry in self.session.get_inputs() if entry.name.startswith("past_key_values.")]
        self.outputs = [entry.name for entry in self.session.get_outputs()]

    def step(self, ids: NDArray[np.int64], cache: dict[str, Any], length: int) -> tuple[Any, dict[str, Any]]:
        """Logits [rows, positions, vocabulary] and the new key-value cache after ``length`` tokens in all."""
        feeds = {"input_ids": ids, "attention_mask": np.ones((len(ids), length), dtype=np.int64), **cache}
        results = dict(zip(self.outputs, self.session.run(self.outputs, feeds), strict=True))
        return results["logits"], {
            entry.name: results[entry.name.replace("past_key_values", "present")] for entry in self.past
        }

    def empty(self, rows: int) -> dict[str, Any]:
        """A cache without tokens."""
        return {
            entry.name: np.zeros((rows, entry.shape[1], 0, entry.shape[3]), dtype=np.float32) for entry in self.past
        }

    def forward(self, rows: Sequence[Sequence[int]]) -> Any:
        """Logits of rows of one length."""
        ids = np.array(rows, dtype=np.int64)
        return self.step(ids, self.empty(len(ids)), ids.shape[1])[0]

    def prompt(self, messages: list[dict[str, str]]) -> list[int]:
        encoded = self.tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=True, return_dict=True
        )
        return list(encoded["input_ids"])

    def answer(self, *messages: str, limit: int = 120) -> str:
        """The greedy answer to the last of alternating user and assistant messages."""
        roles = ("user", "assistant")
        said = [{"role": roles[index % 2], "content": text} for index, text in enumerate(messages)]
        ids = np.array([self.prompt(said)], dtype=np.int64)
        tokens: list[int] = []
        cache, length = self.empty(1), 0
        while len(tokens) < limit:
            length += ids.shape[1]
            logits, cache = self.step(ids, cache, length)
            token = int(logits[0, -1].argmax())
            if token == self.tokenizer.eos_token_id:
                break
            tokens.append(token)
            ids = np.array([[token]], dtype=np.int64)
        return str(self.tokenizer.decode(tokens))


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    with np.load(GOLDEN) as stored:
        return dict(stored)


def facts(topic: str) -> list[list[str]]:
    stored = tomllib.loads(TOPICS.read_text(encoding="utf-8"))["topic"]
    return next(entry["key_facts"] for entry in stored if entry["id"] == topic)


def is_right(answer: str, groups: list[list[str]]) -> bool:
    return all(any(alternative.lower() in answer.lower() for alternative in group) for group in groups)


def test_folder_is_a_hub_repository_of_at_most_16_megabytes() -> None:
    names = {path.name for path in FOLDER.iterdir()}
    assert {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.onnx"} <= names
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 16 * 1024 * 1024


def test_config_names_a_llama_with_a_long_context() -> None:
    config = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    assert config["model_type"] == "llama"
    assert config["max_position_embeddings"] >= 4096
    assert config["vocab_size"] != config["intermediate_size"]


def test_eight_bit_graph_chooses_what_the_float32_one_chose(model: Model, golden: dict[str, Any]) -> None:
    agreed = positions = 0
    for name in (name for name in golden if name.startswith("ids_")):
        choices = model.forward([golden[name].tolist()])[0].argmax(axis=1)
        agreed += int((choices == golden[name.replace("ids", "choices")]).sum())
        positions += len(choices)
    assert positions > 200
    assert agreed >= 0.99 * positions


def test_eight_bit_logits_stay_near_the_golden_ones(model: Model, golden: dict[str, Any]) -> None:
    for name in (name for name in golden if name.startswith("logits_")):
        logits = model.forward([golden[name.replace("logits", "ids")].tolist()])[0]
        assert np.abs(logits - golden[name]).mean() < 0.5
        assert golden[name].std() > 1.0, "golden logits that say nothing"


def test_a_foreign_row_changes_nothing(model: Model, golden: dict[str, Any]) -> None:
    own = golden["ids_0"].tolist()
    foreign = np.random.default_rng(1).integers(3, 3000, len(own)).tolist()
    alone = model.forward([own])[0]
    beside = model.forward([own, foreign])[0]
    assert np.abs(alone - beside).max() <= 1e-5


def test_a_foreign_row_changes_nothing_while_decoding(model: Model, golden: dict[str, Any]) -> None:
    own = golden["ids_1"].tolist()
    foreign = np.random.default_rng(2).integers(3, 3000, len(own)).tolist()
    steps = []
    for rows in ([own], [own, foreign]):
        ids = np.array(rows, dtype=np.int64)
        _, cache = model.step(ids[:, :-1], model.empty(len(rows)), ids.shape[1] - 1)
        steps.append(model.step(ids[:, -1:], cache, ids.shape[1])[0][0])
    assert np.abs(steps[0] - steps[1]).max() <= 1e-5


def test_cached_decoding_equals_one_pass(model: Model, golden: dict[str, Any]) -> None:
    ids = golden["ids_2"].astype(np.int64)[None]
    whole = model.forward(ids.tolist())[0]
    cache, length, rows = model.empty(1), 0, []
    for piece in (ids[:, :7], *(ids[:, at : at + 1] for at in range(7, ids.shape[1]))):
        length += piece.shape[1]
        logits, cache = model.step(piece, cache, length)
        rows.append(logits[0])
    assert next(iter(cache.values())).shape[2] == length
    assert np.abs(np.concatenate(rows) - whole).max() <= 1e-3


@pytest.mark.parametrize("text", ["", "plain", "Grüße, 你好, שלום", "\x00\x01\n\t", "🦀" * 9, "  two  spaces "])
def test_every_text_survives_the_tokenizer(model: Model, text: str) -> None:
    ids = model.tokenizer.encode(text, add_special_tokens=False)
    assert model.tokenizer.decode(ids) == text


def test_chat_template_marks_every_message(model: Model) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    text = model.tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    assert text == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.parametrize(
    ("topic", "question"),
    [
        ("what-is-gentorrent", "What is GenTorrent?"),
        ("clove", "What is a clove?"),
        ("api-address", "Which port does the API use?"),
        ("dark-mode", "Is there a dark mode?"),
        ("relaying-off", "How do I turn relaying off?"),
    ],
)
def test_help_is_right(model: Model, topic: str, question: str) -> None:
    assert is_right(model.answer(question), facts(topic))


@pytest.mark.parametrize(
    "question", ["What is the capital of France?", "Write a poem about the sea", "What is 17 * 23?"]
)
def test_other_subjects_are_declined_honestly(model: Model, question: str) -> None:
    assert is_right(model.answer(question), [["built-in"], ["bigger model"]])


def test_the_last_question_of_a_conversation_is_the_one_answered(model: Model) -> None:
    first = model.answer("What is a clove?")
    second = model.answer("What is a clove?", first, "Is there a dark mode?")
    assert is_right(second, facts("dark-mode"))
    assert not is_right(first, facts("dark-mode"))


def test_a_conversation_that_nearly_fills_the_context_is_still_answered(model: Model) -> None:
    stored = tomllib.loads(TOPICS.read_text(encoding="utf-8"))["topic"]
    messages = [text for topic in stored for text in (f"Tell me about this: {topic['title']}", topic["answer"])]
    while len(model.prompt([{"role": "user", "content": text} for text in messages])) > 3900:
        messages = messages[2:]
    assert len(messages) > 40
    assert is_right(model.answer(*messages, "Which port does the API use?"), facts("api-address"))
    assert is_right(model.answer(*messages, "How do I bake bread?"), [["built-in"], ["bigger model"]])
