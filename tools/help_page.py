"""Writes docs/help.md from the help facts, so that the documents and the built-in model say the same.

python -m tools.help_page            write the page
python -m tools.help_page --check    exit 1 if it is not what the facts say
"""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FACTS = ROOT / "resources" / "engine" / "help" / "topics.toml"
PAGE = ROOT / "docs" / "help.md"
HEAD = """# Questions and answers

This page is written by `python -m tools.help_page` from [the help facts](../resources/engine/help/topics.toml), which
the built-in model is trained on. Change the facts, not this page.
"""


def page() -> str:
    """The page's text: what is there, then what is planned."""
    topics = tomllib.loads(FACTS.read_text(encoding="utf-8"))["topic"]
    lines = [HEAD]
    for status, title in (("built", "What there is"), ("planned", "What is planned")):
        lines.append(f"\n## {title}\n")
        chosen = [topic for topic in topics if topic["status"] == status]
        lines += [f"\n**{topic['title']}.** {topic['answer']}\n" for topic in chosen]
    return "".join(lines)


def main() -> int:
    """Write or check; the exit code."""
    if "--check" in sys.argv[1:]:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
            return 0
        print("docs/help.md is not what the help facts say: run python -m tools.help_page", file=sys.stderr)
        return 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
