"""The doctor as a part of a running engine, for its owner's window."""

from __future__ import annotations

from collections.abc import Callable

from engine.api.schema import ControlEvent, DoctorProgress, DoctorStep, ExamineConnection
from engine.clock import SystemClock
from engine.doctor.report import examined, look
from engine.node.diagnostics import redactor_of, shortened
from engine.node.node import Node


def attach_doctor(node: Node) -> None:
    """From now on ``node`` examines its connection when it is asked to."""

    async def doctor(request: ExamineConnection, tell: Callable[[ControlEvent], None]) -> ControlEvent:
        def progress(step: DoctorStep) -> None:
            tell(DoctorProgress(ref=request.ref, step=step))

        facts = await look(node.configuration, SystemClock(), progress, bandwidth=request.bandwidth)
        redactor = redactor_of(node, [])
        return examined(request.ref, facts, lambda report: redactor.value(shortened(report)))

    node.network.doctor = doctor
