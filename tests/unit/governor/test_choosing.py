"""Which model is contributed, step by step: memory, speed and demand; staying; failures; what to download."""

from __future__ import annotations

from dataclasses import replace

from engine.governor.choosing import (
    RETRY_SECONDS,
    STAY_SECONDS,
    Choice,
    Chooser,
    Option,
    Seen,
    asked_of,
    worth,
)
from engine.sentences import parts_of

GIGABYTE = 1_000_000_000
TINY = Option(model="tiny", memory=GIGABYTE // 10, size=GIGABYTE // 20, tokens_per_s=300.0)
SMALL = Option(model="small", memory=GIGABYTE, size=GIGABYTE // 2, tokens_per_s=80.0)
LARGE = Option(model="large", memory=6 * GIGABYTE, size=5 * GIGABYTE, tokens_per_s=25.0, measured=True)
SLUGGISH = Option(model="sluggish", memory=6 * GIGABYTE, size=5 * GIGABYTE, tokens_per_s=1.0)


class Owner:
    """A chooser with a clock that is turned by hand; ``draw`` 0: chance always sends it."""

    def __init__(self, *options: Option, room: int = 8 * GIGABYTE) -> None:
        self.drawn, self.now, self.room, self.options = 0.0, 0.0, room, list(options)
        self.chooser = Chooser(lambda: self.drawn)
        self.seen: dict[str, Seen] = {}
        self.answering = False

    def look(self, after: float = 20.0) -> Choice:
        self.now += after
        return self.chooser.look(self.options, self.seen, room=self.room, answering=self.answering, now=self.now)


def codes(text: str) -> list[str]:
    return [part.code.removeprefix("automatic.") for part in parts_of(text)]


def test_the_largest_that_fits_and_is_quick_enough_comes_first() -> None:
    assert Owner(TINY, SMALL, LARGE, SLUGGISH).look().model == "large"
    assert Owner(TINY, SMALL, LARGE, room=2 * GIGABYTE).look().model == "small"
    assert Owner(TINY, SLUGGISH).look().model == "tiny"


def test_machines_that_start_together_do_not_all_take_the_same() -> None:
    alike = replace(LARGE, model="alike")
    taken = set()
    for drawn in (0.1, 0.9):
        owner = Owner(LARGE, alike, TINY)
        owner.drawn = drawn
        taken.add(owner.look().model)
    assert taken == {"large", "alike"}


def test_the_reason_tells_others_and_speed() -> None:
    owner = Owner(LARGE, SMALL)
    owner.seen = {"large": Seen(3, asked_of(0.5))}
    choice = owner.look()
    assert choice.model == "large"
    assert codes(choice.reason) == ["chosen", "others", "measured"]
    assert choice.reason == (
        "large is where this machine helps most. Others that serve it: 3; of these about 50 % are answering. "
        "It writes 25 tokens a second here."
    )
    assert codes(Owner(SMALL).look().reason) == ["only"]
    assert codes(Owner(SMALL, TINY).look().reason) == ["chosen", "nobody", "expected"]


def test_a_model_stays_for_a_while_and_only_a_clearly_better_one_takes_its_place() -> None:
    owner = Owner(LARGE, SMALL)
    owner.look()
    owner.seen = {"large": Seen(20, 0.0), "small": Seen(3, 3.0)}
    assert owner.look(STAY_SECONDS - 21).model == "large", "not so soon"
    assert owner.look(20).model == "large", "not while it is told just now"  # what is asked is averaged
    moved = next(at for at in range(200) if owner.look().model == "small")
    assert moved * 20 <= STAY_SECONDS
    owner.seen = {"large": Seen(2, 0.9), "small": Seen(2, 1.0)}
    assert all(owner.look().model == "small" for _ in range(1000)), "nearly as good is not better"


def test_nothing_changes_while_answers_run_nor_where_chance_says_no() -> None:
    owner = Owner(LARGE, SMALL)
    owner.look()
    owner.seen = {"large": Seen(20, 0.0), "small": Seen(3, 3.0)}
    owner.answering = True
    assert all(owner.look().model == "large" for _ in range(500))
    owner.answering, owner.drawn = False, 1.0
    assert all(owner.look().model == "large" for _ in range(500))
    owner.drawn = 0.0
    assert owner.look().model == "small"


def test_what_cannot_be_loaded_gives_way_at_once_and_is_tried_again_later() -> None:
    owner = Owner(LARGE, SMALL)
    assert owner.look().model == "large"
    owner.chooser.failed("large", owner.now)
    owner.answering = True
    choice = owner.look()
    assert choice.model == "small"
    assert codes(choice.reason) == ["only", "failed"]
    owner.answering = False
    assert owner.look(RETRY_SECONDS).model == "large"
    owner.chooser.failed("large", owner.now)
    assert owner.look().model == "small"
    assert owner.look(RETRY_SECONDS).model == "small", "the second time takes twice as long"
    assert owner.look(RETRY_SECONDS).model == "large"


def test_where_nothing_can_be_taken_the_reason_says_which_way() -> None:
    nothing = Owner(LARGE, room=GIGABYTE).look()
    assert (nothing.model, codes(nothing.reason)) == ("", ["none"])
    failing = Owner(LARGE)
    failing.chooser.failed("large", 0.0)
    choice = failing.look()
    assert (choice.model, codes(choice.reason)) == ("", ["failed_all"])


def test_what_went_away_is_replaced_at_once() -> None:
    owner = Owner(LARGE, SMALL)
    assert owner.look().model == "large"
    owner.room = 2 * GIGABYTE  # another program took the memory, or a device was switched off
    assert owner.look().model == "small"
    owner.options = [TINY]
    assert owner.look().model == "tiny"


def test_a_much_better_model_is_recommended_for_download() -> None:
    missing = replace(LARGE, here=False, measured=False)
    choice = Owner(TINY, missing).look()
    assert (choice.model, choice.better) == ("tiny", "large")
    assert codes(choice.better_reason) == ["better", "nobody", "expected"]
    assert Owner(TINY, missing, room=GIGABYTE).look().better == "", "it would not fit"
    assert Owner(LARGE, replace(missing, model="other")).look().better == "", "no better than what is here"


def test_worth_grows_with_what_is_asked_and_falls_with_who_is_there() -> None:
    assert worth(SMALL, Seen(5, 2.0)) > worth(SMALL, Seen(5, 1.0)) > worth(SMALL, Seen(9, 0.0))
    assert worth(SMALL, Seen(0)) > worth(SMALL, Seen(1)) > worth(SMALL, Seen(8))
    assert worth(SMALL, Seen(4, 1e9)) == worth(SMALL, Seen(4, 3.0)), "no figure counts for more than can be told"
    assert asked_of(0.0) == 0.0
    assert asked_of(1.0) == 3.0
