"""What jsonargparse says of a command line, as one line."""

from __future__ import annotations

import re


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
