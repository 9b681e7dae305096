"""Opening an ONNX Runtime session and putting its failures into words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import onnxruntime

from engine.errors import InferenceError, ModelFolderError, ProviderFailedError
from engine.inference.models.folder import ModelFolder
from engine.sentences import say

# ONNX Runtime's own builds report to their maker. Elsewhere than on Windows the worker's environment forbids it.
onnxruntime.disable_telemetry_events()

_WAITING = {
    "session.intra_op.allow_spinning": "1",
    "session.intra_op.spin_duration_us": "50",
    "session.force_spinning_stop": "1",
}
"""Between two operators of a step a thread waits awake, for 50 us at most: being woken up costs more than most of them
take. Measured on two processors with a 0.5B model: 26 % more tokens per second for one answer, 10 % for eight. Waiting
longer gains nothing more and, where other programs want all processors, takes them time. Between steps nobody waits
awake."""

_PROVIDER_LOST = re.compile(
    r"CUDA(?:_ERROR| error| failure)|cudaError|CUDNN|CUBLAS|out of memory|Failed to allocate memory|device lost"
    r"|DXGI_ERROR|bad_alloc|BFCArena",
    re.IGNORECASE,
)


def open_session(
    folder: ModelFolder, model: bytes, threads: int, providers: Sequence[Any], options: Mapping[str, str]
) -> Any:
    """A session of the rewritten graph ``model``; its external data is looked for beside the folder's graph.

    ``options``: ONNX Runtime's session configuration entries. Raises :class:`ModelFolderError`, or
    :class:`ProviderFailedError` where it is the device's fault.
    """
    settings = session_options(threads)
    entries = {"session.model_external_initializers_file_folder_path": str(folder.graph.parent), **options}
    for name, value in entries.items():
        settings.add_session_config_entry(name, value)
    try:
        return onnxruntime.InferenceSession(model, settings, providers=list(providers))
    except Exception as error:
        if is_provider_failure(error):
            raise ProviderFailedError(first_line(error)) from error
        raise ModelFolderError(
            say("load.damaged_or_other", path=str(folder.graph), problem=first_line(error))
        ) from error


def session_options(threads: int) -> Any:
    """What all sessions have in common: ``threads`` (0: ONNX Runtime chooses) that wait briefly for each other."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 4
    for name, value in _WAITING.items():
        settings.add_session_config_entry(name, value)
    return settings


def is_provider_failure(error: Exception) -> bool:
    """Whether the device or its memory failed, and not the request or the file."""
    return isinstance(error, MemoryError) or bool(_PROVIDER_LOST.search(str(error)))


def computing_error(model_id: str, error: Exception) -> InferenceError:
    """What a failed run means."""
    if is_provider_failure(error):
        return ProviderFailedError(say("worker.device_lost", model=model_id, problem=first_line(error)))
    return InferenceError(
        f"The model {model_id} failed while computing: {first_line(error)}. If this stays so, verify the model's files "
        "or free some memory."
    )


def first_line(error: Exception) -> str:
    """The first line of an error's text, shortened."""
    return str(error).partition("\n")[0][:300] or type(error).__name__


def runtime_version() -> tuple[int, int]:
    """Major and minor version of ONNX Runtime."""
    major, minor = str(onnxruntime.__version__).split(".")[:2]
    return int(major), int(minor)
