"""Questions to the desktop and the system over D-Bus, one at a time, with patience that ends."""

from __future__ import annotations

from typing import Any, Literal

from engine.sensors.base import Unmeasured

SECONDS = 1.5
Bus = Literal["SESSION", "SYSTEM"]


def call(bus: Bus, name: str, path: str, interface: str, method: str, signature: str = "", body: Any = ()) -> Any:
    """The first value of the reply. ``Unmeasured`` where there is no bus, nobody of that name, or no answer."""
    try:
        from jeepney import DBusAddress, DBusErrorResponse, new_method_call
        from jeepney.io.blocking import open_dbus_connection
    except ImportError:
        raise Unmeasured from None
    try:
        with open_dbus_connection(bus, auth_timeout=SECONDS) as connection:
            address = DBusAddress(path, bus_name=name, interface=interface)
            message = new_method_call(address, method, signature or None, body)
            reply = connection.send_and_get_reply(message, timeout=SECONDS, unwrap=True)
    except (OSError, KeyError, ValueError, TimeoutError, DBusErrorResponse) as error:
        raise Unmeasured from error
    if not reply:
        raise Unmeasured
    return reply[0]


def property_of(bus: Bus, name: str, path: str, interface: str, prop: str) -> Any:
    """The value of a property, without its signature."""
    where = "org.freedesktop.DBus.Properties"
    variant = call(bus, name, path, where, "Get", "ss", (interface, prop))
    if not isinstance(variant, tuple) or len(variant) != 2:
        raise Unmeasured
    return variant[1]
