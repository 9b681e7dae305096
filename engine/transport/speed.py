"""How bandwidth to a bootstrap server is measured: so many bytes each way, by HTTP."""

from __future__ import annotations

SPEED_PATH = "/v1/speed"
SPEED_BYTES = 1_000_000
