"""What programs hear that ask for a part of OpenAI's API which this engine does not have."""

from __future__ import annotations

_SERVED = (
    "This engine makes answers of text: POST /v1/chat/completions and POST /v1/completions. GET /v1/models lists the "
    "models that can be asked."
)
_KNOWN = {
    "responses": "The Responses API is not served; chat completions can do most of it.",
    "conversations": "Conversations are not kept by the engine; send the messages with every request.",
    "embeddings": "Embeddings are not served: no model that makes them runs in the network.",
    "audio": "Speech is not served, neither read nor made.",
    "images": "Images are not served, neither read nor made.",
    "videos": "Videos are not served.",
    "realtime": "The Realtime API is not served; chat completions can be streamed.",
    "moderations": "Moderation is not served: nobody judges questions for you.",
    "batches": "Batches are not served; send the requests side by side.",
    "files": "Files are not kept by the engine; send their text in a message.",
    "uploads": "Files are not kept by the engine; send their text in a message.",
    "vector_stores": "Vector stores are not served.",
    "fine_tuning": "Fine-tuning is not served.",
    "fine-tunes": "Fine-tuning is not served.",
    "evals": "Evaluations are not served.",
    "containers": "Containers are not served.",
    "assistants": "The Assistants API is not served; chat completions with tools can do most of it.",
    "threads": "The Assistants API is not served; chat completions with tools can do most of it.",
    "organization": "There are no organizations here.",
    "edits": "Edits are not served; ask for them in a chat completion.",
    "engines": "Engines are the old name of models.",
}


def not_served(method: str, path: str) -> str:
    """Why nothing is at ``path``, and what there is."""
    area = path.removeprefix("/v1/").partition("/")[0] if path.startswith("/v1/") else ""
    reason = _KNOWN.get(area)
    first = f"{method} {path[:200]} is not served here."
    return " ".join([first, *([reason] if reason else []), _SERVED])
