"""What people write about a run: notes and tags, in ``notes.json`` of its folder.

A note is added or removed and never changed, so that of two people who write at once neither loses anything. The file is
read, changed and replaced under a lock of its own: the run's lock is its writer's, and a run under way can be written about.

Nothing here imports torch or Lightning.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from datamodules.errors import InputError

from .bounded import read_json
from .files import own_file
from .lock import RunLock
from .writing import plain_json, write_atomically, writing

NOTES = "notes.json"
LOCK = ".notes.lock"
LONGEST = 4_000
"""Characters of a note."""
LONGEST_TAG = 40
MOST = 200
"""Notes of a run, and tags."""
PATIENCE = 8
"""Times a quarter of a second that another writer is waited for; writing takes milliseconds."""


@dataclass(frozen=True)
class Note:
    """A note, which nobody changes any more."""

    id: str
    written: str
    """ISO 8601, with the time zone."""
    text: str


@dataclass(frozen=True)
class Notes:
    """All that was written about a run, in order."""

    notes: tuple[Note, ...] = ()
    tags: tuple[str, ...] = ()


def read_notes(folder: Path) -> Notes:
    """Of a run; empty where there are none, or the file is damaged."""
    try:
        return _read(folder)
    except (OSError, ValueError):
        return Notes()


def add_note(folder: Path, text: str) -> Notes:
    """Writes a note; returns all that there are now.

    Raises:
        InputError: it is empty, too long or one too many, the folder is read-only, or its notes are damaged.
    """
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise InputError(f"note: 1 to {LONGEST} characters expected, {len(text)} given")
    note = Note(secrets.token_hex(6), datetime.now().astimezone().isoformat(timespec="seconds"), text)
    return _changed(folder, lambda found: replace(found, notes=_within((*found.notes, note))))


def remove_note(folder: Path, name: str) -> Notes:
    """Removes the note of this id, where it is still there; returns all that there are now.

    Raises:
        InputError: as :func:`add_note`.
    """
    return _changed(folder, lambda found: replace(found, notes=tuple(n for n in found.notes if n.id != name)))


def change_tags(folder: Path, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> Notes:
    """Adds some tags and removes others, leaving alone what somebody else did to the rest meanwhile.

    Raises:
        InputError: as :func:`add_note`; a tag is one word or a few on a line, without a comma.
    """
    for tag in add:
        if not tag.strip() or len(tag) > LONGEST_TAG or not tag.isprintable() or "," in tag:
            raise InputError(f"tag {tag!r}: 1 to {LONGEST_TAG} characters on a line expected, without a comma")

    def changed(found: Notes) -> Notes:
        tags = dict.fromkeys([*found.tags, *(tag.strip() for tag in add)])
        return replace(found, tags=_within(tuple(tag for tag in tags if tag not in remove)))

    return _changed(folder, changed)


def _within(items: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(items) > MOST:
        raise InputError(f"{MOST} notes and tags of a run at most; remove one first")
    return items


def _changed(folder: Path, change: Callable[[Notes], Notes]) -> Notes:
    lock = RunLock(folder / LOCK)
    with writing(folder / NOTES):
        if not any(lock.acquire() for _ in range(PATIENCE)):
            raise InputError(f"{folder / NOTES}: somebody else is writing it; try again")
        try:
            try:
                before = _read(folder)
            except ValueError as error:
                raise InputError(f"{folder / NOTES}: is damaged ({error}), and is not written over; move it away") from None
            after = change(before)
            content = {"version": 1, "tags": list(after.tags), "notes": [asdict(note) for note in after.notes]}
            write_atomically(folder / NOTES, plain_json(content))
            return after
        finally:
            lock.release()


def _read(folder: Path) -> Notes:
    """What the file says.

    Raises:
        ValueError: it is no such file.
        OSError: it cannot be read.
    """
    path = folder / NOTES
    if not path.exists() and not path.is_symlink():
        return Notes()
    if own_file(folder, NOTES) is None:
        raise ValueError("a link, or no plain file")
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError("no table of notes and tags")
    notes = [Note(one["id"], one["written"], one["text"]) for one in _list(content, "notes") if _is_note(one)]
    tags = [tag for tag in _list(content, "tags") if isinstance(tag, str) and 0 < len(tag) <= LONGEST_TAG]
    if len(notes) < len(_list(content, "notes")) or len(tags) < len(_list(content, "tags")):
        raise ValueError("a note or a tag of another kind")
    if len({note.id for note in notes}) < len(notes):
        raise ValueError("two notes of one id")
    return Notes(tuple(notes[:MOST]), tuple(tags[:MOST]))


def _list(content: dict[str, Any], key: str) -> list[Any]:
    found = content.get(key, [])
    if not isinstance(found, list):
        raise ValueError(f"{key}: no list")
    return found


def _is_note(value: Any) -> bool:
    keys = ("id", "written", "text")
    return isinstance(value, dict) and all(isinstance(value.get(k), str) and len(value[k]) <= LONGEST for k in keys)
