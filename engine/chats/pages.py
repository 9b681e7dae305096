"""Pieces of a branch, as many messages and characters of it as fit into one event. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from engine.api.schema import StoredMessage


class Page(Struct, frozen=True):
    """Messages of a branch, oldest first; whether there are ``earlier`` ones before and ``later`` ones behind them."""

    messages: tuple[StoredMessage, ...]
    earlier: bool
    later: bool


class Place(Struct, frozen=True):
    """Where a page is: the messages ``before`` one, ``after`` one or ``around`` one (and itself); the end of the branch
    where none of these is named, or where it does not lie on the branch."""

    before: str = ""
    after: str = ""
    around: str = ""


def candidates(branch: Sequence[str], place: Place, limit: int) -> tuple[range, int]:
    """The places in ``branch`` that a page of at most ``limit`` messages may take, and the one that it must have."""
    if place.around in branch:
        at = branch.index(place.around)
        first = max(0, min(at - limit // 2, len(branch) - limit))
        return range(first, min(len(branch), first + limit)), at
    if place.after in branch:
        first = branch.index(place.after) + 1
        return range(first, min(len(branch), first + limit)), first
    end = branch.index(place.before) if place.before in branch else len(branch)
    return range(max(0, end - limit), end), end - 1


def grown(among: range, begin: int, room: int, length: Callable[[int], int]) -> range:
    """The range that begins as the place ``begin`` and grows by turns to both sides, within ``among``, while the
    lengths of what it has are not more than ``room`` together. ``begin`` is in it, however long."""
    if begin not in among:
        return among[:0]
    first, last = begin, begin
    room -= length(begin)
    open_sides = [-1, 1]
    while open_sides:
        side = open_sides.pop(0)
        following = first - 1 if side < 0 else last + 1
        if following not in among or length(following) > room:
            continue
        room -= length(following)
        first, last = min(first, following), max(last, following)
        open_sides.append(side)
    return range(first, last + 1)
