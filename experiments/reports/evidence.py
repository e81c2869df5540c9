"""What stands behind a verdict: the curves, speeds, settings and pictures of the runs that its record names."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from experiments.runs.files import (
    EVALUATIONS,
    PICTURES,
    is_text,
    own_file,
    read_columns,
    read_config,
    read_curves,
    read_summary,
    run_at,
    tested_folder,
)
from experiments.studies.record import EffectRecord, Record
from experiments.studies.recording import effect_record
from experiments.studies.verdict import Effect

from .series import Series, thin

KINDS = (".png", ".jpg", ".jpeg", ".webp")
"""Of pictures, by their endings."""
FORMATS = ("PNG", "JPEG", "WEBP")
"""As Pillow calls them; others are not tried, of which one starts another program (EPS)."""
PIXELS = 50_000_000
"""Of a picture that is opened; a larger one is not ours."""

TALLEST = 16_000
"""Pixels; WebP has no more than 16,383 in a column."""


def folders(runs: Path | None, record: Record) -> dict[str, list[Path]]:
    """Each variant's run folders at its best learning rate, by seed; those that are gone, or lie elsewhere, are left out."""
    if runs is None:
        return {}
    return {
        name: [folder for run in variant.runs if run.folder and (folder := run_at(runs, run.folder))]
        for name, variant in record.variants.items()
    }


def curves_of(folder: Path) -> dict[str, Series]:
    """Every curve of a run: of a training over optimizer steps, of a measurement over whatever it measured along."""
    columns = read_columns(folder)
    steps = columns.get("step")
    curves: dict[str, Series] = {}
    if steps is not None:
        for name, values in columns.items():
            if name not in ("step", "epoch", "seconds") and (known := ~_missing(values)).any():
                curves[name] = (steps[known], values[known])
    return curves | read_curves(folder)


def _missing(values: Any) -> Any:
    return values != values


def study_curves(runs: Path | None, record: Record) -> dict[str, dict[str, list[Series]]]:
    """The curves of a study: by name (the deciding one first), by variant, one a seed, thinned."""
    found: dict[str, dict[str, list[Series]]] = {}
    for variant, places in folders(runs, record).items():
        for folder in places:
            for name, series in curves_of(folder).items():
                if len(series[0]) > 1:
                    found.setdefault(name, {}).setdefault(variant, []).append(thin(series, 400))
    return dict(sorted(found.items(), key=lambda item: (item[0] != record.figure, item[0])))


def shown_curves(record: Record, curves: Mapping[str, Mapping[str, list[Series]]]) -> list[str]:
    """The names of the curves that a report shows: the one that the study names, or those of a measurement."""
    if record.figure in curves:
        return [record.figure]
    return [name for name in curves if "/" not in name][:3]


def variant_values(record: Record, name: str) -> dict[str, EffectRecord]:
    """A value of each variant, by seed, with its mean and interval; empty where no run has it."""
    found = {}
    for variant, content in record.variants.items():
        effect = Effect(variant, tuple(run.values[name] for run in content.runs if name in run.values))
        if effect.by_seed:
            found[variant] = effect_record(effect)
    return found


def speeds(runs: Path | None, record: Record, name: str) -> dict[str, list[tuple[float, float]]]:
    """(images per second of training, value of a metric) of each run, by variant."""
    found: dict[str, list[tuple[float, float]]] = {}
    for variant, content in record.variants.items():
        for run in content.runs:
            folder = run_at(runs, run.folder) if runs else None
            speed = read_summary(folder).get("images_per_second") if folder else None
            value = run.values.get(name, math.nan)
            if isinstance(speed, int | float) and math.isfinite(value):
                found.setdefault(variant, []).append((float(speed), value))
    return found


def configs(runs: Path | None, record: Record) -> dict[str, dict[str, Any]]:
    """The configuration of each variant's first run; a measurement has none."""
    found = {variant: read_config(places[0]) for variant, places in folders(runs, record).items() if places}
    return {variant: config for variant, config in found.items() if config}


def pictures(folder: Path) -> dict[str, Path]:
    """A run's pictures by name, in order, and that of its own test; what is no picture inside the run is left out."""
    place = folder / PICTURES
    try:
        names = sorted(path.name for path in place.iterdir() if path.suffix.lower() in KINDS and is_text(path.name))
    except OSError:
        return {}
    found = {Path(name).stem: path for name in names if (path := own_file(folder, f"{PICTURES}/{name}"))}
    if (test := tested_folder(folder)) != folder and (
        path := own_file(folder, f"{EVALUATIONS}/{test.name}/{PICTURES}/test.png")
    ):
        found["test"] = path
    return found


def study_pictures(runs: Path | None, record: Record, most: int = 4) -> dict[str, dict[str, Path]]:
    """Pictures of each variant's first run: by picture name, by variant; of a training's only the last one."""
    found: dict[str, dict[str, Path]] = {}
    for variant, places in folders(runs, record).items():
        own = pictures(places[0]) if places else {}
        epochs = [name for name in own if name.startswith("epoch_")]
        if epochs:
            own = {name: path for name, path in own.items() if name not in epochs}
            own = own or {"after the last epoch": pictures(places[0])[epochs[-1]]}
        for name, path in own.items():
            found.setdefault(name, {})[variant] = path
    return dict(list(found.items())[:most])


def small_picture(path: Path, side: int, quality: int = 80) -> bytes | None:
    """A picture made smaller, as WebP, no wider than ``side`` pixels; None where it is damaged or far too large.

    A picture much smaller than that is enlarged by a whole factor, so that what was a pixel stays visible as one.
    """
    try:
        with Image.open(path, formats=FORMATS) as opened:
            if opened.width * opened.height > PIXELS or opened.height > TALLEST:
                return None
            picture = opened.convert("RGB")
    except Exception:  # Pillow's decoders raise whatever a damaged file leads them to
        return None
    if picture.width > side:
        picture = picture.resize((side, max(1, round(picture.height * side / picture.width))), Image.Resampling.LANCZOS)
    elif (factor := min(side // (2 * picture.width), TALLEST // picture.height)) > 1:
        picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=quality, method=4)
    return out.getvalue()
