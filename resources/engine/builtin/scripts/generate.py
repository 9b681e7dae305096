"""Makes the training text of the built-in model: conversations about the help topics, small talk, honest refusals.

Everything is a pure function of the files in ``../phrasings``, the help facts and a random source, so a training step
can be made again at any time.  Questions that would come too close to the held-out evaluation are left out (see
``overlap.py``).
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grammar import Grammar, Node, content_lines, nonsense, read_list, read_names
from noise import PHRASINGS, vary_spelling, vary_words
from overlap import Exclusion, held_out_texts, make_exclusion

BUILTIN = Path(__file__).resolve().parent.parent
MODEL_FOLDER = BUILTIN / "model"
WEIGHTS_FILE = BUILTIN / "weights" / "model.safetensors"
TRAINING_FILE = BUILTIN / "training.json"
WORK = BUILTIN.parents[2] / ".work" / "builtin"
TOPICS_FILE = BUILTIN.parent / "help" / "topics.toml"
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
class Stage:
    """A part of the training: from which round, with which further files, and how much of what."""

    first_round: int
    help_files: tuple[str, ...] = ()
    keyword_files: tuple[str, ...] = ()
    decline_files: tuple[str, ...] = ()
    weight: int = 1
    decline_share: float = 0.24
    cut_share: float = 0.87
    long_turns: tuple[int, ...] = ()


# Each later stage adds what a trial of the half-trained model on questions of our own got wrong.
STAGES = (
    Stage(0, ("help1.txt", "help2.txt", "help3.txt", "help4.txt", "help5.txt"), ("keywords.txt",), ("declines.txt",)),
    Stage(80, ("help6.txt",), ("keywords2.txt",), ("declines2.txt",), 2, decline_share=0.26, cut_share=0.75),
    Stage(112, decline_files=("declines3.txt",), weight=3, decline_share=0.36, cut_share=0.75),
    Stage(125, decline_share=0.36, cut_share=0.75, long_turns=(30, 30, 30, 30, 62, 62)),
)


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


def load_generator(exclusion: Exclusion | None = None, stage: int = 0) -> Generator:
    """Read the phrasing files of a stage of the training (counted from 0) and of those before it.

    Raises ValueError for a broken pattern and KeyError for a topic that has none.
    """
    topics = read_topics()
    words = read_names(content_lines(PHRASINGS / "words.txt"))
    sections = read_help(stage)
    decline_words, declines = read_declines(stage)
    chat = read_sections(content_lines(PHRASINGS / "chitchat.txt"), "==")
    return Generator(
        topics=topics,
        help_patterns={
            topic.identifier: compile_all(words, sections[topic.identifier] + title_patterns(topic)) for topic in topics
        },
        chat_patterns=[(answer, compile_all(words, patterns)) for answer, patterns in chat],
        keywords=read_keywords(stage),
        decline_patterns=compile_all(read_names(decline_words), declines),
        tour_patterns=compile_all(words, TOUR_PATTERNS),
        exclusion=exclusion or Exclusion(),
        decline_share=STAGES[stage].decline_share,
        cut_share=STAGES[stage].cut_share,
    )


def load_stages(exclusion: Exclusion) -> list[Generator]:
    """The generators of all stages."""
    return [load_generator(exclusion, stage) for stage in range(len(STAGES))]


def read_help(stage: int) -> dict[str, list[str]]:
    """The patterns of every topic; those of later stages count several times."""
    sections: dict[str, list[str]] = {}
    for part in STAGES[: stage + 1]:
        for name in part.help_files:
            for topic, patterns in read_sections(content_lines(PHRASINGS / name), "##"):
                sections.setdefault(topic, []).extend(patterns * part.weight)
    return sections


def read_declines(stage: int) -> tuple[list[str], list[str]]:
    """The named lists of refusals and their patterns; those of later stages count several times."""
    names: list[str] = []
    patterns: list[str] = []
    for part in STAGES[: stage + 1]:
        for name in part.decline_files:
            lines = content_lines(PHRASINGS / name)
            heading = lines.index("## decline")
            names += lines[:heading]
            patterns += lines[heading + 1 :] * part.weight
    return names, patterns


def read_keywords(stage: int) -> dict[str, list[str]]:
    """The keywords of every topic and of refusals."""
    found: dict[str, list[str]] = {}
    for name in (name for part in STAGES[: stage + 1] for name in part.keyword_files):
        for line in content_lines(PHRASINGS / name):
            topic, _, keywords = line.partition(":")
            found.setdefault(topic, []).extend(keyword.strip() for keyword in keywords.split("|"))
    return found


def compile_all(grammar: Grammar, patterns: list[str]) -> list[Node]:
    """Compile every pattern."""
    return [grammar.compile(pattern) for pattern in patterns]


def round_conversations(stages: Sequence[Generator], number: int) -> list[tuple[Conversation, bool]]:
    """The conversations of one training round and whether each is cut short after its answer has begun.

    In every third round one conversation fills the whole context; the last stage has several long ones in each.
    """
    index = max(index for index, stage in enumerate(STAGES) if number >= stage.first_round)
    generator = stages[index]
    rng = random.Random(f"round {number}")
    drawn = []
    for _ in range(ROUND_SIZE):
        kind = rng.random()
        turns = 1 if kind < 0.95 else rng.choice((2, 2, 2, 3, 3, 4))
        drawn.append((generator.conversation(rng, turns), kind < generator.cut_share))
    drawn += [(generator.conversation(rng, turns), False) for turns in STAGES[index].long_turns]
    if number % 3 == 0 and not STAGES[index].long_turns:
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
