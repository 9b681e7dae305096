"""Network namespaces with routers between them: an internet of its own inside this machine.

    internet (a switch, 203.0.113.0/24 and 2001:db8:1::/64) ── coturn 203.0.113.2
        ├── router of side 1 (a NAT of some kind) ── host of side 1, 192.168.1.2
        ├── router of side 2 ── host of side 2 ...

Needs root and ``nft``, ``ip``, ``turnserver``. All names begin with ``gtnat`` and the process id of their maker: what a
crashed run left is removed by the next one. Nothing outside of the namespaces is touched.
"""

from __future__ import annotations

import contextlib
import ctypes
import datetime
import ipaddress
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).resolve().parents[2]
COTURN_CONFIGURATION = ROOT / "installers" / "coturn" / "turnserver.conf"
PREFIX = "gtnat"
SECRET = "the laboratory's shared secret"
COTURN, COTURN_V6 = "203.0.113.2", "2001:db8:1::2"
QUOTA_PORT = 3500
"""A second TURN server there lends two addresses to a user and no more; it answers STUN like every one."""
SECOND_STUN = f"stun:{COTURN}:{QUOTA_PORT}"

KINDS = (
    "full-cone",
    "address-restricted",
    "port-restricted",
    "symmetric",
    "udp-blocked",
    "only-443",
)
"""Routers, from the kindest to the strictest."""
IPV6_KINDS = ("ipv6", "dual-stack")
"""``ipv6``: a public IPv6 address and no IPv4. ``dual-stack``: port-restricted for IPv4, public for IPv6."""

_COMMON = """
table ip nat {{
  chain post {{ type nat hook postrouting priority 100; oifname "wan" masquerade {flags}; }}
  {more}
}}
table ip filter {{
  chain input {{ type filter hook input priority 0; iifname "wan" drop; }}
  {forward}
}}
"""
_FORWARD_IN = (
    'chain pre { type nat hook prerouting priority -100; iifname "wan" %s udp dport 1024-65535 dnat to HOST; }'
)
_RULES = {
    # Whoever sends to a mapped port reaches the host (ports are kept, and there is one host).
    "full-cone": {"more": _FORWARD_IN % ""},
    # Only addresses that the host has sent to.
    "address-restricted": {
        "more": "set asked { type ipv4_addr; flags dynamic,timeout; timeout 2m; }\n"
        + _FORWARD_IN % "ip saddr @asked"
        + '\nchain note { type filter hook forward priority -10; iifname "lan" add @asked { ip daddr }; }'
    },
    "port-restricted": {},
    "symmetric": {"flags": "fully-random"},
    "udp-blocked": {"forward": "chain pass { type filter hook forward priority 0; meta l4proto udp drop; }"},
    "only-443": {
        "forward": "chain pass { type filter hook forward priority 0; policy drop; ct state established accept; "
        'iifname "lan" tcp dport 443 accept; }'
    },
}


def missing() -> str:
    """What this machine lacks for the laboratory, by name; "" if nothing. Tries what it says."""
    if not sys.platform.startswith("linux"):
        return "network namespaces (Linux only)"
    if os.geteuid() != 0:
        return "network namespaces (root only)"
    for program, package in (("ip", "iproute2"), ("nft", "nftables"), ("turnserver", "coturn")):
        if shutil.which(program, path=_PATH) is None:
            return f"the program {program} (package {package})"
    name = f"{PREFIX}{os.getpid()}probe"
    try:
        if _run("ip", "netns", "add", name).returncode:
            return "network namespaces"
        if _run("ip", "-n", name, "link", "add", "name", "one", "type", "veth", "peer", "name", "two").returncode:
            return "veth"
        if _run("ip", "-n", name, "link", "add", "name", "switch", "type", "bridge").returncode:
            return "network bridges"
        for kind in KINDS:
            if _run(*_in(name), "nft", "-f", "-", text=_rules(kind, "192.168.1.2")).returncode:
                return f"NAT rules ({kind})"
            _run(*_in(name), "nft", "flush", "ruleset")
    finally:
        _run("ip", "netns", "del", name)
    return ""


@dataclass(frozen=True)
class Side:
    """One machine behind one router. ``namespace``: of the machine."""

    name: str
    kind: str
    namespace: str


