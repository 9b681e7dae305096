"""Control messages about answers that the owner doubts."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.api.schema.base import ControlEvent
from engine.api.schema.hosting import NetworkRequest

MAX_SAMPLE_FILE = 500_000


class ReportSample(NetworkRequest, frozen=True, kw_only=True, tag="report_sample"):
    """Hand the receipts of an answer to the verifiers, so that they may check sooner who signed them: nothing else
    follows. ``receipt``: an exported receipt as JSON. Question and answer are not needed, and never leave the engine
    where they are in it. Answered by ``SampleReported`` or ``RequestFailed``, which says why it was refused."""

    receipt: Annotated[str, Meta(max_length=MAX_SAMPLE_FILE)]


class SampleReported(ControlEvent, frozen=True, kw_only=True, tag="sample_reported"):
    """Brought: receipts of so many ``machines``."""

    ref: str
    machines: int


AnySamplesRequest = ReportSample
AnySamplesEvent = SampleReported

__all__ = [
    "AnySamplesEvent",
    "AnySamplesRequest",
    "ReportSample",
    "SampleReported",
]
