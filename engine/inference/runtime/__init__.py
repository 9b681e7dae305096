"""ONNX Runtime: providers, graphs, cache memory, calls that feed tokens. Worker process only; it decides nothing."""
