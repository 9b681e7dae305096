"""In which ways the demo's dishonest node can cheat. What it does then is in ``engine.demo.cheating_node``."""

from __future__ import annotations

NO_CHEAT = "none"
CHEATS = {
    "smaller-model": "answers with a smaller model (every third layer of the right one is left out)",
    "quantised": "answers with weights of 4 bits",
    "wrong-temperature": "draws its words at half of the temperature that was asked for",
    "ignored-seed": "draws its words with another seed than it was told",
    "prefill-attack": "lets a smaller model write the likeliest words and signs that the right one has drawn them",
}
"""Their names, and what the node does, for people: "it ..."."""
