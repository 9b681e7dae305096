"""The help facts are the one source of what documents and built-in model say."""

import tomllib

from tools import help_page


def test_the_page_is_what_the_facts_say() -> None:
    assert help_page.PAGE.read_text(encoding="utf-8") == help_page.page()


def test_facts_are_well_formed() -> None:
    topics = tomllib.loads(help_page.FACTS.read_text(encoding="utf-8"))["topic"]
    assert len({topic["id"] for topic in topics}) == len(topics) >= 40
    for topic in topics:
        assert topic["status"] in ("built", "planned"), topic["id"]
        answer = topic["answer"].lower()
        assert answer.isascii(), topic["id"]
        for alternatives in topic["key_facts"]:
            assert any(fact.lower() in answer for fact in alternatives), (topic["id"], alternatives)


def test_what_is_not_built_says_so() -> None:
    topics = tomllib.loads(help_page.FACTS.read_text(encoding="utf-8"))["topic"]
    planned = [topic for topic in topics if topic["status"] == "planned"]
    assert planned
    for topic in planned:
        assert "not built yet" in topic["answer"], topic["id"]
