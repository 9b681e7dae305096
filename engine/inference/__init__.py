"""Answers from language models on this machine: ONNX Runtime in a worker process of its own.

``scheduler``, ``kv_cache``, ``sampling`` and ``text`` decide and are pure; ``runner``, ``tokenizer``,
``model_host`` and ``worker`` live in the worker process; ``catalogue`` and ``supervisor`` live in the engine. Nothing
here knows keys, peers or links, and nothing here talks to a network.
"""
