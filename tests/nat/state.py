"""``python -m tests.nat.state DATA``: one line of JSON, the state of the engine on that data directory, from inside its
namespace."""

import asyncio
import sys
from pathlib import Path

from engine.api.schema import encode
from engine.demo.control import open_control
from engine.storage.data_directory import DataDirectory


async def main(data: Path) -> None:
    async with asyncio.timeout(20), open_control(DataDirectory(data), lambda: None) as control:
        while control.state is None:
            await control.receive()
        print(encode(control.state))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
