"""Answers made by another server that speaks OpenAI's protocol, behind the same interface. It loads no model itself."""
