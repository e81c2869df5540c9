"""The dashboard's pages, in the order of the menu."""

from __future__ import annotations

import streamlit as st

from experiments.dashboard.looks import STYLE

st.set_page_config(page_title="Lectern", layout="wide", initial_sidebar_state="auto")

st.html(STYLE)
st.navigation(
    [
        st.Page("claims_page.py", title="Claims", default=True),
        st.Page("runs_page.py", title="Runs"),
        st.Page("pictures_page.py", title="Pictures"),
        st.Page("live_page.py", title="Live"),
    ],
    position="top",
).run()
