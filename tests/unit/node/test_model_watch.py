"""A running engine notices downloads and removals."""

import asyncio

from engine.library.pins import Pin, Pins
from engine.node.model_watch import watch_models


async def test_every_change_is_noticed_once(tmp_path):
    models = tmp_path / "models"
    changes: asyncio.Queue[int] = asyncio.Queue()

    async def changed():
        changes.put_nowait(1)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch_models(models, changed, interval=0.01))
        await asyncio.sleep(0.05)
        assert changes.empty()
        models.mkdir()
        await asyncio.wait_for(changes.get(), 5)
        (models / "new").mkdir()
        await asyncio.wait_for(changes.get(), 5)
        Pins(models).put("new", Pin("import"))
        await asyncio.wait_for(changes.get(), 5)
        (models / "new").rmdir()
        await asyncio.wait_for(changes.get(), 5)
        await asyncio.sleep(0.1)
        while not changes.empty():  # a pin is two changes of the folder
            changes.get_nowait()
        await asyncio.sleep(0.1)
        assert changes.empty()
        task.cancel()
