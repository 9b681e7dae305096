"""The other server as the owner configures it: settings that fit, a key that is shown nowhere."""

from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.config import Configuration
from engine.errors import ConfigurationError
from engine.inference.backend_set import BackendSet
from engine.inference.types import GenerationRequest, ModelInfo
from engine.node.backends import make_remote
from engine.wire.answer import Sampling

OFF = {"GENTORRENT_KEYRING": "off"}


def make(environment=OFF, **settings):
    notices: list[str] = []
    configuration = Configuration(data_directory=Path("/nowhere"), **settings)
    return make_remote(configuration, environment, SystemClock(), lambda: None, notices.append), notices


GOOD = {"backend": "openai", "backend_url": "http://127.0.0.1:8000", "backend_model": "org/Model-7B"}


def test_no_back_end_is_no_back_end():
    assert make() == (None, [])


def test_a_good_one_is_made():
    remote, notices = make(**GOOD, backend_server="vllm", backend_slots=3)
    assert remote.model_id == "org/Model-7B"
    assert remote._settings.base_url == "http://127.0.0.1:8000/v1"
    assert (remote._settings.server, remote._settings.slots) == ("vllm", 3)
    assert notices == []
    assert remote.models() == []  # not before the server has answered


def test_an_address_in_the_clear_is_noticed():
    _, notices = make(**{**GOOD, "backend_url": "http://far.example/v1"})
    assert "unencrypted" in notices[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"backend": ""}, "--backend openai"),
        ({"backend_url": ""}, "--backend-url"),
        ({"backend_model": ""}, "--backend-model"),
        ({"backend_url": "nonsense"}, "not one of a web server"),
        ({"backend_model": "/models/some file.gguf"}, "--backend-model-id"),
    ],
)
def test_settings_that_do_not_fit_are_named(changes, words):
    with pytest.raises(ConfigurationError, match=words):
        make(**{**GOOD, **changes})


def test_a_name_of_its_own_helps():
    remote, _ = make(**{**GOOD, "backend_model": "/models/some file.gguf"}, backend_model_id="some-7b")
    assert remote.model_id == "some-7b"
    assert remote._settings.server_model == "/models/some file.gguf"


def test_the_key_comes_from_the_environment():
    remote, _ = make({**OFF, "GENTORRENT_BACKEND_API_KEY": " s3cret\n"}, **GOOD)
    assert remote._settings.api_key == "s3cret"
    with pytest.raises(ConfigurationError) as caught:
        make({**OFF, "GENTORRENT_BACKEND_API_KEY": "s3\ncret"}, **GOOD)
    assert "s3" not in str(caught.value)


class Fixed:
    def __init__(self, *names):
        self.infos = [
            ModelInfo(model_id=name, digest=bytes(32), tokenizer_digest=bytes(32), context_length=10, slots=1)
            for name in names
        ]

    def models(self):
        return self.infos

    def generate(self, request):
        return self, request

    async def describe(self, request):
        return self, request

    async def score(self, request, output_ids):
        return self, request, output_ids


def test_each_model_is_answered_by_its_own_back_end():
    own, other = Fixed("a", "b"), Fixed("b")
    both = BackendSet(own, {"b": other})
    assert [info.model_id for info in both.models()] == ["a", "b"]
    for name, backend in (("a", own), ("b", other), ("unknown", own)):
        request = GenerationRequest(model_id=name, messages=(), sampling=Sampling(seed=1))
        found: object = both.generate(request)
        assert found == (backend, request)


async def test_each_model_is_scored_by_its_own_back_end():
    own, other = Fixed("a", "b"), Fixed("b")
    both = BackendSet(own, {"b": other})
    for name, backend in (("a", own), ("b", other)):
        request = GenerationRequest(model_id=name, messages=(), sampling=Sampling(seed=1))
        found: object = await both.score(request, (1, 2))
        assert found == (backend, request, (1, 2))


def test_a_model_whose_server_is_away_is_not_answered_by_another():
    own, other = Fixed("b"), Fixed()
    both = BackendSet(own, {"b": other})
    assert both.models() == []
    request = GenerationRequest(model_id="b", messages=(), sampling=Sampling(seed=1))
    assert both.generate(request)[0] is other
