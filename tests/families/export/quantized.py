"""The variants that repositories in the style of transformers.js carry, from one fp32 graph (in `.venv-torch`).

Half precision, 4 bits (MatMulNBits), both together (with external data), 4 bits of bitsandbytes, and dynamic 8 bits per
tensor.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_bnb4_quantizer import MatMulBnb4Quantizer
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.transformers.float16 import convert_float_to_float16

logging.disable(logging.INFO)


def main(work: Path) -> None:
    """Fill ``work/qwen2/variants`` from ``work/qwen2/concat/model.onnx``."""
    source, target = work / "qwen2" / "concat" / "model.onnx", work / "qwen2" / "variants"
    target.mkdir(parents=True, exist_ok=True)
    onnx.save(_half(onnx.load(source)), target / "model_fp16.onnx")
    onnx.save(_four_bits(onnx.load(source)), target / "model_q4.onnx")
    onnx.save(
        _half(_four_bits(onnx.load(source))),
        target / "model_q4f16.onnx",
        save_as_external_data=True,
        location="model_q4f16.onnx_data",
        size_threshold=1024,
    )
    onnx.save(_normal_float(onnx.load(source)), target / "model_bnb4.onnx")
    quantize_dynamic(source, target / "model_quantized.onnx", weight_type=QuantType.QUInt8)
    print("[families] qwen2: fp16, q4, q4f16, bnb4 and quantized", flush=True)


def _half(model: Any) -> Any:
    return convert_float_to_float16(model, keep_io_types=False, disable_shape_infer=True)


def _four_bits(model: Any) -> Any:
    quantizer = MatMulNBitsQuantizer(model, block_size=32, is_symmetric=True, accuracy_level=None)
    quantizer.process()
    return quantizer.model.model


def _normal_float(model: Any) -> Any:
    quantizer = MatMulBnb4Quantizer(model, quant_type=MatMulBnb4Quantizer.NF4, block_size=64)
    quantizer.process()
    return quantizer.model.model


if __name__ == "__main__":
    main(Path(sys.argv[1]))
