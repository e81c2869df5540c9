"""What ``lectern reproduce`` prints of each study."""

from __future__ import annotations

import sys

from tqdm import tqdm

from datamodules.scene import printable
from experiments.reports.wording import headline
from experiments.studies.levels import Level
from experiments.studies.record import Record

from .agreement import Agreement
from .claims import Claim
from .nearness import nearest_line


def say(line: str) -> None:
    """Prints a line above the bars of progress."""
    begin = "\r" if sys.stdout.isatty() else ""  # a bar that is closed leaves the cursor in the middle of a line
    tqdm.write(begin + printable(line), file=sys.stdout)
    sys.stdout.flush()


def verdict_lines(claim: Claim, record: Record, preview: str = "") -> list[str]:
    """A verdict, or what a preview of it says; and what would change its mind."""
    noted = f"({preview}) " if preview else ""
    lines = [f"{claim.id}  {record.level:16} {claim.name:44} {noted}{headline(record)}"]
    if near := nearest_line(record):
        lines.append(f"     {near}")
    if record.changed_code:
        lines.append(f"     made before changes in {', '.join(record.changed_code)}; delete its runs to measure again")
    return lines


def agreement_lines(claim: Claim, agreement: Agreement) -> list[str]:
    """Whether a verdict holds on fresh seeds and, by its own account, how near to a bound it was."""
    now, was = agreement.now, agreement.was
    lines = verdict_lines(claim, now, agreement.preview)
    if was is None:
        return [*lines, "     no verdict to compare with"]
    held = {True: "holds", False: "does not hold", None: f"it says nothing yet ({agreement.preview})"}[agreement.held]
    lines.append(f"     {agreement.source} verdict of {was.day}: {was.level}, now {now.level}: {held}")
    if near := nearest_line(was):
        lines.append(f"     by its own account it {near}")
    lines += [f"     part {letter}: {then}, now {level}" for letter, (then, level) in agreement.other_parts.items()]
    return lines


def reason_line(claim: Claim, reason: str) -> str:
    """Why a study has no verdict."""
    return f"{claim.id}  {Level.NOT_RUN:16} {claim.name:44} {reason}"
