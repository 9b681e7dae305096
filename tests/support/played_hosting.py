"""A played network service for window tests: hosts what it is told to, and refuses what it is told to refuse."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from engine.api import schema

Tell = Callable[[schema.ControlEvent], None]
ADDRESS = "http://192.168.1.20:8900"


@dataclass
class PlayedHosting:
    """``refusal``: why the next wish is refused; ``now``: what is hosted."""

    now: schema.Hosting = field(
        default_factory=lambda: schema.Hosting(local_address="192.168.1.20", ids=("nodeid", "clientid"))
    )
    refusal: str = ""
    requests: list[schema.NetworkRequest] = field(default_factory=list)
    clients: list[Tell] = field(default_factory=list)
    found: schema.Examined = field(default_factory=lambda: schema.Examined(ref="", healthy=True, findings=()))
    shares_samples: bool = False
    examined: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when an examination may end."""

    def attach(self, tell: Tell) -> None:
        self.clients.append(tell)

    def detach(self, tell: Tell) -> None:
        if tell in self.clients:
            self.clients.remove(tell)

    def change(self, **fields: object) -> None:
        """It is so from now on, and all are told."""
        self.now = msgspec.structs.replace(self.now, **fields)
        for tell in self.clients:
            tell(self.now)

    def _sharing(self, ref: str) -> schema.SampleSharing:
        return schema.SampleSharing(ref=ref, on=self.shares_samples, percent=2, most_a_day=3, today=0)

    async def handle(self, request: schema.NetworkRequest, tell: Tell) -> schema.ControlEvent:
        self.requests.append(request)
        if isinstance(request, schema.ExamineConnection):
            tell(schema.DoctorProgress(ref=request.ref, step="links"))
            await self.examined.wait()
        if self.refusal and not isinstance(request, schema.GetHosting | schema.GetSampleSharing):
            tag = str(type(request).__struct_config__.tag)
            return schema.RequestFailed(request=tag, code="invalid_request", text=self.refusal, ref=request.ref)
        match request:
            case schema.HostNetwork():
                name = request.name or self.now.name
                self.change(status="running", name=name, private=request.private, url=ADDRESS, address=f"{ADDRESS}#1f")
                if request.join:
                    tell(schema.NetworkKept(ref="", address="http://127.0.0.1:8900#1f"))
            case schema.ExamineConnection():
                return msgspec.structs.replace(self.found, ref=request.ref)
            case schema.ShareSamples(on=on):
                self.shares_samples = on
                return self._sharing(request.ref)
            case schema.GetSampleSharing():
                return self._sharing(request.ref)
            case schema.ReportSample():
                return schema.SampleReported(ref=request.ref, machines=1)
            case schema.StopHosting():
                self.change(status="off")
            case schema.MakeInvitation():
                made = schema.HostedInvitation(
                    invitation=f"{len(self.now.invitations):02}" * 16,
                    label=request.label,
                    expires=2_000_000_000.0,
                    bound=bool(request.bound),
                )
                self.change(invitations=(*self.now.invitations, made))
                return schema.InvitationMade(ref=request.ref, text="gentorrent-invite-played", invitation=made)
            case schema.RevokeInvitation(invitation=name):
                rows = tuple(
                    msgspec.structs.replace(one, status="revoked") if one.invitation == name else one
                    for one in self.now.invitations
                )
                self.change(invitations=rows)
        return msgspec.structs.replace(self.now, ref=request.ref)
