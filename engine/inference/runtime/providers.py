"""Execution providers: what a session is asked to run on, what it really got, and what is missing for a GPU.

``onnxruntime.get_available_providers()`` names CUDA on machines without a GPU, and a session that cannot have CUDA
falls back to the processor without a word. So only ``session.get_providers()`` is believed, and a session that did not
get what it was asked for is an error here: the engine then uses another device and says why.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import onnxruntime

from engine.errors import ProviderFailedError

CPU, CUDA, COREML = "CPUExecutionProvider", "CUDAExecutionProvider", "CoreMLExecutionProvider"
FIX = 'pip install "gentorrent[cuda]"'
DEVICES = {CPU: "cpu", CUDA: "cuda", COREML: "cpu"}
"""Where each provider's inputs and outputs lie, as ONNX Runtime names it."""

# What ONNX Runtime 1.31 for CUDA 13 loads, and NVIDIA's packages that bring it.
_LIBRARIES = {
    "linux": (
        ("libcudart.so.13", "nvidia-cuda-runtime"),
        ("libcublasLt.so.13", "nvidia-cublas"),
        ("libcublas.so.13", "nvidia-cublas"),
        ("libcurand.so.10", "nvidia-curand"),
        ("libcufft.so.12", "nvidia-cufft"),
        ("libnvrtc.so.13", "nvidia-cuda-nvrtc"),
        ("libcudnn.so.9", "nvidia-cudnn-cu13"),
    ),
    "win32": (
        ("cudart64_13.dll", "nvidia-cuda-runtime"),
        ("cublasLt64_13.dll", "nvidia-cublas"),
        ("cublas64_13.dll", "nvidia-cublas"),
        ("cufft64_12.dll", "nvidia-cufft"),
        ("cudnn64_9.dll", "nvidia-cudnn-cu13"),
    ),
}


def provider_options(names: Sequence[str], device: int) -> list[Any]:
    """The providers as a session takes them, in order of preference. ``device``: number of the GPU."""
    options: dict[str, dict[str, str]] = {
        CUDA: {
            "device_id": str(device),
            # Memory grows by what is needed: the rest belongs to the caches and to the owner's other programs.
            "arena_extend_strategy": "kSameAsRequested",
            # Products of 32-bit numbers with 10 bits of precision would not be what other nodes compute.
            "use_tf32": "0",
        },
        COREML: {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL", "RequireStaticInputShapes": "1"},
    }
    return [(name, options.get(name, {})) for name in names]


def prepare_device(
    names: Sequence[str], load: Callable[[str], Any] = ctypes.CDLL, platform: str = sys.platform
) -> None:
    """Load NVIDIA's libraries if CUDA is wanted; :class:`ProviderFailedError` names what is missing and the fix."""
    if CUDA not in names:
        return
    if CUDA not in onnxruntime.get_available_providers():
        raise ProviderFailedError(
            "this installation of ONNX Runtime knows no CUDA: another package wrote over onnxruntime-gpu. Install "
            "GenTorrent anew in an environment of its own."
        )
    onnxruntime.preload_dlls()  # NVIDIA's packages first, then where the system looks for libraries
    missing = missing_libraries(load, platform)
    if missing:
        names_of = ", ".join(f"{library} (package {package})" for library, package in missing)
        raise ProviderFailedError(f"NVIDIA's libraries are not complete, {names_of} is missing. Install them: {FIX}")


def missing_libraries(load: Callable[[str], Any], platform: str) -> list[tuple[str, str]]:
    """Libraries that cannot be loaded, each with the package that brings it."""
    missing = []
    for library, package in _LIBRARIES.get(platform, ()):
        try:
            load(library)
        except OSError:
            missing.append((library, package))
    return missing


def check_provider(session: Any, wanted: Sequence[str]) -> str:
    """The provider that ``session`` really has; :class:`ProviderFailedError` if it is not the first one wanted."""
    found = str(session.get_providers()[0])
    if found == wanted[0]:
        return found
    text = f"ONNX Runtime made a session for {plain(found)} in the place of {plain(wanted[0])}."
    if wanted[0] == CUDA:
        text += f" CUDA 13 needs NVIDIA's driver 580 or newer: update the driver. Installed here: {_installed()}."
    raise ProviderFailedError(text)


def plain(provider: str) -> str:
    """The provider in words."""
    return {CPU: "the processor", CUDA: "CUDA on an NVIDIA GPU", COREML: "Apple's Core ML"}.get(provider, provider)


def _installed() -> str:
    found = []
    for package in ("onnxruntime-gpu", "nvidia-cuda-runtime", "nvidia-cudnn-cu13"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found) or "no package of NVIDIA"
