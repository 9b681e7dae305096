"""The languages in which code is coloured, loaded when the first code in them shows.

To load one takes 10 to 130 ms, as Pygments makes some hundred regular expressions of it. That happens in a thread of
its own; until then the code is plain.
"""

from __future__ import annotations

import queue
import threading

_ALIASES = {
    "bash": "bash sh shell zsh shellscript",
    "bat": "bat batch cmd dosbatch",
    "c": "c h",
    "clojure": "clojure clj",
    "cmake": "cmake",
    "console": "console shell-session terminal",
    "cpp": "cpp c++ cc cxx hpp cuda cu",
    "csharp": "csharp c# cs",
    "css": "css",
    "dart": "dart",
    "diff": "diff patch",
    "docker": "docker dockerfile",
    "elixir": "elixir ex exs",
    "fortran": "fortran f90",
    "go": "go golang",
    "graphql": "graphql gql",
    "groovy": "groovy gradle",
    "haskell": "haskell hs",
    "hcl": "hcl terraform tf",
    "html": "html htm vue svelte",
    "ini": "ini cfg conf env dotenv properties",
    "java": "java",
    "javascript": "javascript js mjs node jsx",
    "json": "json jsonc json5 jsonl",
    "julia": "julia jl",
    "kotlin": "kotlin kt kts",
    "lua": "lua",
    "make": "make makefile",
    "matlab": "matlab octave",
    "nginx": "nginx",
    "objective-c": "objective-c objc objectivec",
    "perl": "perl pl",
    "php": "php",
    "powershell": "powershell ps1 pwsh ps",
    "protobuf": "protobuf proto",
    "pycon": "pycon",
    "python": "python py python3 py3 pyi",
    "r": "r rlang",
    "ruby": "ruby rb",
    "rust": "rust rs",
    "scala": "scala",
    "scss": "scss sass less",
    "sql": "sql mysql postgresql postgres sqlite plsql tsql",
    "swift": "swift",
    "tex": "tex latex",
    "toml": "toml",
    "typescript": "typescript ts tsx",
    "xml": "xml svg xsd xslt",
    "yaml": "yaml yml",
    "zig": "zig",
}
LANGUAGES = {alias: name for name, aliases in _ALIASES.items() for alias in aliases.split()}
"""What authors write behind a fence, and the lexer that reads it."""
_WITHIN = {
    "console": ("bash",),
    "docker": ("bash", "json"),
    "html": ("javascript", "css"),
    "make": ("bash",),
    "pycon": ("python",),
}
"""Languages of which parts are read as another one."""
_loaded: set[str] = set()
_wishes: queue.SimpleQueue[str] = queue.SimpleQueue()
_wished: set[str] = set()


def loaded(name: str) -> bool:
    """Whether code in this language, one of the values of :data:`LANGUAGES`, can be read at once."""
    return name in _loaded


def wish(name: str) -> None:
    """Load this language beside the event loop, one after the other, unless it is there or on its way."""
    if name in _wished:
        return
    if not _wished:
        threading.Thread(target=_load_wishes, name="languages", daemon=True).start()
    _wished.add(name)
    _wishes.put(name)


def load_language(language: str) -> None:
    """Load what reads this language, whatever authors call it, if there is such a thing. In any thread."""
    name = LANGUAGES.get(language.lower())
    if name and name not in _loaded:
        from pygments.lexers import get_lexer_by_name

        for inner in _WITHIN.get(name, ()):
            load_language(inner)
        get_lexer_by_name(name)
        _loaded.add(name)


def _load_wishes() -> None:
    while True:
        load_language(_wishes.get())
