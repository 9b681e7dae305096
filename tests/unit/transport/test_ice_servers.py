import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigurationError
from engine.transport.ice_servers import MAXIMUM_URLS, IceUrl, OfferedServers, parse_ice_url, usable_servers


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("stun:stun.example.org", IceUrl("stun", "stun.example.org", 3478)),
        ("stun:192.0.2.1:19302", IceUrl("stun", "192.0.2.1", 19302)),
        ("turn:turn.example.org", IceUrl("turn", "turn.example.org", 3478, "udp")),
        ("turn:turn.example.org:3479?transport=udp", IceUrl("turn", "turn.example.org", 3479, "udp")),
        ("turn:turn.example.org?transport=tcp", IceUrl("turn", "turn.example.org", 3478, "tcp")),
        ("turns:turn.example.org", IceUrl("turn", "turn.example.org", 5349, "tls")),
        ("turns:turn.example.org:443?transport=tcp", IceUrl("turn", "turn.example.org", 443, "tls")),
        ("turn:[2001:DB8::1]:3478", IceUrl("turn", "2001:db8::1", 3478, "udp")),
    ],
)
def test_an_address_is_read_and_written_back(text, url):
    assert parse_ice_url(text) == url
    assert parse_ice_url(str(url)) == url


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://x", "not the address"),
        ("stuns:x", "not the address"),
        ("stun:", "not the address"),
        ("stun:host:", "not the address"),
        ("stun:host:3478?transport=udp", "names no transport"),
        ("turns:host?transport=udp", "only used over TCP"),
        ("turn:host:0", "1 to 65535"),
        ("turn:host:65536", "1 to 65535"),
        ("turn:[1.2.3.4]", "not an IPv6"),
        ("turn:2001:db8::1", "not the address"),
        ("turn:host?transport=sctp", "not the address"),
        ("turn:host\n", "not the address"),
    ],
)
def test_what_is_no_address_is_refused_in_words(text, says):
    with pytest.raises(ConfigurationError, match=says):
        parse_ice_url(text)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text):
    try:
        url = parse_ice_url(text)
    except ConfigurationError:
        return
    assert parse_ice_url(str(url)) == url


def test_what_is_not_spoken_here_is_left_out_and_the_rest_is_bounded():
    offered = usable_servers(
        [
            (["stun:a", "nonsense", "stuns:b"], "", ""),
            (["turn:a?transport=udp", "turns:a:443", "turn:a?transport=udp"], "u", "c"),
            ([f"stun:host-{number}" for number in range(100)], "", ""),
        ],
        5.0,
    )
    assert [str(server.url) for server in offered.turn] == ["turn:a:3478?transport=udp", "turns:a:443?transport=tcp"]
    assert {(server.username, server.credential) for server in offered.turn} == {("u", "c")}
    assert str(offered.stun[0]) == "stun:a:3478"
    assert len(offered.stun) + len(offered.turn) == MAXIMUM_URLS
    assert offered.expires == 5.0
    assert "'c'" not in repr(offered)  # credentials do not get into logs


def test_a_turn_server_over_udp_answers_stun_too():
    offered = usable_servers([(["stun:a", "turn:a", "turn:b:443", "turns:c"], "", "")])
    assert [str(url) for url in offered.stun_targets()] == ["stun:a:3478", "stun:b:443"]
    assert OfferedServers().stun_targets() == ()
