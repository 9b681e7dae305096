"""Makes the training text of the built-in model: conversations about the help topics, small talk, honest refusals.

Everything is a pure function of the files in ``../phrasings``, the help facts and a random source, so a training step
can be made again at any time.  Questions that would come too close to the held-out evaluation are left out (see
``overlap.py``).
"""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from grammar import Grammar, Node, content_lines, nonsense, read_list, read_names
from noise import PHRASINGS, vary_spelling, vary_words
from overlap import Exclusion, held_out_texts, make_exclusion

BUILTIN = Path(__file__).resolve().parent.parent
MODEL_FOLDER = BUILTIN / "model"
WORK = BUILTIN.parents[2] / ".work" / "builtin"
TOPICS_FILE = BUILTIN.parent / "help" / "topics.toml"
FIRST_STAGE, SECOND_STAGE = 1, 2
SECOND_STAGE_ROUND = 80
HELP_FILES = {
    FIRST_STAGE: ("help1.txt", "help2.txt", "help3.txt", "help4.txt", "help5.txt"),
    SECOND_STAGE: ("help6.txt",),
}
KEYWORD_FILES = {FIRST_STAGE: "keywords.txt", SECOND_STAGE: "keywords2.txt"}
SECOND_STAGE_WEIGHT = 2
ROUND_SIZE = 2048
EXCLUSION_SAMPLE = 150_000
KEYWORD_SHARE = 0.3
DECLINE = (
    "I am only the small built-in model of GenTorrent and I know nothing but its help topics, so I cannot answer that. "
    "You need a bigger model for it."
)
TOUR_TOPICS = read_list(PHRASINGS / "tour_topics.txt")
TOUR_PATTERNS = read_list(PHRASINGS / "tour.txt")
FRAMES = read_list(PHRASINGS / "frames.txt")
FILLERS = read_list(PHRASINGS / "fillers.txt")
SYSTEM_PROMPTS = read_list(PHRASINGS / "systems.txt")


@dataclass(frozen=True)
class Topic:
    """A help fact: its answer and what a right answer must contain."""

    identifier: str
    title: str
    answer: str
    key_facts: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Turn:
    """One question and the answer to learn; ``topic`` is the help topic, or ``chat``, ``decline`` or ``tour``."""

    question: str
    answer: str
    topic: str


@dataclass(frozen=True)
class Conversation:
    """What one training sequence says."""

    system: str | None
    turns: tuple[Turn, ...]


def read_topics(path: Path = TOPICS_FILE) -> list[Topic]:
    """The help topics in file order; raises KeyError when one lacks a field."""
    stored = tomllib.loads(path.read_text(encoding="utf-8"))["topic"]
    return [
        Topic(
            entry["id"],
            entry["title"],
            " ".join(entry["answer"].split()),
            tuple(tuple(alternatives) for alternatives in entry["key_facts"]),
        )
        for entry in stored
    ]


@dataclass
class Generator:
    """All patterns, ready to be sampled."""

    topics: list[Topic]
    help_patterns: dict[str, list[Node]]
    chat_patterns: list[tuple[str, list[Node]]]
    decline_patterns: list[Node]
    keywords: dict[str, list[str]]
    tour_patterns: list[Node]
    exclusion: Exclusion = field(default_factory=Exclusion)
    decline_share: float = 0.24
    cut_share: float = 0.87
    chat_share: float = 0.07
    tour_share: float = 0.004

    def __post_init__(self) -> None:
        self.answers = {topic.identifier: topic.answer for topic in self.topics}
        self.tour = " ".join(self.answers[name] for name in TOUR_TOPICS if name in self.answers)

    def turn(self, rng: random.Random) -> Turn:
        """One question with its answer; never one that the exclusion forbids."""
        while True:
            question, answer, topic = self._draw(rng)
            question = vary_words(question, rng) if topic != "chat" or rng.random() < 0.3 else question
            if question and self.exclusion.allows(question):
                spelled = vary_spelling(question, rng)
                if self.exclusion.allows(spelled):
                    return Turn(spelled, answer, topic)

    def _draw(self, rng: random.Random) -> tuple[str, str, str]:
        kind = rng.random()
        if kind < self.decline_share:
            return self._decline(rng), DECLINE, "decline"
        kind -= self.decline_share
        if kind < self.chat_share:
            answer, patterns = rng.choice(self.chat_patterns)
            return rng.choice(patterns)(rng), answer, "chat"
        if kind - self.chat_share < self.tour_share:
            return rng.choice(self.tour_patterns)(rng), self.tour, "tour"
        topic = rng.choice(self.topics)
        if rng.random() < KEYWORD_SHARE:
            return loose_question(self.keywords[topic.identifier], rng), topic.answer, topic.identifier
        return rng.choice(self.help_patterns[topic.identifier])(rng), topic.answer, topic.identifier

    def _decline(self, rng: random.Random) -> str:
        if rng.random() < KEYWORD_SHARE:
            return loose_question(self.keywords["decline"], rng)
        text = rng.choice(self.decline_patterns)(rng)
        if rng.random() < 0.25:
            words = text.split()
            words[rng.randrange(len(words))] = nonsense(rng)
            text = " ".join(words)
        return text

    def conversation(self, rng: random.Random, turns: int) -> Conversation:
        """A conversation of so many turns, with a system prompt now and then."""
        system = rng.choice(SYSTEM_PROMPTS) if rng.random() < 0.1 else None
        return Conversation(system, tuple(self.turn(rng) for _ in range(turns)))


