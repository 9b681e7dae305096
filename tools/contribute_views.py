"""Made-up data for the pictures of the page *Contribute*."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from PySide6.QtWidgets import QApplication

from app.desktop import Desktop
from app.models.history import SECONDS
from app.views.pages.contribute_page import ContributePage
from engine.api import schema
from engine.sentences import say, together

CARDS = (
    schema.Device(device="gpu0", name="NVIDIA GeForce RTX 4090", memory=24 << 30),
    schema.Device(device="gpu1", name="NVIDIA GeForce RTX 3060", memory=12 << 30),
)
PROCESSOR = schema.Device(device="cpu", name="The processor", kind="cpu", memory=64 << 30)
NIGHTS = sum(1 << hour for hour in (0, 1, 2, 3, 4, 5, 6, 22, 23))
RULES = schema.Rules(
    exclusive_programs=("blender", "obs", "Cyberpunk2077"), only_when_idle=True,
    schedule=(NIGHTS,) * 5 + (schema.ALL_DAY,) * 2, price=0.31, monthly_kwh=40.0, monthly_gigabytes=200.0,
    devices=(
        schema.DeviceRules(device="gpu0", memory_cap=20 * 1024, power_cap=320.0, temperature_cap=80.0),
        schema.DeviceRules(device="gpu1", on=False),
        schema.DeviceRules(device="cpu", memory_cap=16 * 1024, temperature_cap=85.0),
    ),
)  # fmt: skip
TOTALS = schema.Totals(
    tokens=1_184_000, tokens_today=36_240, tokens_month=2_931_000, answers=1184, kwh_month=9.42, cost=2.92,
    tokens_per_wh=311.1, gigabytes_month=1.7, reputation=0.93,
    checks=schema.Checks(passed=41, failed=0, undecided=2, last=1_790_000_400.0, hours=33.0),
)  # fmt: skip
CHOSEN = schema.ContributingState(
    on=True, status="on", model="Qwen2.5-1.5B-Instruct", answering=2, answered=1184, tokens=1_184_000,
    model_reason=together(
        say("automatic.chosen", model="Qwen2.5-1.5B-Instruct"), say("automatic.others", others=4, busy=70),
        say("automatic.measured", rate=61),
    ),
    better="Phi-4-mini-instruct",
    better_reason=together(
        say("automatic.better", model="Phi-4-mini-instruct", size=4.9), say("automatic.nobody"),
        say("automatic.expected", rate=48),
    ),
)  # fmt: skip
FAILED = schema.ContributingState(
    on=True, status="failed", model="Qwen2.5-1.5B-Instruct",
    reason=say(
        "load.failed", model="Qwen2.5-1.5B-Instruct",
        problem=say(
            "load.damaged", path="/home/ada/.local/share/GenTorrent/models/Qwen2.5-1.5B-Instruct/model.onnx",
            problem=say("load.no_graph"),
        ),
    ),
)  # fmt: skip
NOT_KEPT = say(
    "governor.rules_not_kept",
    problem=say(
        "storage.full", action=say("storage.write"), path="/home/ada/.local/share/GenTorrent/contributing/rules.json"
    ),
)
UNREAD = say(
    "governor.rules_partly",
    place="/home/ada/.local/share/GenTorrent/rules.json", names="longest_request, gpu1.power_cap",
)  # fmt: skip
IN_DOUBT = schema.ContributingState(
    on=True, status="paused", model="Qwen2.5-1.5B-Instruct", reason=say("governor.rules_doubt")
)
NIGHT = time.mktime((*time.localtime()[:3], 2, 12, 0, 0, 0, -1))
"""When the pictures are taken: at an hour in which the rules let this machine work, and the same for all of them."""
LOG = (
    (3600 * 9, say("governor.event_rules")),
    (3600 * 5, say("governor.event_paused", reasons=say("governor.idle", minutes=5.0))),
    (3600 * 4, say("governor.event_resumed")),
    (1500, say("governor.event_paused", reasons=say("governor.program", program="Cyberpunk2077"))),
    (300, say("governor.event_resumed")),
)


def contribution(**fields: object) -> schema.Contribution:
    """What an engine says of contributing."""
    values: dict[str, object] = {"rules": RULES, "totals": TOTALS, "devices": (*CARDS, PROCESSOR)}
    return schema.Contribution(**(values | fields))  # type: ignore[arg-type]


def samples(now: float, cards: tuple[schema.Device, ...], rests: int = 0) -> list[schema.ContributionSample]:
    """Ten minutes of a machine that has something to do, but for the last ``rests`` seconds."""
    found = []
    for second in range(SECONDS):
        works = second < SECONDS - rests
        busy = 0.55 + 0.3 * math.sin(second / 41) + 0.12 * math.sin(second / 7)
        devices = tuple(
            schema.DeviceSample(
                device=card.device, load=busy if place == 0 else 0.04, power=90 + 230 * busy if place == 0 else 17,
                temperature=48 + 24 * busy if place == 0 else 38, memory=(17 << 30) if place == 0 else 600 << 20,
            )
            for place, card in enumerate(cards)
        )  # fmt: skip
        found.append(schema.ContributionSample(
            at=now - SECONDS + second, answering=2 * works,
            tokens_per_s=works * (110 * busy + 8 * math.sin(second / 3)), processor_load=0.1 + 0.1 * busy,
            temperature=44 + 8 * busy, processor_power=22 + 9 * busy, devices=devices,
        ))  # fmt: skip
    return found


def show(
    desktop: Desktop, *opened: str, scrolled: str = "", works: bool = True, rests: int = 0, **fields: object
) -> None:
    """The page with these parts opened, scrolled to one of them; ``works``: with measurements of that; ``rests``: the
    seconds since it has done nothing."""
    now = time.time()
    said = contribution(**fields)
    told = desktop.link.event_received
    told.emit(said)
    log = tuple(schema.OwnerEvent(at=NIGHT - ago, text=text) for ago, text in LOG[: -1 if rests else None])
    told.emit(schema.OwnerEvents(ref="contribution", events=log))
    cards = tuple(one for one in said.devices if one.kind == "gpu")
    for sample in samples(now, cards, rests) if works else ():
        told.emit(sample)
    desktop.window.open_page("contribute")
    page = desktop.window.page_widget("contribute")
    assert isinstance(page, ContributePage)
    wait(lambda: all(chart.drawn or not chart.isVisible() for chart in page.charts.charts.values()))
    for name in opened:
        page.section(name).head.click()
    wait(lambda: True)
    if scrolled:
        page.verticalScrollBar().setValue(page.section(scrolled).y() - 24)


def wait(condition: Callable[[], bool], seconds: float = 300.0) -> None:
    """Let the window work until it holds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QApplication.processEvents()
        if condition():
            return
    raise RuntimeError("the page does not come to rest")
