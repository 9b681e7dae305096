"""Questions to begin with: each belongs to a help topic, so that the built-in model can answer it. They stay English in
every language of the window, because that is what the built-in model reads."""

SUGGESTIONS = (
    ("who-can-read-prompt", "Who can read my questions?"),
    ("contribute-on", "How do I contribute?"),
    ("receipt", "What is a receipt?"),
)
"""(id of the help topic, question)."""
