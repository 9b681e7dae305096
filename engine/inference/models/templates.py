"""The chat templates of a model folder, wherever repositories keep them. Only read here, never rendered."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ModelFolderError
from engine.inference.models.files import checked_file, read_json
from engine.inference.models.folder import TEMPLATES, ModelFolder
from engine.sentences import say

MAX_TEMPLATE = 1 << 20
"""Characters; the longest known ones have thirty thousand."""


def read_templates(folder: ModelFolder) -> dict[str, str]:
    """Name to template; the plain one is "default". {} if the model has none (it then only continues text).

    ``chat_template.jinja`` and ``additional_chat_templates/*.jinja`` go before ``chat_template.json``, and that before
    ``chat_template`` in ``tokenizer_config.json``, as in transformers. Raises :class:`ModelFolderError`.
    """
    place, root = folder.tokenizer_path, folder.path
    found: dict[str, str] = {}
    for name in ("tokenizer_config.json", "chat_template.json"):
        if (place / name).is_file():
            found |= _in_json(place / name, read_json(root, place / name).get("chat_template"))
    for path in sorted((place / TEMPLATES).glob("*.jinja")) if (place / TEMPLATES).is_dir() else []:
        found[path.stem] = _text(root, path)
    if (place / "chat_template.jinja").is_file():
        found["default"] = _text(root, place / "chat_template.jinja")
    return found


def _in_json(path: Path, value: object) -> dict[str, str]:
    """A template, or a list of named ones: [{"name": "tool_use", "template": "…"}]."""
    if value is None:
        return {}
    named = value if isinstance(value, list) else [{"name": "default", "template": value}]
    found = {}
    for one in named:
        name = one.get("name") if isinstance(one, dict) else None
        template = one.get("template") if isinstance(one, dict) else None
        if not isinstance(name, str) or not isinstance(template, str) or len(template) > MAX_TEMPLATE:
            raise ModelFolderError(say("folder.template_kind", path=str(path)))
        found[name] = template
    return found


def _text(root: Path, path: Path) -> str:
    checked_file(root, path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelFolderError(say("folder.no_text", path=str(path), reason=str(error))) from error
    if len(text) > MAX_TEMPLATE:
        raise ModelFolderError(say("folder.template_too_large", path=str(path)))
    return text
