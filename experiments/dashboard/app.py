"""The dashboard's pages, in the order of the menu."""

from __future__ import annotations

import streamlit as st

STYLE = """<style>
/* The page begins at its top; Streamlit leaves 6 rem empty there. */
[data-testid="stMainBlockContainer"] { padding-top: 4.2rem; padding-bottom: 3rem; }
/* Quiet text is Streamlit's at 60 % of its strength: not read on a projector. */
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p { opacity: 1; color: inherit; }
[data-testid="stWidgetLabel"] p, [data-testid="stImageCaption"] { color: inherit; opacity: 1; }
/* What is long breaks, so that a phone scrolls down alone. */
[data-testid="stMarkdown"], [data-testid="stCaptionContainer"] { overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid #0072B2; outline-offset: 2px; }
</style>"""

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
