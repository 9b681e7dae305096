"""Put the pinned pip into an environment that has none, with nothing but the standard library.

A Debian Python without python3-venv has neither ensurepip nor pip. Then the pip wheel that the lock names is fetched
from the package index this machine is set up for (the same environment variables and configuration files that pip
reads; without any, set-up turns to the system's packages), its SHA-256 is compared with the lock, and the wheel, which
can run itself, installs itself. If the machine does have a pip for this Python, that one is asked instead: it may know
a way to the index (a keyring, a client certificate) that this module does not.
"""

import base64
import configparser
import hashlib
import html.parser
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

MOST_BYTES = 32 * 1024 * 1024
SECONDS = 60


class PipBootstrapError(Exception):
    """No pip could be had; the text says what was tried and what to do."""


def install_pip(python: Path, lock: Path) -> None:
    """Install the pip that `lock` names into the environment of `python`. Raises `PipBootstrapError`."""
    version, hashes = pinned_pip(lock)
    if machine_pip(python, lock, version, hashes):
        return
    name = f"pip-{version}-py3-none-any.whl"
    settings = pip_settings(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(folder) / name
        wheel.write_bytes(fetch_wheel(name, hashes, settings))
        # A wheel is a zip file: Python runs the pip inside it.
        command = [str(python), f"{wheel}/pip", "install", "--no-deps", "--no-index", "--no-input", str(wheel)]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode:
        raise PipBootstrapError(f"The pip {version} that was fetched did not install itself:\n{result.stdout}")


def machine_pip(python: Path, lock: Path, version: str, hashes: set[str]) -> bool:
    """Let the pip of the Python that runs this install ours; false when there is none or it did not work."""
    with tempfile.TemporaryDirectory() as folder:
        requirement = Path(folder) / "pip.txt"
        options = " ".join(f"--hash=sha256:{value}" for value in sorted(hashes))
        requirement.write_text(f"pip=={version} {options}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--require-hashes"]
        command += ["--no-input", "--disable-pip-version-check", "--requirement", str(requirement)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def pinned_pip(lock: Path) -> tuple[str, set[str]]:
    """The version of pip in `lock` and the SHA-256 values (hex) that its files may have."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    match = re.search(r"^pip==(\S+)(.*)$", text, re.MULTILINE)
    hashes = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", match[2])) if match else set()
    if match is None or not hashes:
        raise PipBootstrapError(f"{lock.name} names no pip with a hash: the checkout is damaged.")
    return match[1], hashes


def pip_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """pip's own settings on this machine that matter here: index-url, extra-index-url, find-links, cert, no-index.

    Later sources override earlier ones, as in pip: site, user, PIP_CONFIG_FILE, environment.
    """
    home = Path(environment.get("HOME") or Path.home())
    user = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    files = [Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"), home / ".pip" / "pip.conf", user]
    named = environment.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        files = []
    elif named:
        files.append(Path(named))
    wanted = ("index-url", "extra-index-url", "find-links", "cert", "no-index")
    settings: dict[str, str] = {}
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                settings |= {name: value for name, value in parser.items(section) if name in wanted}
    for name in wanted:
        value = environment.get("PIP_" + name.upper().replace("-", "_"))
        if value:
            settings[name] = value
    return settings


def fetch_wheel(name: str, hashes: set[str], settings: Mapping[str, str]) -> bytes:
    """The bytes of the wheel `name`, from the first place that has it with one of `hashes`."""
    tried = []
    for address in places(name, settings):
        shown = without_credentials(address)
        try:
            content = read(address, settings)
        except (OSError, ValueError, urllib.error.URLError) as error:
            tried.append(f"  {shown}: {error}")
            continue
        if hashlib.sha256(content).hexdigest() in hashes:
            return content
        tried.append(f"  {shown}: the file is not the one that the lock names (SHA-256 differs)")
    raise PipBootstrapError(
        f"This Python has neither pip nor ensurepip, and {name} could not be fetched:\n"
        + ("\n".join(tried) or "  no package index is configured")
        + "\nEither install pip yourself (Debian, Ubuntu: sudo apt-get install python3-venv), or set PIP_INDEX_URL to "
        "a package index that this machine can reach, and run the same command again."
    )


def places(name: str, settings: Mapping[str, str]) -> Iterator[str]:
    """Addresses at which the wheel may lie: the find-links folders, then the indexes. An unreachable index yields
    its own address, so that reading it again tells the user what is wrong with it."""
    for link in settings.get("find-links", "").split():
        folder = Path(link.removeprefix("file://"))
        if (folder / name).is_file():
            yield (folder / name).resolve().as_uri()
    if settings.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        return
    for index in f"{settings.get('index-url', '')} {settings.get('extra-index-url', '')}".split():
        page = index.rstrip("/") + "/pip/"
        if page.startswith("file:"):
            page += "index.html"
        try:
            links = page_links(read(page, settings), page)
        except (OSError, ValueError, urllib.error.URLError):
            yield page
            continue
        for link in links:
            if urllib.parse.unquote(urllib.parse.urlsplit(link).path).endswith(f"/{name}"):
                yield link


def page_links(content: bytes, page: str) -> list[str]:
    """The file addresses on an index page in either form of the simple API (PEP 503 HTML, PEP 691 JSON)."""
    text = content.decode("utf-8")
    if text.lstrip().startswith("{"):
        files = json.loads(text).get("files", [])
        found = [file["url"] for file in files if isinstance(file, dict) and isinstance(file.get("url"), str)]
    else:
        parser = _Anchors()
        parser.feed(text)
        found = parser.found
    return [urllib.parse.urljoin(page, link) for link in found]


class _Anchors(html.parser.HTMLParser):
    """Collects the `href` of every anchor."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for key, value in attrs if key == "href" and value]


def read(address: str, settings: Mapping[str, str]) -> bytes:
    """The content at a http(s) or file address, at most `MOST_BYTES`; user:password in the address is sent as such."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in ("https", "http", "file"):
        raise ValueError(f"{parts.scheme or 'no'} scheme is not supported")
    request = urllib.request.Request(without_credentials(address))
    request.add_header("Accept", "application/vnd.pypi.simple.v1+json, text/html;q=0.5, */*;q=0.1")
    if parts.username:
        pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    context = ssl.create_default_context(cafile=settings.get("cert"))
    with urllib.request.urlopen(request, timeout=SECONDS, context=context) as answer:
        content: bytes = answer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES} bytes")
    return content


def without_credentials(address: str) -> str:
    """The address without user name and password, to be shown and to be requested."""
    parts = urllib.parse.urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