class Laboratory:
    """Use it as a context; everything in it is gone afterwards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._prefix = f"{PREFIX}{os.getpid()}"
        self._namespaces: list[str] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self._count = 0
        self.authority = folder / "authority.pem"

    def __enter__(self) -> Laboratory:
        remove_leftovers()
        try:
            self._internet()
            self._coturn()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes and removes the namespaces."""
        for process in self._processes:
            process.kill()
            process.wait()
        for namespace in reversed(self._namespaces):
            _remove(namespace)
        self._namespaces.clear()

    def side(self, kind: str) -> Side:
        """A new machine behind a router of this kind."""
        self._count += 1
        number = self._count
        name = f"{kind} {number}"
        host = self._namespace(f"h{number}")
        if kind == "ipv6":
            self._cable(host, "wan", self._internet_name, f"p{number}")
            self._commands(host, f"addr add 2001:db8:1::{number + 0x100:x}/64 dev wan nodad", "link set dev wan up")
            return Side(name, kind, host)
        router = self._namespace(f"r{number}")
        self._cable(router, "wan", self._internet_name, f"p{number}")
        self._cable(router, "lan", host, "eth0")
        self._commands(
            router,
            f"addr add 203.0.113.{number + 10}/24 dev wan",
            "link set dev wan up",
            f"addr add 192.168.{number}.1/24 dev lan",
            "link set dev lan up",
        )
        self._commands(
            host,
            f"addr add 192.168.{number}.2/24 dev eth0",
            "link set dev eth0 up",
            f"route add default via 192.168.{number}.1",
        )
        self._must(*_in(router), "sysctl", "-qw", "net.ipv4.ip_forward=1")
        plain = "port-restricted" if kind == "dual-stack" else kind
        self._must(*_in(router), "nft", "-f", "-", text=_rules(plain, f"192.168.{number}.2"))
        if kind == "dual-stack":
            self._cable(host, "six", self._internet_name, f"s{number}")
            self._commands(host, f"addr add 2001:db8:1::{number + 0x100:x}/64 dev six nodad", "link set dev six up")
        return Side(name, kind, host)

    def server(self, address: str) -> Side:
        """A new machine without a router."""
        self._count += 1
        host = self._namespace(f"h{self._count}")
        self._cable(host, "wan", self._internet_name, f"p{self._count}")
        self._commands(host, f"addr add {address}/24 dev wan", "link set dev wan up")
        return Side(f"server {address}", "server", host)

    def launch(self, side: Side, command: list[str], environment: dict[str, str], log: IO[bytes]) -> None:
        """A program on the side's machine that writes into ``log``; it ends with the laboratory."""
        process = subprocess.Popen(
            [*_in(side.namespace), *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env=environment,
            preexec_fn=_end_with_parent,
        )
        self._processes.append(process)

    def popen(self, side: Side, *command: str) -> subprocess.Popen[bytes]:
        """A program on the side's machine, with pipes; it ends with this process."""
        return self._start(side.namespace, command, subprocess.PIPE)

    @staticmethod
    def turn_urls() -> tuple[str, ...]:
        """Every way to the TURN server, as an operator lists them."""
        v4 = (f"turn:{COTURN}:3478?transport=udp", f"turn:{COTURN}:3478?transport=tcp", f"turns:{COTURN}:443")
        return (*v4, f"turn:[{COTURN_V6}]:3478?transport=udp", f"turns:[{COTURN_V6}]:443")

    # ------------------------------------------------------------------------------------------------------ internals

    @property
    def _internet_name(self) -> str:
        return f"{self._prefix}net"

    def _internet(self) -> None:
        net = self._namespace("net")
        self._commands(net, "link add name switch type bridge", "link set dev switch up")

    def _coturn(self) -> None:
        turn = self._namespace("turn")
        self._cable(turn, "wan", self._internet_name, "pturn")
        self._commands(
            turn,
            f"addr add {COTURN}/24 dev wan",
            f"addr add {COTURN_V6}/64 dev wan nodad",
            "link set dev wan up",
            f"route add default via {COTURN}",  # coturn does not start without one
            "addr add 10.9.8.7/32 dev lo",  # what strangers must not reach through it
        )
        certificate, key = make_certificates(self.folder, (COTURN, COTURN_V6))
        text = COTURN_CONFIGURATION.read_text()
        for old, new in (
            ("listening-ip=203.0.113.2", f"listening-ip={COTURN}\nlistening-ip={COTURN_V6}"),
            ("relay-ip=203.0.113.2", f"relay-ip={COTURN}\nrelay-ip={COTURN_V6}"),
            ("static-auth-secret=CHANGE-ME", f"static-auth-secret={SECRET}"),
            ("cert=/etc/ssl/certs/turn.pem", f"cert={certificate}"),
            ("pkey=/etc/ssl/private/turn.key", f"pkey={key}"),
        ):
            if old not in text:
                raise RuntimeError(f"{COTURN_CONFIGURATION} has no line {old}")
            text = text.replace(old, new)
        self._start_coturn("main", text)
        text = text.replace("listening-port=3478", f"listening-port={QUOTA_PORT}").replace(
            "tls-listening-port=443", f"tls-listening-port={QUOTA_PORT + 1}"
        )
        text = text.replace("tls-listening-port=3500", "tls-listening-port=3501")
        self._start_coturn("quota", text.replace("user-quota=500", "user-quota=2").replace("49152", "40000"))
        self._await_port(turn, 443)
        self._await_port(turn, QUOTA_PORT)

    def _start_coturn(self, name: str, configuration: str) -> None:
        folder = self.folder / f"coturn-{name}"
        folder.mkdir()
        path = folder / "turnserver.conf"
        path.write_text(configuration + f"\npidfile={folder}/pid\nuserdb={folder}/users.sqlite\n")
        path.chmod(0o600)
        self._start(f"{self._prefix}turn", ("turnserver", "-c", str(path)), subprocess.DEVNULL)

    def _await_port(self, namespace: str, port: int) -> None:
        for _ in range(100):
            listening = _run(*_in(namespace), "ss", "-Hltn", f"sport = :{port}").stdout
            if listening.strip():
                return
            time.sleep(0.1)
        raise RuntimeError(f"coturn does not listen on port {port}")

    def _start(self, namespace: str, command: tuple[str, ...], pipe: int) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*_in(namespace), *command],
            stdin=pipe,
            stdout=pipe,
            stderr=None if pipe == subprocess.PIPE else subprocess.DEVNULL,
            cwd=ROOT,
            env=os.environ | {"PATH": _PATH},
            preexec_fn=_end_with_parent,
        )
        self._processes.append(process)
        return process

    def _namespace(self, name: str) -> str:
        full = f"{self._prefix}{name}"
        self._namespaces.append(full)
        self._must("ip", "netns", "add", full)
        self._commands(full, "link set dev lo up")
        return full

    def _cable(self, one: str, name: str, other: str, port: str) -> None:
        """A cable between two namespaces; the end in the internet goes into its switch."""
        self._commands(one, f"link add name {name} type veth peer name {port} netns {other}")
        if other == self._internet_name:
            self._commands(other, f"link set dev {port} master switch", f"link set dev {port} up")

    def _commands(self, namespace: str, *commands: str) -> None:
        self._must("ip", "-n", namespace, "-batch", "-", text="\n".join(commands) + "\n")

    def _must(self, *command: str, text: str = "") -> None:
        result = _run(*command, text=text)
        if result.returncode:
            raise RuntimeError(f"{' '.join(command)} {text.strip()}: {(result.stdout + result.stderr).strip()}")


