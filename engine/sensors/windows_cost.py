"""Windows: whether the connection is metered, as its network list says (INetworkCostManager, by COM)."""

from __future__ import annotations

import ctypes
import uuid
from typing import Any

from engine.sensors.base import Fields, Unmeasured

NETWORK_LIST_MANAGER = uuid.UUID("DCB00C01-570F-4A9B-8D69-199FDBA5723B")
NETWORK_COST_MANAGER = uuid.UUID("DCB00008-570F-4A9B-8D69-199FDBA5723B")
RELEASE, GET_COST = 2, 3
"""Places in the interface's table of functions."""
ANY_THREAD, ANYWHERE = 0, 23
"""COINIT_MULTITHREADED and CLSCTX_ALL."""
UNRESTRICTED = 0x1
COSTS = 0x2 | 0x4 | 0x10000 | 0x40000
"""NLM_CONNECTION_COST: a fixed or variable price, over the data limit, roaming."""


def metered(ole32: Any) -> Fields:
    """Whether Windows says that data costs. ``ole32``: the library."""
    began = ole32.CoInitializeEx(None, ANY_THREAD) >= 0  # else this thread has COM of another kind, which serves, too
    try:
        manager = ctypes.c_void_p()
        names = (NETWORK_LIST_MANAGER.bytes_le, NETWORK_COST_MANAGER.bytes_le)
        if ole32.CoCreateInstance(names[0], None, ANYWHERE, names[1], ctypes.byref(manager)) < 0 or not manager.value:
            raise Unmeasured
        try:
            cost = ctypes.c_uint32()
            ask = _function(manager.value, GET_COST, ctypes.c_void_p, ctypes.c_void_p)
            if ask(manager.value, ctypes.addressof(cost), None) < 0:
                raise Unmeasured
        finally:
            _function(manager.value, RELEASE)(manager.value)
    finally:
        if began:
            ole32.CoUninitialize()
    if cost.value & COSTS:
        return {"metered": True}
    if cost.value & UNRESTRICTED:
        return {"metered": False}
    raise Unmeasured  # it does not know itself


def _function(thing: int, place: int, *arguments: Any) -> Any:
    """A function of an interface: its first word points at the table of them. On 64-bit systems Windows calls as C."""
    table = ctypes.c_void_p.from_address(thing).value or 0
    address = ctypes.c_void_p.from_address(table + place * ctypes.sizeof(ctypes.c_void_p)).value or 0
    return ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, *arguments)(address)
