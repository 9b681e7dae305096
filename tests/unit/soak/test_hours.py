"""Growth is judged over whole periods only."""

from tests.churn.hours import PERIOD_SECONDS, WARM_UP_SECONDS, shows_growth
from tests.churn.long_run import describe_hours


def test_an_hour_shows_no_growth_and_eight_do() -> None:
    whole = (WARM_UP_SECONDS + PERIOD_SECONDS) / 3600
    assert [shows_growth(hours) for hours in (1.0, whole - 0.1, whole, 8.0)] == [False, False, True, True]


def test_the_page_says_what_was_not_judged() -> None:
    trends = dict.fromkeys(("memory_mib", "objects", "table_entries"), (1.0, 2.0))
    ran = {"relays": 60, "deaths": 3, "clients": 4, "complete": 5, "asked": 5, "trends": trends}
    assert "too short to show growth" in describe_hours(ran | {"hours": 1.0})
    assert "no table grew" in describe_hours(ran | {"hours": 8.0})
