"""A page for the browser of this machine, and of no other: 127.0.0.1 alone, and no request that names another host."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from datamodules.errors import InputError
from experiments.command_line.screens import from_elsewhere, is_headless

ADDRESS = "127.0.0.1"
HOSTS = (ADDRESS, "localhost")
"""What a request may call this machine: under another name it comes from a foreign page (DNS rebinding)."""
PORT = 8520
Answer = Callable[[Mapping[str, str]], tuple[str, bytes]]
"""From a request's parameters to a type (``text/html``) and the content."""


class PageServer(ThreadingHTTPServer):
    """Answers by path, each request in a thread of its own."""

    daemon_threads = True

    def __init__(self, port: int, answers: Mapping[str, Answer]) -> None:
        self.answers = answers
        try:
            super().__init__((ADDRESS, port), _Request)
        except (OSError, OverflowError) as error:
            raise InputError(f"--port {port}: cannot be used ({error}); --port takes another, 0 any that is free") from None

    @property
    def address(self) -> str:
        return f"http://{ADDRESS}:{self.server_port}/"

    def begin(self) -> None:
        Thread(target=self.serve_forever, daemon=True).start()


class _Request(BaseHTTPRequestHandler):
    server: PageServer

    def do_GET(self) -> None:
        """Answers, or refuses: a foreign host's name, a path that is not there."""
        parts = urlsplit(self.path)
        name = (self.headers.get("Host") or "").rpartition(":")[0] or (self.headers.get("Host") or "")
        if name not in HOSTS:
            self.send_error(421, "this page is for the machine itself")
            return
        answer = self.server.answers.get(parts.path)
        if answer is None:
            self.send_error(404)
            return
        kind, content = answer({key: values[-1] for key, values in parse_qs(parts.query).items()})
        try:
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(content)
        except ConnectionError:
            pass  # the page was closed before it had the answer

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the terminal is for who shows."""


def announce(server: PageServer) -> None:
    """Opens the page, or says how another machine's browser reaches it."""
    print(f"page  {server.address}  (Ctrl-C ends it)", flush=True)
    if is_headless():
        print(from_elsewhere(ADDRESS, server.server_port), flush=True)
    else:
        webbrowser.open(server.address)
