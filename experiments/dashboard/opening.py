"""Opens a page in the browser once its server answers; a program of its own, whose browser has the user's environment.

The server's environment has proxies that lead nowhere: a browser that is started in it would reach no page of the user's.
"""

from __future__ import annotations

import sys
import time
import urllib.request
import webbrowser


def open_when_there(address: str, patience: float = 60.0) -> bool:
    """Whether the server answered within ``patience`` seconds, and a browser was asked to open its page."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            direct.open(f"{address}/_stcore/health", timeout=5).close()
        except OSError:
            time.sleep(0.1)
            continue
        return webbrowser.open(address)
    return False


if __name__ == "__main__":
    open_when_there(sys.argv[1])