def loose_question(keywords: list[str], rng: random.Random) -> str:
    """One to three of a topic's keywords in a sentence that need not make sense."""
    chosen = rng.sample(keywords, rng.choice((1, 2, 2, 3)))
    parts = [rng.choice(FRAMES)]
    for index, keyword in enumerate(chosen):
        parts += [rng.choice(FILLERS)] * (index > 0) + [keyword]
    return " ".join(" ".join(parts).split())


def read_sections(lines: list[str], mark: str) -> list[tuple[str, list[str]]]:
    """Lines grouped under headings that begin with a mark."""
    sections: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith(mark + " "):
            sections.append((line[len(mark) :].strip(), []))
        elif sections:
            sections[-1][1].append(line)
    return sections


def title_patterns(topic: Topic) -> list[str]:
    """Questions that follow from a topic's title alone."""
    title = topic.title[0].lower() + topic.title[1:] if topic.title[1:2].islower() else topic.title
    title = "".join(character for character in title if character not in "()[]{}|")
    return [f"[tell me about|explain|help on|info about|what about] {title}"]


def load_generator(exclusion: Exclusion | None = None, stage: int = FIRST_STAGE) -> Generator:
    """Read the phrasing files of a stage of the training and of those before it.

    Raises ValueError for a broken pattern and KeyError for a topic that has none.
    """
    topics = read_topics()
    words = read_names(content_lines(PHRASINGS / "words.txt"))
    sections = read_help(stage)
    decline_file = content_lines(PHRASINGS / "declines.txt")
    heading = decline_file.index("## decline")
    declines = decline_file[heading + 1 :]
    if stage == SECOND_STAGE:
        declines += content_lines(PHRASINGS / "declines2.txt")[1:] * SECOND_STAGE_WEIGHT
    chat = read_sections(content_lines(PHRASINGS / "chitchat.txt"), "==")
    return Generator(
        topics=topics,
        help_patterns={
            topic.identifier: compile_all(words, sections[topic.identifier] + title_patterns(topic)) for topic in topics
        },
        chat_patterns=[(answer, compile_all(words, patterns)) for answer, patterns in chat],
        keywords=read_keywords(stage),
        decline_patterns=compile_all(read_names(decline_file[:heading]), declines),
        tour_patterns=compile_all(words, TOUR_PATTERNS),
        exclusion=exclusion or Exclusion(),
        decline_share=0.24 if stage == FIRST_STAGE else 0.26,
        cut_share=0.87 if stage == FIRST_STAGE else 0.75,
    )


def load_stages(exclusion: Exclusion) -> dict[int, Generator]:
    """The generators of both stages."""
    return {stage: load_generator(exclusion, stage) for stage in (FIRST_STAGE, SECOND_STAGE)}


def read_help(stage: int) -> dict[str, list[str]]:
    """The patterns of every topic; those of the second stage count double."""
    sections: dict[str, list[str]] = {}
    for of_stage in range(FIRST_STAGE, stage + 1):
        for name in HELP_FILES[of_stage]:
            for topic, patterns in read_sections(content_lines(PHRASINGS / name), "##"):
                weight = SECOND_STAGE_WEIGHT if of_stage == SECOND_STAGE else 1
                sections.setdefault(topic, []).extend(patterns * weight)
    return sections


def read_keywords(stage: int) -> dict[str, list[str]]:
    """The keywords of every topic and of refusals."""
    found: dict[str, list[str]] = {}
    for of_stage in range(FIRST_STAGE, stage + 1):
        for line in content_lines(PHRASINGS / KEYWORD_FILES[of_stage]):
            topic, _, keywords = line.partition(":")
            found.setdefault(topic, []).extend(keyword.strip() for keyword in keywords.split("|"))
    return found


def compile_all(grammar: Grammar, patterns: list[str]) -> list[Node]:
    """Compile every pattern."""
    return [grammar.compile(pattern) for pattern in patterns]


def round_conversations(stages: dict[int, Generator], number: int) -> list[tuple[Conversation, bool]]:
    """The conversations of one training round and whether each is cut short after its answer has begun.

    In every third round one conversation fills the whole context.
    """
    generator = stages[FIRST_STAGE if number < SECOND_STAGE_ROUND else SECOND_STAGE]
    rng = random.Random(f"round {number}")
    drawn = []
    for _ in range(ROUND_SIZE):
        kind = rng.random()
        turns = 1 if kind < 0.95 else rng.choice((2, 2, 2, 3, 3, 4))
        drawn.append((generator.conversation(rng, turns), kind < generator.cut_share))
    if number % 3 == 0:
        drawn.append((generator.conversation(rng, rng.randint(45, 65)), False))
    return drawn


def exclusion_from_sample() -> Exclusion:
    """What must stay out of the training text, from the held-out questions and a sample of all text."""
    held_out = held_out_texts()
    if not held_out:
        return Exclusion()
    generator = load_generator()
    rng = random.Random("exclusion")
    return make_exclusion(held_out, (generator.turn(rng).question for _ in range(EXCLUSION_SAMPLE)))


def main() -> None:
    """Print a sample of the training text."""
    generator = load_generator()
    rng = random.Random(1)
    for _ in range(60):
        turn = generator.turn(rng)
        print(f"{turn.topic:22} {turn.question}")


if __name__ == "__main__":
    main()
