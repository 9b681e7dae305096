"""Who makes room in a full list of published models, against a reference that looks at everything each time."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from engine.library.shares import who_goes

PUBLISHERS = "abcde"
MOST = 8
names = st.builds(lambda who, number: f"{who}/{number}", st.sampled_from(PUBLISHERS), st.integers(0, 20))


def reference(list_: list[str], publisher: str, kept: set[str], trusted: set[str]) -> str | None:
    """``list_``: in the order in which they came."""
    shares = Counter(model[0] for model in list_)
    others = [one for one in list_ if one not in kept and one[0] != publisher and one[0] not in trusted]
    for share in range(MOST, shares[publisher], -1):
        # The publisher's own models have a smaller share, so only others' can be found here.
        for one in others:
            if shares[one[0]] == share:
                return one
    return next((one for one in list_ if one[0] == publisher and one not in kept), None)


@given(
    arriving=st.lists(names, max_size=60, unique=True),
    kept=st.sets(names, max_size=10),
    trusted=st.sets(st.sampled_from(PUBLISHERS), max_size=3),
)
def test_as_the_reference_says_and_fair(arriving: list[str], kept: set[str], trusted: set[str]) -> None:
    known: list[str] = []
    for model in arriving:
        if len(known) == MOST:
            times = {one: float(at) for at, one in enumerate(known)}
            gone = who_goes(times, model[0], kept=kept, trusted=trusted)
            assert gone == reference(known, model[0], kept, trusted)
            if gone is None:
                continue
            before = Counter(one[0] for one in known)
            assert gone not in kept
            if gone[0] != model[0]:
                assert gone[0] not in trusted
                assert before[gone[0]] > before[model[0]], "who has as many or fewer makes no room"
            known.remove(gone)
        known.append(model)
    assert len(known) <= MOST


def test_a_flooder_leaves_everybody_a_share() -> None:
    times = {f"honest{who}/model": float(who) for who in range(10)}
    times |= {f"flooder/{number}": 10.0 + number for number in range(3_990)}
    for number in range(50):
        gone = who_goes(times, "flooder", kept=(), trusted=())
        assert gone == f"flooder/{number}", "its own oldest"
        del times[gone]
        times[f"flooder/more{number}"] = 5_000.0 + number
    gone = who_goes(times, "newcomer", kept=(), trusted=())
    assert gone is not None
    assert gone.startswith("flooder/")
    assert sum(one.startswith("honest") for one in times) == 10
