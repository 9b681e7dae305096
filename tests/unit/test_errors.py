"""Failures of task groups are told as one, on every Python that is supported."""

import ast
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from engine.errors import DirectoryError, GenTorrentError, WireError, first_failure

ROOT = Path(__file__).resolve().parents[2]


async def _fail(error: BaseException) -> None:
    raise error


async def _group(*errors: BaseException) -> None:
    async with asyncio.TaskGroup() as group:
        for error in errors:
            group.create_task(_fail(error))


async def _nested(*errors: BaseException) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_group(*errors))


@pytest.mark.parametrize("run", [_group, _nested])
async def test_the_first_of_a_group_is_told_alone(run: Callable[..., Awaitable[None]]) -> None:
    with pytest.raises(GenTorrentError, match=r"^first$"), first_failure(GenTorrentError):
        await run(WireError("first"), DirectoryError("second"))


async def test_a_fault_among_them_is_not_hidden() -> None:
    with pytest.raises(ExceptionGroup) as told, first_failure(GenTorrentError):
        await _group(WireError("first"), ValueError("a fault"))
    assert [str(error) for error in told.value.exceptions] == ["first", "a fault"]


async def test_one_error_and_one_of_several_kinds_pass() -> None:
    with pytest.raises(WireError, match=r"^alone$"), first_failure(GenTorrentError):
        raise WireError("alone")
    with pytest.raises(OSError, match=r"^gone$"), first_failure((GenTorrentError, OSError)):
        await _group(OSError("gone"))


def test_nothing_is_raised_in_except_star() -> None:
    """Up to Python 3.11.3 it comes out inside a group; ``first_failure`` is for that."""
    raising = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("app", "engine", "tools")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.TryStar)
        and any(isinstance(inner, ast.Raise) for handler in node.handlers for inner in ast.walk(handler))
    ]
    assert raising == []
