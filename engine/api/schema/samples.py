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


class GetSampleSharing(NetworkRequest, frozen=True, kw_only=True, tag="get_sample_sharing"):
    """Whether receipts of a few of the owner's answers are handed in by themselves. Answered by ``SampleSharing``."""


class ShareSamples(NetworkRequest, frozen=True, kw_only=True, tag="share_samples"):
    """The owner agrees that receipts of a small random share of its answers are handed in by themselves, as
    ``ReportSample`` does, always over anonymous paths; or does no more. Answered by ``SampleSharing``."""

    on: bool


class SampleSharing(ControlEvent, frozen=True, kw_only=True, tag="sample_sharing"):
    """``percent`` of the answers while it is ``on``, at most so many a day; ``today`` so many have been drawn."""

    ref: str
    on: bool
    percent: int
    most_a_day: int
    today: int


class SampleReported(ControlEvent, frozen=True, kw_only=True, tag="sample_reported"):
    """Brought: receipts of so many ``machines``."""

    ref: str
    machines: int


AnySamplesRequest = GetSampleSharing | ReportSample | ShareSamples
AnySamplesEvent = SampleReported | SampleSharing

__all__ = [
    "AnySamplesEvent",
    "AnySamplesRequest",
    "GetSampleSharing",
    "ReportSample",
    "SampleReported",
    "SampleSharing",
    "ShareSamples",
]
