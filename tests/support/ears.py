"""Hears whom a process calls: what asks the proxy of its environment, and every address that the kernel is asked to reach.

Two ears, since neither hears all. A listening proxy hears the *name* that is asked for, of every library that obeys
``https_proxy`` (requests, urllib, Go, curl). The kernel (seccomp's user notification, Linux 5.5 and later, no privilege needed)
tells of each ``connect`` and ``sendto`` of the process and of all that it starts, whatever they are written in; those to other
hosts, and questions to a name server, are refused, so that a test that fails has called nobody either.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import ipaddress
import os
import platform
import select
import socket
import socketserver
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Machine: AUDIT_ARCH, and the numbers of connect, sendto and seccomp.
MACHINES = {"x86_64": (0xC000003E, 42, 44, 317), "aarch64": (0xC00000B7, 203, 206, 277)}
RECEIVE, SEND = 0xC0502100, 0xC0182101
"""SECCOMP_IOCTL_NOTIF_RECV and _SEND, for structs of 80 and 24 bytes."""
CONTINUE = 1
NAME_SERVICE = "io.systemd.Resolve"


class Ears:
    """Whom the processes called that were started with :meth:`start`: ``heard`` has a line a call."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._proxy = _Proxy(("127.0.0.1", 0), _Asked)
        self._proxy.heard = self.heard
        threading.Thread(target=self._proxy.serve_forever, args=(0.02,), daemon=True).start()
        self.proxy = f"http://127.0.0.1:{self._proxy.server_address[1]}"

    def close(self) -> None:
        self._proxy.shutdown()
        self._proxy.server_close()

    def start(self, command: list[str], home: Path, stdin: int = subprocess.DEVNULL, **more: str) -> subprocess.Popen[str]:
        """The command in the folder ``home``, which is its HOME too, and with no setting of anybody's but ``more``."""
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), self.proxy)
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(home),
            "TMPDIR": str(home),
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            **proxies,
            **{name.upper(): value for name, value in proxies.items()},
            **more,
        }
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours, theirs:
            launcher = [sys.executable, "-S", "-E", __file__, str(theirs.fileno())] if kernel_tells() else []
            process = subprocess.Popen(
                [*launcher, *command],
                cwd=home,
                env=environment,
                pass_fds=[theirs.fileno()],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            if launcher:
                theirs.close()
                _, (listener,), _, _ = socket.recv_fds(ours, 1, 1)
                threading.Thread(target=_attend, args=(listener, self.heard), daemon=True).start()
        return process

    def run(self, command: list[str], home: Path, **more: str) -> tuple[int, str]:
        """The command's exit code and what it said, once it has ended."""
        with self.start(command, home, **more) as process:
            said, _ = process.communicate(timeout=600)
        return process.returncode, said


@contextmanager
def listening() -> Iterator[Ears]:
    """Ears that are closed at the end."""
    ears = Ears()
    try:
        yield ears
    finally:
        ears.close()


@cache
def kernel_tells() -> bool:
    """Whether this kernel lets a process be watched so; sandboxes may not."""
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        return False
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        command = [sys.executable, "-S", "-E", __file__, str(theirs.fileno()), sys.executable, "-S", "-c", ""]
        done = subprocess.run(command, pass_fds=[theirs.fileno()], capture_output=True, timeout=60)
    return done.returncode == 0


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    heard: list[str]


class _Asked(socketserver.StreamRequestHandler):
    """Notes the first line (``CONNECT host:443``, ``GET http://host/``), and gives no way on."""

    def handle(self) -> None:
        line = self.rfile.readline(1000).decode("latin-1").strip()
        self.server.heard.append(f"the proxy was asked for {line!r}")  # type: ignore[attr-defined]
        self.wfile.write(b"HTTP/1.1 502 nobody is called\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def _attend(listener: int, heard: list[str]) -> None:
    """Answers the kernel until no process is left that it asks for."""
    asks = select.poll()
    asks.register(listener, select.POLLIN)
    try:
        while True:
            events = asks.poll()[0][1]
            if not events & select.POLLIN:
                return
            question = bytearray(80)
            try:
                fcntl.ioctl(listener, RECEIVE, question)
            except OSError:  # whoever asked is gone
                continue
            number, thread, _, call, _, _, *arguments = struct.unpack("=QIIiIQ6Q", question)
            at, length = arguments[1:3] if call == MACHINES[platform.machine()][1] else arguments[4:6]
            address = _read(thread, at, length)
            to = _elsewhere(address)
            if to:
                heard.append(f"{_name(thread)} called {to}")
            answer = struct.pack("=QqiI", number, 0, -errno.ECONNREFUSED if to else 0, 0 if to else CONTINUE)
            with suppress(OSError):
                fcntl.ioctl(listener, SEND, answer)
    finally:
        os.close(listener)


def _read(thread: int, at: int, length: int) -> bytes:
    with suppress(OSError), open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:  # noqa: PTH123
        memory.seek(at)
        return memory.read(min(length, 128))
    return b""


def _elsewhere(address: bytes) -> str:
    """The address in words, where it is another host's or a name server's; empty where it is of this machine."""
    if len(address) < 2:
        return ""
    family = int.from_bytes(address[:2], sys.byteorder)
    if family == socket.AF_UNIX:
        name = address[2:].decode("latin-1").strip("\0")
        return f"the name service {name}" if NAME_SERVICE in name else ""
    if family not in (socket.AF_INET, socket.AF_INET6):
        return ""
    port = int.from_bytes(address[2:4], "big")
    host = ipaddress.ip_address(address[4:8] if family == socket.AF_INET else address[8:24])
    if isinstance(host, ipaddress.IPv6Address) and host.ipv4_mapped:
        host = host.ipv4_mapped
    if port == 53:
        return f"the name server {host}"
    return "" if host.is_loopback or host.is_unspecified else f"{host} port {port}"


def _name(thread: int) -> str:
    with suppress(OSError):
        words = Path(f"/proc/{thread}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        return f"{Path(f'/proc/{thread}/comm').read_text().strip()} ({' '.join(words)[:120].strip()})"
    return f"process {thread}"


def _listen_to_me(channel: int) -> None:
    """Asks the kernel to tell of this process's calls, and of its children's, through what is sent into the channel."""
    architecture, connect, sendto, seccomp = MACHINES[platform.machine()]
    notify, allow = 0x7FC00000, 0x7FFF0000
    load, equal, give = 0x20, 0x15, 0x06
    steps = [
        (load, 0, 0, 4),  # the architecture
        (equal, 0, 6, architecture),
        (load, 0, 0, 0),  # the number of the call
        (equal, 5, 0, connect),
        (equal, 0, 3, sendto),
        (load, 0, 0, 48),  # of sendto the address, the lower half; it has none where the socket is connected
        (equal, 1, 0, 0),
        (give, 0, 0, notify),
        (give, 0, 0, allow),
        (give, 0, 0, notify),
    ]
    filters = b"".join(struct.pack("=HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(filters)
    program = struct.pack("@HP", len(steps), ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges = libc.prctl(38, 1, 0, 0, 0)
    listener = libc.syscall(ctypes.c_long(seccomp), ctypes.c_long(1), ctypes.c_long(8), ctypes.c_char_p(program))
    if no_new_privileges or listener < 0:
        raise OSError(ctypes.get_errno(), "the kernel does not tell of connections")
    with socket.socket(fileno=channel) as channel_:
        socket.send_fds(channel_, [b"."], [listener])


if __name__ == "__main__":
    _listen_to_me(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