def remove_leftovers() -> None:
    """Removes the namespaces of runs whose process is gone, with what still runs in them."""
    for line in _run("ip", "netns", "list").stdout.splitlines():
        found = re.match(PREFIX + "([0-9]+)[a-z]", line)
        if found and not Path(f"/proc/{found[1]}").exists():
            _remove(line.split(" ")[0])


def _remove(namespace: str) -> None:
    for process in _run("ip", "netns", "pids", namespace).stdout.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)
    _run("ip", "netns", "del", namespace)


def make_certificates(folder: Path, addresses: tuple[str, ...]) -> tuple[Path, Path]:
    """``authority.pem`` and, signed by it, a certificate for ``addresses`` with its key."""
    now = datetime.datetime.now(datetime.UTC)

    def build(name: str, key: ec.EllipticCurvePrivateKey, issuer: str) -> x509.CertificateBuilder:
        def called(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        return (
            x509.CertificateBuilder()
            .subject_name(called(name))
            .issuer_name(called(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=2))
        )

    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    authority = (
        build("laboratory", authority_key, "laboratory")
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address)) for address in addresses])
    certificate = (
        build("coturn", key, "laboratory")
        .add_extension(names, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(authority.public_bytes(pem))
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "certificate.pem", folder / "key.pem"


def _rules(kind: str, host: str) -> str:
    rules = _RULES[kind]
    return _COMMON.format(
        flags=rules.get("flags", ""), more=rules.get("more", "").replace("HOST", host), forward=rules.get("forward", "")
    )


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _in(namespace: str) -> tuple[str, ...]:
    return "ip", "netns", "exec", namespace


def _run(*command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=os.environ | {"PATH": _PATH},
    )


def _end_with_parent() -> None:
    """In the child: end when the parent does, however that ends (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@contextlib.contextmanager
def laboratory(folder: Path) -> Iterator[Laboratory]:
    """One for the time of the context."""
    with Laboratory(folder) as made:
        yield made
