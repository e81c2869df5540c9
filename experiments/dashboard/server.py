"""The pages behind a door: a request that names another host than this machine is refused before Streamlit sees it.

A page of a foreign site can have its own name lead to 127.0.0.1 (DNS rebinding); the browser then takes that site's page and
this server for one. Streamlit looks at the name where a page's connection is opened, and not where a file is asked for.
"""

from __future__ import annotations

import threading
from importlib import import_module
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from experiments.dashboard.launch import HOSTS


def warm() -> None:
    """Imports and reads what the first page needs, while the browser still loads Streamlit's own scripts."""
    from experiments.reports import evidence  # noqa: F401
    from experiments.reports.overview import study_names
    from experiments.studies.committed import committed_records

    import_module("pandas")  # which a table of Streamlit's needs
    study_names()
    committed_records()
    for name in ("curves_view", "run_view"):  # what the other pages draw with
        import_module(f"experiments.dashboard.{name}")


threading.Thread(target=warm, daemon=True).start()
app = st.App(
    Path(__file__).with_name("app.py"),
    middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS), www_redirect=False)],
)
