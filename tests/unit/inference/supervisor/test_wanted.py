"""Which models a worker is to load, and when one is given up."""

from engine.errors import UnknownModelError, WorkerDiedError
from engine.inference.supervisor.wanted import DEATHS_OF_PROVEN, DEATHS_WHILE_LOADING, WantedModels


def test_models_are_loaded_in_the_order_of_asking_and_again_after_a_death():
    wanted = WantedModels()
    assert [wanted.want(name) for name in ("a", "b", "a")] == [True, True, False]
    assert [wanted.loading] == ["a"]
    wanted.loaded("a")
    assert (wanted.loading, wanted.is_loaded("a"), wanted.is_loaded("b")) == ("b", True, False)
    wanted.loaded("b")
    wanted.loaded("nobody wants this")
    assert [wanted.loading] == [None]
    assert not wanted.worker_died("chance")
    assert set(wanted.worker_ended()) == {"a", "b"}
    assert list(wanted) == ["a", "b"]
    assert [wanted.loading] == ["a"]


def test_the_model_that_kills_every_worker_is_given_up_alone():
    wanted = WantedModels()
    wanted.want("good")
    wanted.want("bad")
    for death in range(1, DEATHS_WHILE_LOADING + 1):
        wanted.loaded("good")
        assert wanted.worker_died("it crashed") == (death == DEATHS_WHILE_LOADING)
        wanted.worker_ended()
    assert list(wanted) == ["good"]
    error = wanted.error("bad")
    assert isinstance(error, WorkerDiedError)
    assert "it crashed" in str(error)
    assert wanted.want("bad")
    assert wanted.error("bad") is None


def test_a_model_that_has_run_here_is_tried_for_longer():
    wanted = WantedModels()
    wanted.want("a")
    wanted.loaded("a")
    wanted.worker_ended()
    assert [wanted.worker_died("killed") for _ in range(DEATHS_OF_PROVEN)] == [False] * (DEATHS_OF_PROVEN - 1) + [True]


def test_what_the_worker_cannot_load_is_an_error_of_the_model():
    wanted = WantedModels()
    wanted.want("a")
    wanted.failed("a", "The file is damaged.")
    assert isinstance(wanted.error("a"), UnknownModelError)
    assert not wanted


def test_what_was_stopped_is_not_loaded_any_more_but_was():
    wanted = WantedModels()
    wanted.want("a")
    wanted.loaded("a")
    wanted.clear()
    wanted.want("a")
    assert not wanted.is_loaded("a")
    assert wanted.worker_ended() == ("a",)
