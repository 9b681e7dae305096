"""Widgets. They show view-models and report what the user does; they know nothing of the engine's connection."""
