"""Session descriptions: read strictly, written in one form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LinkError
from engine.transport.sdp import MAXIMUM_CANDIDATES, Candidate, Session, parse_session

SESSION = Session(
    ufrag="abcd",
    password="0123456789abcdefghijkl",
    fingerprint=bytes(range(32)),
    setup="actpass",
    mid="0",
    sctp_port=5000,
    candidates=(
        Candidate("f1", 2130706431, "192.168.1.2", 40000, "host"),
        Candidate("f2", 1694498815, "203.0.113.7", 40001, "srflx"),
        Candidate("f3", 7, "2001:4860:4860::8888", 40002, "relay"),
    ),
)
TEXT = SESSION.render()

# What a browser writes: attributes of the session level, others that mean nothing here, TCP and mDNS candidates.
BROWSER = """v=0
o=mozilla...THIS_IS_SDPARTA-99.0 123 0 IN IP4 0.0.0.0
s=-
t=0 0
a=fingerprint:sha-256 {fingerprint}
a=group:BUNDLE 0
a=ice-options:trickle
a=msid-semantic:WMS *
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=candidate:0 1 UDP 2122187007 192.168.1.2 51000 typ host
a=candidate:3 1 TCP 2105458943 192.168.1.2 9 typ host tcptype active
a=candidate:4 1 udp 2105458942 0a1b2c.local 51001 typ host
a=candidate:6 2 udp 2105458942 192.168.1.2 51002 typ host
a=candidate:5 1 udp 1685987327 203.0.113.7 51003 typ srflx raddr 192.168.1.2 rport 51000 generation 0
a=sendrecv
a=ice-pwd:0123456789abcdefghijkl
a=ice-ufrag:abcd
a=mid:0
a=setup:active
a=sctp-port:5000
a=max-message-size:1073741823
"""


def changed(old: str, new: str) -> bytes:
    assert old in TEXT
    return TEXT.replace(old, new).encode()


def test_what_is_written_is_read_back() -> None:
    assert parse_session(TEXT.encode(), "offer") == SESSION


def test_description_of_a_browser_is_understood() -> None:
    text = BROWSER.format(fingerprint=bytes(32).hex(":").upper())
    for data in (text, text.replace("\n", "\r\n")):
        session = parse_session(data.encode(), "answer")
        assert session.setup == "active"
        assert [(c.address, c.port, c.kind) for c in session.candidates] == [
            ("192.168.1.2", 51000, "host"),
            ("203.0.113.7", 51003, "srflx"),
        ]
        assert "192.168.1.2 rport" not in session.render(), "related addresses are not passed on"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 20,
        b"x" * 16_385,
        b"a=b\n" * 200,
        changed("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "m=audio 9 UDP/TLS/RTP/SAVPF 0"),
        changed("a=mid:0", "a=mid:0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0"),
        changed("a=mid:0", "a=mid:0 0"),
        changed("a=mid:0\r\n", ""),
        changed("a=setup:actpass", "a=setup:active"),
        changed("a=setup:actpass", "a=setup:actpass\r\na=setup:actpass"),
        changed("sha-256", "sha-1"),
        changed("a=fingerprint:sha-256 00:", "a=fingerprint:sha-256 "),
        changed("a=setup", "a=fingerprint:sha-512 00:01\r\na=setup"),
        changed("a=ice-ufrag:abcd", "a=ice-ufrag:abc"),
        changed("a=ice-ufrag:abcd", "a=ice-ufrag:" + "a" * 101),
        changed("a=ice-ufrag:abcd", "a=ice-ufrag:abcd\r\na=ice-ufrag:abce"),
        changed("a=ice-pwd:0123456789", "a=ice-pwd:"),
        changed("a=sctp-port:5000", "a=sctp-port:0"),
        changed("a=sctp-port:5000", "a=sctp-port:65536"),
        changed("a=mid:0", "a=mid:0\r\na=ice-lite"),
        changed("a=mid:0", "a=mid:0" + "\r\na=candidate:1 1 udp 1 10.0.0.1 1 typ host" * 65),
    ],
)
def test_everything_else_is_refused(data: bytes) -> None:
    with pytest.raises(LinkError):
        parse_session(data, "offer")


@pytest.mark.parametrize(
    "line",
    [
        "f1 1 udp 2147483648 10.0.0.1 1000 typ host",
        "f1 1 udp 1 10.0.0.1 0 typ host",
        "f1 1 udp 1 10.0.0.1 65536 typ host",
        "f1 1 udp 1 example.org 1000 typ host",
        "f1 1 udp 1 10.0.0.1 1000 typ prflx",
        "f1 1 udp 1 fe80::1%eth0 1000 typ host",
    ],
)
def test_odd_candidates_are_left_out(line: str) -> None:
    data = changed("a=end-of-candidates", f"a=candidate:{line}\r\na=end-of-candidates")
    assert parse_session(data, "offer").candidates == SESSION.candidates


def test_reachable_keeps_what_may_be_used() -> None:
    candidates = tuple(
        Candidate("f", 1, address, 1000, "host") for address in ("127.0.0.1", "169.254.169.254", "10.0.0.1", "::1")
    )
    session = parse_session(TEXT.encode(), "offer")
    mixed = Session(**{**{name: getattr(session, name) for name in Session.__slots__}, "candidates": candidates})
    assert [c.address for c in mixed.reachable(loopback_only=False).candidates] == ["10.0.0.1"]
    assert [c.address for c in mixed.reachable(loopback_only=True).candidates] == ["127.0.0.1"]
    with pytest.raises(LinkError, match="no address"):
        session.reachable(loopback_only=True)
    many = tuple(Candidate("f", 1, f"10.0.0.{number}", 1000, "host") for number in range(1, 40))
    crowd = Session(**{**{name: getattr(session, name) for name in Session.__slots__}, "candidates": many})
    assert len(crowd.reachable(loopback_only=False).candidates) == MAXIMUM_CANDIDATES


LINES = st.sampled_from(
    [*TEXT.split("\r\n"), *BROWSER.split("\n"), "a=candidate:", "m=", "a=", "a=fingerprint:sha-256 "]
)


@given(st.one_of(st.binary(max_size=400), st.lists(LINES, max_size=40).map(lambda lines: "\r\n".join(lines).encode())))
def test_any_bytes_give_a_session_or_a_link_error(data: bytes) -> None:
    for kind in ("offer", "answer"):
        try:
            session = parse_session(data, kind)
        except LinkError:
            continue
        assert parse_session(session.render().encode(), kind) == session


@given(st.integers(0, len(TEXT) - 1), st.integers(0, 255))
def test_one_changed_byte_never_escapes(position: int, value: int) -> None:
    data = bytearray(TEXT.encode())
    data[position] = value
    try:
        session = parse_session(bytes(data), "offer")
    except LinkError:
        return
    session.render().encode("ascii")
