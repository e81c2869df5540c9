"""Notes and tags of a run: the one thing that the dashboard writes."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from datamodules.errors import InputError
from experiments.dashboard import library
from experiments.dashboard.library import RunInfo, day
from experiments.runs.markup import plain
from experiments.runs.notes import LONGEST, LONGEST_TAG, add_note, change_tags, remove_note


def notes_view(run: RunInfo) -> None:
    """What was written, and where to write more; what cannot be written stays in its box, with the reason."""
    st.subheader("Notes and tags")
    known = sorted({tag for other in library.runs(library.root()) for tag in other.tags})
    place, failed = f"tags of {run.name} {run.tags}", f"failed {run.name}"

    def tag() -> None:
        chosen = [str(one).strip() for one in st.session_state[place]]
        added = tuple(one for one in chosen if one not in run.tags)
        _try(failed, lambda: change_tags(run.folder, add=added, remove=tuple(t for t in run.tags if t not in chosen)))

    st.multiselect(
        "Tags",
        list(dict.fromkeys([*run.tags, *known])),
        list(run.tags),
        key=place,
        on_change=tag,
        accept_new_options=True,
        placeholder=f"type a tag, at most {LONGEST_TAG} characters",
    )
    for note in run.notes.notes:
        text, button = st.columns([6, 1], vertical_alignment="top")
        lines = [plain(line) for line in note.text.splitlines() if line.strip()]
        text.markdown("  \n".join([*lines, f":small[{day(note.written)}]"]))
        button.button(
            "Remove",
            key=f"remove {run.name} {note.id}",
            on_click=_try,
            args=(failed, lambda name=note.id: remove_note(run.folder, name)),
        )
    box = f"note on {run.name}"

    def write() -> None:
        if _try(failed, lambda: add_note(run.folder, st.session_state[box])):
            st.session_state[box] = ""

    with st.form(f"form {run.name}", border=False):
        st.text_area("New note", key=box, max_chars=LONGEST, height=80)
        st.form_submit_button("Add note", on_click=write)
    if message := st.session_state.pop(failed, ""):
        st.error(plain(message))


def _try(failed: str, write: Callable[[], object]) -> bool:
    """Writes; says under ``failed`` why it could not."""
    try:
        write()
    except InputError as error:
        st.session_state[failed] = str(error)
        return False
    return True
