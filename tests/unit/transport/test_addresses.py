"""Where a peer may send us."""

import pytest

from engine.transport.addresses import is_acceptable

REFUSED = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "169.254.1.1",
    "224.0.0.251",
    "239.255.255.250",
    "255.255.255.255",
    "240.0.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "2001:db8::1%1",
    "ff02::fb",
    "fd00:ec2::254",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "::ffff:10.0.0.1",  # a peer with an IPv4 address says so in IPv4
    "64:ff9b:1::a00:1",
    "64:ff9b:1:7f00:0:100::",
    "2002:a9fe:a9fe::1",
    "2001:0:1:2:3:4:80ff:fffe",  # Teredo of 127.0.0.1
    "fec0::1",
    "fd20:ce::254",
    "localhost",
    "b1f0.local",
    "",
    "1.2.3",
    "127.1",
    "0x7f000001",
    "2130706433",
    "010.0.0.1",
]


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_of_this_machine_link_and_provider_are_refused(address: str) -> None:
    assert not is_acceptable(address, loopback_only=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "192.168.1.20", "10.0.0.7", "2001:4860:4860::8888", "fd12:3456::1"])
def test_other_machines_are_accepted_but_not_in_a_network_on_one_machine(address: str) -> None:
    assert is_acceptable(address, loopback_only=False)
    assert not is_acceptable(address, loopback_only=True)


def test_network_on_one_machine_takes_exactly_one_address() -> None:
    assert is_acceptable("127.0.0.1", loopback_only=True)
    for address in ("127.0.0.2", "::1", "localhost", "::ffff:127.0.0.1"):
        assert not is_acceptable(address, loopback_only=True)
