"""Another WebRTC implementation (werift, TypeScript) for the tests of links: `python -m tools.interop_environment`.

`npm` installs exactly what `tests/interop/package-lock.json` pins, checked by its hashes and without install scripts,
into `.interop`. Without Node.js nothing is done, and the tests that need it are skipped by name.
"""

import hashlib
import json
import shutil
import subprocess
import sys

from tools.lock import ROOT

SOURCE = ROOT / "tests" / "interop"
FOLDER = ROOT / ".interop"
STAMP = FOLDER / "stamp.json"
FILES = ("package.json", "package-lock.json")
NPM_SECONDS = 300


def missing() -> str:
    """What keeps the tests from running, in words; "" if nothing does."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if not is_ready():
        return "werift is not installed: python -m tools.interop_environment"
    return ""


def is_ready() -> bool:
    """Whether exactly what is pinned lies there."""
    try:
        return bool(json.loads(STAMP.read_text())["digest"] == digest())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def digest() -> str:
    """Of what is pinned."""
    return hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in FILES)).hexdigest()


def main() -> int:
    """Install what is missing; the exit status is 0 when all is there, or when there is no Node.js."""
    if is_ready() or shutil.which("node") is None or shutil.which("npm") is None:
        return 0
    print("[setup] installing werift, which the tests of links talk with", flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    for name in FILES:
        shutil.copy(SOURCE / name, FOLDER / name)
    npm = shutil.which("npm")
    assert npm is not None
    try:
        result = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            timeout=NPM_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"[setup] npm took longer than {NPM_SECONDS} s and was stopped.", file=sys.stderr)
        return 1
    if result.returncode:
        print(f"[setup] npm said:\n{(result.stdout + result.stderr)[-2000:]}", file=sys.stderr)
        return 1
    STAMP.write_text(json.dumps({"digest": digest()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
