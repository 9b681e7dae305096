import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from engine.bootstrap import turn
from engine.bootstrap.configuration import FILE, OperatorConfiguration, load_configuration
from engine.bootstrap.limits import TokenBucket
from engine.bootstrap.turn import IceIssuer, TurnAccess, turn_access, turn_credentials
from engine.errors import ConfigurationError
from tests.support.records import identity

SECRET = "a secret of good length"
URLS = ("turn:turn.example.org:3478", "turns:turn.example.org:443")
ACCESS = TurnAccess(URLS, SECRET.encode(), 3600)
PLAIN = OperatorConfiguration()
ONE, TWO = identity(1).node_id, identity(2).node_id


def bucket() -> TokenBucket:
    return TokenBucket(turn.ISSUE_RATE, turn.ISSUE_BURST, 0.0)


def test_the_password_is_what_the_turn_server_computes():
    username, password = turn_credentials(SECRET.encode(), ONE, 1_800_000_000)
    expires, _, pseudonym = username.partition(":")
    assert expires == "1800000000"
    assert base64.b64decode(password) == hmac.new(SECRET.encode(), username.encode(), hashlib.sha1).digest()
    assert ONE.hex() not in username
    assert turn_credentials(SECRET.encode(), ONE, 1_900_000_000)[0].endswith(pseudonym)  # quotas are counted by it
    assert not turn_credentials(SECRET.encode(), TWO, 1_800_000_000)[0].endswith(pseudonym)
    assert not turn_credentials(b"another secret", ONE, 1_800_000_000)[0].endswith(pseudonym)


def test_a_node_gets_its_own_password_with_an_expiry():
    issued = IceIssuer(PLAIN, ACCESS).issue(ONE, "a", bucket(), 1_700_000_000.5, 0.0)
    assert issued.expires == 1_700_003_600
    ((urls, username, _),) = issued.servers
    assert urls == URLS
    assert username.startswith("1700003600:")
    assert not issued.problem


def test_asking_without_end_gets_a_reason_and_no_more_passwords():
    issuer, mine = IceIssuer(PLAIN, ACCESS), bucket()
    answers = [issuer.issue(ONE, "a", mine, 1e9, 0.0) for _ in range(10)]
    assert [bool(answer.servers) for answer in answers] == [True] * 5 + [False] * 5
    assert "wait" in answers[-1].problem
    assert issuer.issue(ONE, "a", mine, 1e9, 60.0).servers  # a minute later


def test_made_up_identities_share_the_limit_of_their_address():
    issuer = IceIssuer(PLAIN, ACCESS)
    given = [bool(issuer.issue(ONE, "one address", bucket(), 1e9, 0.0).servers) for _ in range(300)]
    assert sum(given) == turn.ADDRESS_BURST
    assert issuer.issue(TWO, "another", bucket(), 1e9, 0.0).servers


def test_what_is_kept_of_addresses_is_bounded(monkeypatch):
    monkeypatch.setattr(turn, "_MAXIMUM_ADDRESSES", 3)
    issuer = IceIssuer(PLAIN, ACCESS)
    for number in range(9):
        issuer.issue(ONE, str(number), bucket(), 1e9, 0.0)
    assert list(issuer._addresses) == ["6", "7", "8"]


def test_settings_options_file_and_variable(tmp_path):
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    (tmp_path / FILE).write_text(f'turn = ["turn:from.settings"]\nturn_secret_file = "{file.as_posix()}"\n')
    settings = load_configuration(tmp_path, loopback=False)
    assert turn_access(settings, (), None, {}) == TurnAccess(("turn:from.settings",), SECRET.encode(), 43_200)
    assert turn_access(settings, URLS, None, {}).urls == URLS
    variable = {turn.SECRET_VARIABLE: "another secret of length"}
    assert turn_access(PLAIN, URLS, None, variable).secret == b"another secret of length"
    assert turn_access(PLAIN, URLS, file, variable).secret == SECRET.encode()
    assert turn_access(PLAIN, (), None, variable) is None
    assert SECRET not in repr(ACCESS)


@pytest.mark.parametrize(
    ("urls", "secret", "says"),
    [
        (URLS, None, "missing"),
        (URLS, "short", "too short"),
        (("stun:x",), SECRET, "STUN server"),
        (("http://x",), SECRET, "not the address"),
        ((), SECRET, "no address"),
    ],
)
def test_half_a_configuration_is_refused_in_words(tmp_path, urls, secret, says):
    file: Path | None = None
    if secret is not None:
        file = tmp_path / "secret"
        file.write_text(secret)
    with pytest.raises(ConfigurationError, match=says):
        turn_access(PLAIN, urls, file, {})


def test_a_secret_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="nowhere"):
        turn_access(PLAIN, URLS, tmp_path / "nowhere", {})
