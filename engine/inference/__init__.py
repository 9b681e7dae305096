"""Answers from language models on this machine: ONNX Runtime in a worker process of its own.

``scheduling``, ``sampling`` and ``text.decoder`` decide and are pure; ``runtime``, ``text.tokenizer`` and ``worker``
live in the worker process; ``models``, ``supervisor`` and ``remote`` live in the engine; ``types`` and ``pipe`` are
what both sides share. Nothing here knows keys or peers; only ``models`` (downloads) and ``remote`` use a network.
"""
