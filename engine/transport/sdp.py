"""The little of SDP that a link needs, read strictly and written in one form.

The WebRTC library never sees a peer's bytes: :func:`parse_session` takes out the few values that matter, each checked
against its grammar, and :meth:`Session.render` writes a description of our own from them (RFC 8829, RFC 8839, RFC 8841;
one application section, data channels only). Everything else in a peer's description is ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from engine.errors import LinkError
from engine.transport.addresses import is_acceptable
from engine.transport.signaling import MAXIMUM_SIGNAL_LENGTH
from engine.wire.codec import MAX_LINK_MESSAGE

MAXIMUM_CANDIDATES = 16
"""ICE candidates kept of one description; a description with more than 64 is refused."""
_MAXIMUM_LINES = 160
_MAXIMUM_CANDIDATE_LINES = 64

_MEDIA = re.compile(r"m=application [0-9]{1,5} UDP/DTLS/SCTP webrtc-datachannel")
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,100}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,128}")
_FINGERPRINT = re.compile(r"[sS][hH][aA]-256 ((?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2})")
_MID = re.compile(r"[A-Za-z0-9_-]{1,16}")
_PORT = re.compile(r"[0-9]{1,5}")
_CANDIDATE = re.compile(
    r"([A-Za-z0-9+/]{1,32}) 1 [uU][dD][pP] ([0-9]{1,10}) ([0-9A-Fa-f:.]{2,45}) ([0-9]{1,5})"
    r" typ (host|srflx|relay)(?: .*)?"
)
_SETUP = {"offer": ("actpass",), "answer": ("active", "passive")}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One UDP address at which a peer can be tried (RFC 8839); related addresses are neither read nor told."""

    foundation: str
    priority: int
    address: str
    port: int
    kind: str

    def render(self) -> str:
        """The attribute line, without line end."""
        related = "" if self.kind == "host" else " raddr 0.0.0.0 rport 9"
        return (
            f"a=candidate:{self.foundation} 1 udp {self.priority} {self.address} {self.port} typ {self.kind}{related}"
        )


@dataclass(frozen=True, slots=True)
class Session:
    """What one side says of itself: ``fingerprint`` is the SHA-256 of its DTLS certificate, 32 bytes; ``setup`` is
    ``actpass`` in an offer, ``active`` or ``passive`` in an answer (RFC 8842)."""

    ufrag: str
    password: str
    fingerprint: bytes
    setup: str
    mid: str
    sctp_port: int
    candidates: tuple[Candidate, ...]

    def render(self) -> str:
        """The whole description, with CRLF line ends, at most 16,384 characters."""
        return "".join(
            line + "\r\n"
            for line in (
                "v=0",
                "o=- 1 1 IN IP4 0.0.0.0",
                "s=-",
                "t=0 0",
                f"a=group:BUNDLE {self.mid}",
                "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
                "c=IN IP4 0.0.0.0",
                f"a=mid:{self.mid}",
                f"a=sctp-port:{self.sctp_port}",
                f"a=max-message-size:{MAX_LINK_MESSAGE}",
                *(candidate.render() for candidate in self.candidates),
                "a=end-of-candidates",
                f"a=ice-ufrag:{self.ufrag}",
                f"a=ice-pwd:{self.password}",
                f"a=fingerprint:sha-256 {self.fingerprint.hex(':').upper()}",
                f"a=setup:{self.setup}",
            )
        )

    def reachable(self, *, loopback_only: bool) -> Session:
        """This session with only the candidates that we are willing to send to; :class:`LinkError` if none is left."""
        kept = tuple(c for c in self.candidates if is_acceptable(c.address, loopback_only=loopback_only))
        if not kept:
            allowed = "127.0.0.1, as this network stays on one machine" if loopback_only else "public or private hosts"
            raise LinkError(f"the peer names no address that may be used (only {allowed})")
        return replace(self, candidates=kept[:MAXIMUM_CANDIDATES])


def parse_session(data: bytes, kind: str) -> Session:
    """The session in ``data``, an SDP ``offer`` or ``answer`` of a peer.

    Raises :class:`LinkError` for anything but one application section with exactly one ``ice-ufrag``, ``ice-pwd``,
    ``mid``, ``sctp-port``, ``setup`` and ``fingerprint``, the last with SHA-256. Candidates that are not literal IP
    addresses over UDP are left out.
    """
    if len(data) > MAXIMUM_SIGNAL_LENGTH:
        raise LinkError(f"session description of {len(data)} bytes is too long")
    try:
        lines = data.decode("ascii").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise LinkError("session description is not ASCII text") from error
    if len(lines) > _MAXIMUM_LINES:
        raise LinkError("session description has too many lines")
    media = [line for line in lines if line.startswith("m=")]
    if len(media) != 1 or not _MEDIA.fullmatch(media[0]):
        raise LinkError("session description must have one data channel section and no other")
    if "a=ice-lite" in lines:
        raise LinkError("ICE Lite is not supported")
    fingerprint = _single(lines, "fingerprint", _FINGERPRINT)
    match = _FINGERPRINT.fullmatch(fingerprint)
    assert match is not None
    setup = _single(lines, "setup", None)
    if setup not in _SETUP[kind]:
        raise LinkError(f"session description has the wrong DTLS role for an {kind}")
    return Session(
        ufrag=_single(lines, "ice-ufrag", _UFRAG),
        password=_single(lines, "ice-pwd", _PASSWORD),
        fingerprint=bytes.fromhex(match[1].replace(":", "")),
        setup=setup,
        mid=_single(lines, "mid", _MID),
        sctp_port=_port(_single(lines, "sctp-port", _PORT)),
        candidates=_candidates(lines),
    )


def _single(lines: list[str], name: str, grammar: re.Pattern[str] | None) -> str:
    """The value of the attribute that must stand there exactly once."""
    prefix = f"a={name}:"
    values = [line[len(prefix) :] for line in lines if line.startswith(prefix)]
    if len(values) != 1:
        raise LinkError(f"session description has {len(values)} lines '{name}', not one")
    if grammar is not None and not grammar.fullmatch(values[0]):
        raise LinkError(f"session description has a malformed line '{name}'")
    return values[0]


def _port(text: str) -> int:
    """A port from its digits."""
    port = int(text)
    if not 1 <= port <= 65_535:
        raise LinkError("session description has a port out of range")
    return port


def _candidates(lines: list[str]) -> tuple[Candidate, ...]:
    """Every candidate line that has our form; others (TCP, mDNS names, second components) are left out."""
    texts = [line[len("a=candidate:") :] for line in lines if line.startswith("a=candidate:")]
    if len(texts) > _MAXIMUM_CANDIDATE_LINES:
        raise LinkError("session description has too many candidates")
    candidates = []
    for text in texts:
        match = _CANDIDATE.fullmatch(text)
        if match is None or not 1 <= int(match[4]) <= 65_535 or int(match[2]) >= 2**31:
            continue
        candidates.append(
            Candidate(foundation=match[1], priority=int(match[2]), address=match[3], port=int(match[4]), kind=match[5])
        )
    return tuple(candidates)
