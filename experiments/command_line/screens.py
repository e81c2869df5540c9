"""Where a page is to be seen: on this machine's screen, or in the browser of the machine that one came from."""

from __future__ import annotations

import getpass
import os
import socket
import sys


def is_headless() -> bool:
    """Whether this machine has no screen that a browser could open on: reached by ssh, or without a display."""
    if os.environ.get("SSH_CONNECTION"):
        return True
    return sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def from_elsewhere(address: str, port: int) -> str:
    """What to type on one's own machine to see a page of this one there."""
    return f"from your own machine:  ssh -L {port}:{address}:{port} {getpass.getuser()}@{socket.gethostname()}"
