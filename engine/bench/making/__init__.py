"""Makes the model files of the benchmarks from a seed: checkpoint, ONNX graphs, GGUF files, tokenizer.

It runs in ``.venv-peers``, where PyTorch, the exporters and llama.cpp are, and is not imported by the engine.
"""
