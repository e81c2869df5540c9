"""``lectern dashboard``: builds Streamlit's command line and runs it."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from datamodules.errors import InputError
from experiments import python
from experiments.command_line.options import Options
from experiments.command_line.screens import from_elsewhere, is_headless

from . import stopping

ADDRESS = "127.0.0.1"
HOSTS = (ADDRESS, "localhost")
"""What a request may call this machine, with any port: under another name it comes from a foreign page (DNS rebinding)."""
PORT = 8501
HERE = Path(__file__).parent
RUNS = "LECTERN_DASHBOARD_RUNS"
"""The environment variable in which the pages find the folder of all runs."""
NO_WAY_OUT = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), f"http://{ADDRESS}:9")
"""The server has no business with other hosts: where a page of a foreign origin connects, Streamlit asks one for this machine's
outer address. All that goes out is sent to a port at which nobody listens."""


def run(arguments: Sequence[str]) -> int:
    """The command; it ends with the page's server.

    Raises:
        InputError: that cannot start.
    """
    parser = Options("lectern dashboard", "A local page: the verdicts, and the runs side by side.")
    parser.add_argument("--runs", type=Path, help="the folder of all runs (default: runs, where it is there)")
    parser.add_argument("--port", type=int, default=PORT, help="of the page, on this machine alone")
    parser.add_argument("--address", default=ADDRESS, help="0.0.0.0 in a container, whose port is published to this machine")
    parser.add_argument("--no-browser", action="store_true", help="open none")
    options = parser.parse_args(arguments)
    runs = options.runs or Path("runs")
    if problem := _problem(options.runs, options.port, options.address):
        raise InputError(problem)
    shown = runs if runs.is_dir() else "the verdicts that come with Lectern (there is no folder runs yet)"
    address = f"http://{ADDRESS}:{options.port}"
    print(f"dashboard {address} shows {shown}; Ctrl-C ends it", flush=True)
    if is_headless():
        print(from_elsewhere(ADDRESS, options.port), flush=True)
    elif not options.no_browser:
        subprocess.Popen(python(str(HERE / "opening.py"), address), start_new_session=True)
    os.environ.update({RUNS: str(runs.resolve()), **NO_WAY_OUT})
    os.chdir(HERE)  # Streamlit reads .streamlit/config.toml of the folder that it is started in: here it finds none
    line = command(options.port, options.address)
    stopping.block()
    os.execv(line[0], line)  # in this process's place, so that whatever ends the one ends the other


def _problem(runs: Path | None, port: int, address: str) -> str:
    """What is in the way, in one line; empty where nothing is."""
    if importlib.util.find_spec("streamlit") is None:
        return "lectern dashboard needs Streamlit, which is not installed: pip install 'lectern[dashboard]'"
    if runs and not runs.is_dir():
        return f"--runs {runs}: no such folder; lectern fit and lectern reproduce make runs there"
    if not 0 < port < 65536:
        return f"--port {port}: 1 to 65535 expected"
    with socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            place.bind((address, port))
        except OSError as error:
            if address != ADDRESS:
                return f"--address {address} --port {port}: cannot be used ({error.strerror})"
            return f"--port {port}: cannot be used ({error.strerror}); --port takes another"
    return ""


def command(port: int, address: str = ADDRESS) -> list[str]:
    """Streamlit's command line: this machine alone, no telemetry, nothing from another host.

    Args:
        port: of the page.
        address: what it is bound to. Whoever reaches it by another name than this machine's own is refused all the same.
    """
    settings = {
        "server.address": address,
        "server.port": port,
        "server.headless": "true",  # it asks for no address of mail; opening.py opens the browser
        "server.fileWatcherType": "none",
        "server.allowedHosts": HOSTS,
        # As they are by default; a user's own configuration may be of a server that others are to reach.
        "server.enableCORS": "true",
        "server.enableXsrfProtection": "true",
        "server.enableStaticServing": "false",
        "server.enableAgentApi": "false",
        "browser.serverAddress": ADDRESS,
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",  # an error's text may hold a folder's name; it stands in the terminal
        "client.showErrorLinks": "false",
        "runner.magicEnabled": "false",  # a text that stands alone is a comment, and not shown
        "theme.light.primaryColor": "#0072B2",
        "theme.dark.primaryColor": "#4FA8E0",
        "theme.font": "sans-serif",  # a user's own theme may name a font on another host
        "theme.headingFont": "sans-serif",
        "theme.codeFont": "monospace",
        "theme.linkUnderline": "true",  # a link is not told by its colour alone
        "theme.light.dataframeHeaderTextColor": "#31333F",
        "theme.dark.dataframeHeaderTextColor": "#FAFAFA",
        "theme.light.linkColor": "#005A8C",
        "theme.dark.linkColor": "#7CC0F0",
    }
    several = {key: value if isinstance(value, tuple) else (value,) for key, value in settings.items()}
    flags = [part for key, values in several.items() for value in values for part in (f"--{key}", str(value))]
    return python(str(HERE / "stopping.py"), "run", str(HERE / "server.py"), *flags)
