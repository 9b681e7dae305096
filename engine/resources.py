"""Where the files that are not code lie: in the checkout, in an installed wheel or in a frozen bundle.

The repository keeps them in ``resources/engine`` and ``resources/app``. A wheel carries them as ``engine/resources``
and ``app/resources`` (hatchling's force-include), which an editable install does not see; a frozen bundle copies the
layout of the wheel. `resource_path` knows these places, so that no other module has to.
"""

import sys
from pathlib import Path

from engine.errors import ResourceMissingError

_PACKAGE = Path(__file__).resolve().parent


def resource_path(name: str) -> Path:
    """Return the path of the file or folder ``name``, such as ``"engine/builtin/model.onnx"``.

    ``name`` is relative, with forward slashes, and begins with ``engine/`` or ``app/``. The checkout is looked at
    first, so that a changed resource counts without a reinstall. Raises `ValueError` for any other name and
    `ResourceMissingError` if the file is in none of the places.
    """
    owner, _, rest = name.partition("/")
    if owner not in ("engine", "app") or not rest or ".." in rest.split("/") or "\\" in rest or rest.startswith("/"):
        raise ValueError(f"A resource is named engine/... or app/..., not {name!r}.")
    for root in _roots(owner):
        candidate = root / rest
        if candidate.exists():
            return candidate
    raise ResourceMissingError(
        f"The program's own file {name} is missing, so this installation is damaged. Install GenTorrent again, or, in "
        "a checkout, run: git checkout -- resources"
    )


def _roots(owner: str) -> list[Path]:
    """The folders that may hold the resources of ``owner`` ("engine" or "app"), best first."""
    checkout = _PACKAGE.parent
    roots = []
    if (checkout / "pyproject.toml").is_file():
        roots.append(checkout / "resources" / owner)
    roots.append(checkout / owner / "resources")
    frozen = getattr(sys, "_MEIPASS", None)
    if isinstance(frozen, str):
        roots.append(Path(frozen) / owner / "resources")
    return roots
