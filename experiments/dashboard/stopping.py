"""Streamlit's command line as a program that Ctrl-C ends in one line, with exit code 130; SIGTERM with 143.

Streamlit's own handlers end with exit code 0, and with a traceback where a signal comes while it is imported. ``launch`` blocks
both signals before this program takes its place, so that a thread of its own answers them, from its first moment on.
The pages write notes alone, each whole or not at all: nothing is to be tidied up.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def block() -> None:
    """Keeps both signals for :func:`answer`, also in a program that takes this one's place, and in all of its threads."""
    if hasattr(signal, "pthread_sigmask"):  # not on Windows, where Streamlit answers Ctrl-C in its own words
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def answer() -> None:
    """Waits for one of them, and ends the process."""
    number = signal.sigwait(SIGNALS)
    os.write(2, b"\nlectern: stopped\n")
    os._exit(128 + number)


def main() -> Any:
    """What ``python -m streamlit`` does, with its arguments."""
    if hasattr(signal, "pthread_sigmask"):
        threading.Thread(target=answer, daemon=True).start()
    from streamlit.web import cli

    return cli.main(prog_name="streamlit")


if __name__ == "__main__":
    main()
