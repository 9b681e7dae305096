"""What a GPU needs is asked for, found missing by name, and never assumed."""

from types import SimpleNamespace

import onnxruntime
import pytest

from engine.errors import ProviderFailedError
from engine.inference.runtime.providers import (
    COREML,
    CPU,
    CUDA,
    check_provider,
    missing_libraries,
    prepare_device,
    provider_options,
)


@pytest.fixture
def cuda_build(monkeypatch):
    """A build with CUDA, whose preloading does nothing."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None, raising=False)


def lacking(*names):
    def load(library):
        if library in names:
            raise OSError(f"{library}: cannot open shared object file")

    return load


@pytest.mark.parametrize(
    ("platform", "library", "package"),
    [
        ("linux", "libcudnn.so.9", "nvidia-cudnn-cu13"),
        ("linux", "libcublas.so.13", "nvidia-cublas"),
        ("win32", "cudart64_13.dll", "nvidia-cuda-runtime"),
    ],
)
def test_a_missing_library_is_named_with_its_package_and_the_fix(cuda_build, platform, library, package):
    with pytest.raises(ProviderFailedError) as caught:
        prepare_device((CUDA, CPU), lacking(library), platform)
    assert library in str(caught.value)
    assert package in str(caught.value)
    assert 'pip install "gentorrent[cuda]"' in str(caught.value)


def test_with_all_libraries_or_without_a_gpu_nothing_is_missing(cuda_build):
    prepare_device((CUDA, CPU), lacking(), "linux")
    prepare_device((CPU,), lacking("libcudnn.so.9"), "linux")
    assert missing_libraries(lacking("libcudnn.so.9"), "darwin") == []


def test_a_build_without_cuda_is_named(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])
    with pytest.raises(ProviderFailedError, match="onnxruntime-gpu"):
        prepare_device((CUDA, CPU), lacking(), "linux")


def test_only_the_session_is_believed():
    session = SimpleNamespace(get_providers=lambda: [CUDA, CPU])
    assert check_provider(session, (CUDA, CPU)) == CUDA
    fallen_back = SimpleNamespace(get_providers=lambda: [CPU])
    assert check_provider(fallen_back, (CPU,)) == CPU
    with pytest.raises(ProviderFailedError, match="driver"):
        check_provider(fallen_back, (CUDA, CPU))
    with pytest.raises(ProviderFailedError, match="Core ML"):
        check_provider(fallen_back, (COREML, CPU))


def test_the_gpu_is_asked_for_by_number_and_exact():
    (name, options), last = provider_options((CUDA, CPU), 3)
    assert (name, options["device_id"], options["use_tf32"]) == (CUDA, "3", "0")
    assert last == (CPU, {})
