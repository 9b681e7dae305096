"""Markdown of strangers, read into plain values: parsing, highlighting and links, without widgets. Nothing here opens,
loads or runs anything."""
