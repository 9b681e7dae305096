"""The parts of the page *Models*: rows, cards and dialogs over view-models; they do not speak with the engine."""
