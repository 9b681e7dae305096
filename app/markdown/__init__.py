"""Markdown of strangers, read into plain values: parsing, highlighting and links, without widgets and without I/O."""
