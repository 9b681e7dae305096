"""Weights in a file of more than four gigabytes are read where they are, beyond 32 bits (the file is sparse)."""

import os
import sys

import numpy as np
import onnx
import pytest

from engine.errors import ModelFolderError
from engine.inference.models.folder import read_model_folder
from engine.inference.runtime.runner import Runner, RuntimeSettings
from engine.inference.scheduling.plan import Row
from tests.support.tiny_model import make_tiny_model

FAR = (4 << 30) + (1 << 20)
"""Where the weights begin in their file."""


def logits(folder):
    runner = Runner(read_model_folder("m", folder, lambda _: bytes(32)), RuntimeSettings(1, 1))
    found = runner.step([Row(0, 0, 0, (5, 17, 101), True)]).logits[0].copy()
    runner.close()
    return found


@pytest.fixture
def far(tmp_path):
    """The tiny model with its matrices at the end of a sparse file."""
    folder = make_tiny_model(tmp_path / "far")
    model = onnx.load(folder / "model.onnx")
    with (folder / "model.onnx.data").open("wb") as stream:
        stream.truncate(FAR)
        stream.seek(FAR)
        for one in model.graph.initializer:
            content = one.raw_data
            if one.dims[-1:] and len(content) > 4096:
                offset = stream.tell()
                stream.write(content)
                del one.external_data[:]
                one.ClearField("raw_data")
                one.data_location = onnx.TensorProto.EXTERNAL
                for key, value in {"location": "model.onnx.data", "offset": offset, "length": len(content)}.items():
                    one.external_data.add(key=key, value=str(value))
    onnx.save(model, folder / "model.onnx")
    return folder


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems may fill the file with four gigabytes")


def test_the_same_logits_from_far_offsets(far, tmp_path):
    folder = read_model_folder("m", far, lambda _: bytes(32))
    assert folder.size > FAR
    assert os.stat(far / "model.onnx.data").st_blocks * 512 < 64 << 20
    assert np.array_equal(logits(far), logits(make_tiny_model(tmp_path / "near")))


def test_one_byte_too_few_is_noticed(far):
    os.truncate(far / "model.onnx.data", os.path.getsize(far / "model.onnx.data") - 1)
    with pytest.raises(ModelFolderError, match="a download was cut off"):
        read_model_folder("m", far, lambda _: bytes(32))
