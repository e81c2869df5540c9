"""What a person got wrong, as one line."""

from __future__ import annotations

import re

from datamodules.loading import worker_killed
from datamodules.scene import InputError


def readable(message: str) -> str:
    """jsonargparse's account of a value that fits no member of a union, reduced to the key and what is wrong with it.

    It nests: each level names its key, lists the members it tried, and repeats the value.
    """
    text = " ".join(str(message).split())
    text = re.sub(r"Does not validate against any of the Union subtypes Subtypes: .*? Errors: - ", "", text)
    keys = re.findall(r'Parser key "([^"]+)": ?', text)
    innermost = re.split(r'Parser key "[^"]+": ?', text)[-1]
    reason = re.split(r" - Expected a <class 'NoneType'>| Given value|; Union", innermost)[0]
    if unknown := re.search(r"Expected a dot import path string: (\S+)", reason):
        reason = f"there is no class {unknown[1]} (lectern list shows what there is)"
    return f"{'.'.join(keys)}: {reason}" if keys else reason


def input_error(error: BaseException | None) -> InputError | None:
    """The InputError that an exception is, or was raised from."""
    while error is not None and not isinstance(error, InputError):
        # torch says so in the middle of whatever runs, where nobody could say it better.
        if isinstance(error, RuntimeError) and (killed := worker_killed(error)):
            return killed
        error = error.__cause__ or error.__context__
    return error


def one_line(error: Exception) -> str:
    """The message; of an error raised in a loader's worker the last line, since torch puts a stack trace before it."""
    text = str(error).strip()
    return text.splitlines()[-1].split("Error: ", 1)[-1] if "Original Traceback" in text else " ".join(text.split())
