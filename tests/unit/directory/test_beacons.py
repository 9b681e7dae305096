"""Places follow from beacons that nobody could know, and that nobody can change afterwards."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.directory.beacons import (
    Beacons,
    admission_after,
    beacon_number,
    beacons_per_day,
    check_beacons,
    placing_number,
)
from engine.directory.snapshot import ChainPoint, SnapshotVerifier, sign_snapshot
from engine.errors import DirectoryError
from engine.wire.records import Parameters
from tests.support.records import NOW, SERVER, genesis, seeded

PARAMETERS = Parameters()
DAY = beacons_per_day(PARAMETERS)


def test_a_day_of_beacons_is_kept_and_the_others_stay_as_they_were():
    source = seeded(3)
    beacons = Beacons().extended(5, 4, source)
    assert (beacons.newest, len(beacons.values)) == (5, 4)
    later = beacons.extended(7, 4, source)
    assert [later.get(number) for number in (4, 5)] == [beacons.get(4), beacons.get(5)]
    assert later.get(3) is None
    assert later.get(8) is None
    assert len({*later.values}) == 4
    assert later.extended(6, 4, source) is later


def test_young_networks_have_no_beacons_from_before_they_were_made():
    assert len(Beacons().extended(0, 10, seeded(1)).values) == 1
    assert Beacons().extended(2, 10, seeded(1)).get(-1) is None


@given(st.integers(0, 2_000_000), st.integers(0, 10_000_000))
def test_a_whole_period_lies_between_being_listed_and_the_beacon(listed: int, more: int):
    number = beacon_number(NOW + listed, NOW, PARAMETERS)
    admission = admission_after(number)
    made = admission * PARAMETERS.beacon_seconds
    assert PARAMETERS.beacon_seconds < made - listed <= 2 * PARAMETERS.beacon_seconds
    newest = admission + more % (3 * DAY)
    placed = placing_number(admission, newest, DAY)
    assert placed is not None
    assert newest - DAY < placed <= newest
    assert (placed - admission) % DAY == 0


def test_who_is_not_admitted_has_no_place():
    assert placing_number(0, 100, DAY) is None
    assert placing_number(101, 100, DAY) is None
    assert placing_number(100, 100, DAY) == 100


def test_a_server_that_changes_a_beacon_is_refused():
    known = Beacons().extended(3, DAY, seeded(1))
    check_beacons(known.extended(4, DAY, seeded(2)), known, 1200.0, 0.0, PARAMETERS)
    with pytest.raises(DirectoryError, match="changed a beacon"):
        check_beacons(Beacons().extended(4, DAY, seeded(2)), known, 1200.0, 0.0, PARAMETERS)
    with pytest.raises(DirectoryError, match="changed a beacon"):
        check_beacons(Beacons(2, known.values[:3]), known, 1200.0, 0.0, PARAMETERS)
    with pytest.raises(DirectoryError, match="from the future"):
        check_beacons(known, Beacons(), 800.0, 0.0, PARAMETERS)
    with pytest.raises(DirectoryError, match="more beacons"):
        check_beacons(Beacons(1, known.values), Beacons(), 1200.0, 0.0, PARAMETERS)


def test_a_snapshot_carries_them_and_a_verifier_remembers_them():
    made = genesis()
    beacons = Beacons().extended(2, DAY, seeded(1))
    verifier = SnapshotVerifier(made)
    first, point = sign_snapshot(SERVER, made.network_id, ChainPoint(), NOW + 700, (), beacons)
    assert verifier.accept(first, NOW + 700).beacons == beacons
    forged, _ = sign_snapshot(SERVER, made.network_id, point, NOW + 710, (), Beacons().extended(2, DAY, seeded(2)))
    with pytest.raises(DirectoryError, match="changed a beacon"):
        verifier.accept(forged, NOW + 710)
    second, _ = sign_snapshot(SERVER, made.network_id, point, NOW + 710, (), beacons)
    directory = verifier.accept(second, NOW + 710)
    assert directory.with_away([]).beacons == beacons


def test_parameters_of_a_days_beacons_fit_into_a_snapshot():
    shortest = msgspec.structs.replace(PARAMETERS, beacon_seconds=10.0)
    assert beacons_per_day(shortest) == 8_640
    assert beacons_per_day(PARAMETERS) == 288
