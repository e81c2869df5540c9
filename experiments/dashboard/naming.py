"""What tells runs apart: the settings in which they differ, most telling first, and not the time at which they began."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from experiments.dashboard.library import RunInfo
from experiments.reports.wording import short
from experiments.runs.files import OWN

SILENT = ("pictures", "checkpoint", "expect", "wandb", "rank_timeout", "ckpt_path", "weights_only", "recipes")
"""Settings, and what lies below them, that change nothing of what is learned."""
SILENT_OF_TRAINER = (
    "logger",
    "enable_progress_bar",
    "enable_model_summary",
    "enable_checkpointing",
    "default_root_dir",
    "profiler",
)
FIRST = ("model", "model.network", "data", "init_from", "model.optimizer", "model.optimizer.lr")
"""Settings that come before others in a name."""
LAST = ("data.workers", "data.batch_size", "seed_everything")
FEW, MOST = 4, 8
"""Settings in a name: as many as differ up to the first number, and up to the second where that is needed to tell two apart."""
LONGEST = 100


def names_of(runs: Sequence[RunInfo]) -> dict[str, str]:
    """What each run is called beside the others, by its path: ``lr 0.01, seed 1``.

    The experiment stands before it where the runs are of several. Those that differ in no setting have the time of their
    start behind it, and their folder where that is the same too.
    """
    by_title: dict[str, list[RunInfo]] = {}
    for run in runs:
        by_title.setdefault(title_of(run), []).append(run)
    found = {}
    for title, own in by_title.items():
        for run, name in zip(own, _names(own), strict=True):
            found[run.name] = ": ".join(filter(None, (title if len(by_title) > 1 or not name else "", name)))
    for last in (lambda path, name: f"{name} ({path.rpartition('/')[2]})", lambda path, name: path):
        counted = Counter(found.values())
        found = {path: name if counted[name] == 1 else last(path, name) for path, name in found.items()}
    return found


def title_of(run: RunInfo) -> str:
    """The experiment that a run is of: its study's name, its recipe's, or the folder that it lies in."""
    if run.study.get("variant"):
        return str(run.study.get("name") or run.study.get("claim") or "").rpartition("/")[2]
    return str(run.summary.get("name") or run.name.rpartition("/")[0] or run.name)


def differing(runs: Sequence[RunInfo]) -> list[str]:
    """The settings in which runs differ, those first that tell most; none of what changes nothing."""
    names = dict.fromkeys(key for run in runs for key in run.settings if not _is_silent(key))
    several = {key for key in names if len({_key(run.settings.get(key)) for run in runs}) > 1}
    # Below a class that differs, what only one of the classes has says nothing more.
    kept = [key for key in several if not (_above(key) & several and any(key not in run.settings for run in runs))]
    return sorted(kept, key=_rank)


def _names(runs: Sequence[RunInfo]) -> list[str]:
    """Of runs of one experiment; empty for one that is alone."""
    if all(run.study.get("variant") for run in runs):
        return [_of_study(run) for run in runs]
    if len(runs) == 1:
        return [""]
    keys = differing(runs)
    words = _words(keys)
    count = min(FEW, len(keys))
    while True:
        parts = [[_part(words[key], key, run) for key in keys[:count]] for run in runs]
        names = [", ".join(filter(None, own))[:LONGEST] for own in parts]
        if len(set(names)) == len(names) or count >= min(MOST, len(keys)):
            break
        count += 1
    counted = Counter(names)
    return [name if counted[name] == 1 else _with_time(name, run) for name, run in zip(names, runs, strict=True)]


def _of_study(run: RunInfo) -> str:
    lr = f", lr {short(run.study['lr'])}" if run.study.get("lr") is not None else ""
    return f"{short(run.study['variant'])}, seed {short(run.study.get('seed'))}{lr}"[:LONGEST]


def _part(word: str, key: str, run: RunInfo) -> str:
    if key not in run.settings:
        return ""
    value = run.settings[key]
    text = value_of(value)
    return text if text != str(value) else f"{word} {text}"  # a class stands for itself


def value_of(value: object) -> str:
    """A setting's value as a name has it: of a class its last word."""
    parts = value.split(".") if isinstance(value, str) else []
    return parts[-1] if len(parts) > 1 and all(part.isidentifier() for part in parts) else short(value, 40)


def _words(keys: Sequence[str]) -> dict[str, str]:
    """What each setting is called: its last word, and the one before where that is another's too."""
    last = {key: "seed" if key == "seed_everything" else key.rpartition(".")[2] for key in keys}
    counted = Counter(last.values())
    return {key: word if counted[word] == 1 else ".".join(key.split(".")[-2:]) for key, word in last.items()}


def _with_time(name: str, run: RunInfo) -> str:
    began = str(run.summary.get("started") or "")[5:16].replace("T", " ")
    return ", ".join(filter(None, (name, began)))


def _key(value: object) -> Hashable:
    return repr(value)


def _is_silent(key: str) -> bool:
    first, _, rest = key.partition(".")
    return key in OWN or first in SILENT or (first == "trainer" and rest in SILENT_OF_TRAINER)


def _above(key: str) -> set[str]:
    parts = key.split(".")
    return {".".join(parts[:i]) for i in range(1, len(parts))}


def _rank(key: str) -> tuple[int, str]:
    place = {"model": 10, "data": 11, "trainer": 12}.get(key.partition(".")[0], 13)
    if key in FIRST:
        place = FIRST.index(key)
    return (20 + LAST.index(key) if key in LAST else place, key)
