import pytest

from engine.node.saved_offer import load_offer, save_offer
from engine.transport.ice_servers import IceUrl, OfferedServers, TurnServer

OFFER = OfferedServers(
    (IceUrl("stun", "s", 1),), (TurnServer(IceUrl("turn", "2001:db8::1", 443, "tls"), "u", "c"),), 1000.0
)


def test_an_offer_is_kept_for_its_owner_until_its_passwords_expire(tmp_path):
    save_offer(tmp_path / "ice.json", OFFER)
    assert load_offer(tmp_path / "ice.json", 999.0) == OFFER
    assert load_offer(tmp_path / "ice.json", 1000.0) is None
    assert (tmp_path / "ice.json").stat().st_mode & 0o077 == 0
    endless = OfferedServers(OFFER.stun)
    save_offer(tmp_path / "ice.json", endless)
    assert load_offer(tmp_path / "ice.json", 1e12) == endless


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"servers": [1]}'])
def test_a_damaged_file_is_asked_for_anew(tmp_path, text):
    assert load_offer(tmp_path / "ice.json", 0.0) is None
    (tmp_path / "ice.json").write_text(text)
    assert load_offer(tmp_path / "ice.json", 0.0) is None
    save_offer(tmp_path / "no folder" / "ice.json", OFFER)  # no error
