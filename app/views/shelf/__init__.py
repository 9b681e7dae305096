"""The parts of the page *Models*: rows, cards and dialogs over view-models. None speaks with the engine itself."""
