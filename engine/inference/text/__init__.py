"""Between text and tokens: the model's own tokenizer and chat template, incremental decoding, tool calls, reasoning.

It knows no tensors.
"""
