"""Run folders and verdicts that no training made, for the tests of reports and of the dashboard."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from experiments.studies.record import FORMAT


def write_run(
    folder: Path,
    *,
    state: str = "finished",
    steps: int = 400,
    every: int = 10,
    seed: int = 0,
    final: float = 0.2,
    lr: float = 0.1,
    network: str = "CifarNet",
    pictures: Sequence[str] = (),
    **summary: Any,
) -> Path:
    """A run as a training leaves it, whose error falls towards ``final``."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    lines = ["step,epoch,seconds,train/loss,trainset/error"]
    for step in range(0, steps, every):
        error = final + (0.83 - final) * np.exp(-6 * step / steps) + 0.02 * rng.standard_normal()
        lines.append(f"{step},{step // 100},{step * 0.11:.2f},{2.5 * error:.6f},{error if step % (5 * every) == 0 else ''}")
    (folder / "metrics.csv").write_text("\n".join(lines) + "\n")
    config = {
        "seed_everything": seed,
        "model": {
            "class_path": "lightning_modules.Classification",
            "init_args": {
                "network": {"class_path": f"lightning_modules.networks.{network}", "init_args": {"depth": 20}},
                "optimizer": {"class_path": "torch.optim.SGD", "init_args": {"lr": lr}},
            },
        },
        "data": {"class_path": "Shapes", "init_args": {"image_size": 20, "batch_size": 64}},
        "version": folder.name,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    values = {
        "state": state,
        "name": folder.parent.name,
        "started": "2026-11-20T10:00:00+00:00",
        "device": "1 x x86_64 (cpu)",
        "commit": "0123abc",
        "seconds": 44.0,
        "images_per_second": 300.0 + 20 * seed,
        "metrics": {"train/loss": 2.5 * final, "trainset/error": final},
        "test": {"test/error": final + 0.03 + 0.005 * seed, "test/accuracy": 0.97 - final - 0.005 * seed},
    }
    (folder / "summary.json").write_text(json.dumps(values | summary))
    for name in pictures:
        (folder / "pictures").mkdir(exist_ok=True)
        noise = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((256, 192), Image.Resampling.NEAREST).save(folder / "pictures" / f"{name}.png")
    return folder


def write_study(
    root: Path,
    errors: Mapping[str, Sequence[float]],
    *,
    claim: str = "D09",
    name: str = "cnn/plain_nets_degrade",
    level: str = "reproduced",
    scale: str = "cpu",
    pictures: Sequence[str] = (),
    **record: Any,
) -> Path:
    """A study's runs, one a seed for each variant with the final errors given, and its verdict; returns the verdict's file."""
    first, second = list(errors)[:2]
    gaps = [100 * (a - b) for a, b in zip(errors[first], errors[second], strict=True)]
    written: dict[str, Any] = {}
    for variant, finals in errors.items():
        runs = []
        for seed, final in enumerate(finals):
            safe = "".join(c if c.isalnum() or c in "-+." else "_" for c in variant)[:80]
            folder = root / "lectures" / name / f"{safe}-lr0.1-seed{seed}-{abs(hash((variant, seed))) % 16**12:012x}"
            study = {"claim": claim, "name": name, "scale": scale, "variant": variant, "lr": 0.1, "seed": seed}
            write_run(folder, seed=seed, final=final, pictures=pictures if seed == 0 else (), study=study, complete=True)
            values = {"trainset/error": final, "test/error": final + 0.03}
            runs.append({"folder": "/".join(folder.parts[-4:]), "seed": seed, "values": values})
        network = {"class_path": "lightning_modules.networks.CifarNet", "init_args": {"depth": 56, "residual": False}}
        changes = {"model.init_args.network": network}
        written[variant] = {"changes": changes, "lr": 0.1, "tried": {"0.0316": 0.4, "0.1": 0.2, "0.316": 0.5}, "runs": runs}
    effect = {
        "name": f"training error, {first} − {second}",
        "by_seed": gaps,
        "unit": "points",
        "needs": {"low": 0.0, "words": "> 0"},
        "level": "reproduced",
        "paper": None,
        "bounds": [],
        "variants": [first, second],
        "estimate": float(np.mean(gaps)),
        "interval": [min(gaps), max(gaps)],
        "nearest": {"level": "direction only", "shift": -3.5},
        "detectable": 4.5,
    }
    after = effect | {"name": "the same after three times the steps", "needs": {"low": 2, "words": "≥ 2 points"}, "paper": 5.0}
    shared = effect | {"name": f"{effect['name']}, shared learning rate", "by_seed": gaps[:1], "interval": None, "needs": None}
    says = "Plain net: simply stacking layers; a deeper plain net has higher training error and test error."
    part = {
        "says": says,
        "level": level,
        "because": f"With 56 layers the training error is {np.mean(gaps):.0f} points higher than with 20.",
        "effects": [effect, after],
        "conditions": [],
        "shown": [],
        "validity_checks": [{"name": "every variant's best learning rate lies inside its grid", "passed": True, "detail": ""}],
        "checks": [],
        "shared_lr": shared | {"level": None, "variants": [], "nearest": None},
        "also": [],
    }
    content = {
        "format": FORMAT,
        "claim": claim,
        "name": name,
        "title": "A deeper plain net has the higher training error: 56 layers do worse than 20.",
        "says": says,
        "slide": "Plain net",
        "paper": "CIFAR-10: plain-110 above 60 %.",
        "rule": "Reproduced: the training error of 56 layers is higher.",
        "erratum": "",
        "scale": scale,
        "date": "2026-11-24T06:38:39+00:00",
        "seconds": 12.0,
        "deviations": ["width 8 in place of 16", "drawn scenes of 16 × 16 pixels in place of CIFAR-10"],
        "amendments": [{"date": "2026-11-23", "what": "seeds draw new scenes"}],
        "controlled": "width, data, order, initialization, steps",
        "figure": "trainset/error",
        "data": {"class": "Shapes", "train": 4000, "test": 1000},
        "seeds": len(gaps),
        "variants": written,
        "device": "1 x x86_64 (cpu)",
        "processor": "Made-up 1000",
        "versions": {"torch": "2.14.1"},
        "commit": "0123abc",
        "cpu_seconds": 600.0,
        "changed_code": [],
    }
    path = root / "lectures" / name / f"verdict-{scale}.json"
    path.write_text(json.dumps(_with(content, part, record)))
    return path


def _with(content: dict[str, Any], part: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A record of one part; what is changed is put where it belongs: the part's own into the part."""
    own = {name: value for name, value in changes.items() if name in part and name != "says"}
    part = part | own | ({"says": changes["says"]} if "says" in changes else {})
    return content | {"parts": {"a": part}} | {name: value for name, value in changes.items() if name not in own}


def write_exact(root: Path, claim: str = "B03", name: str = "cnn/fully_connected_needs_billions", **record: Any) -> Path:
    """The verdict of an exact study, which has no runs."""
    check = {"what": "weights", "computed": 1_600_000_000, "expected": 1_600_000_000, "tolerance": 0.0, "holds": True}
    says = "Example: 200x200 image, 40K hidden units → ~2B parameters!!!"
    part = {
        "says": says,
        "level": "exact",
        "because": "1 of 1 computed identities hold.",
        "checks": [check | {"lecture": "about 2 billion"}],
        "effects": [],
        "validity_checks": [],
        "shared_lr": None,
        "also": [],
    }
    content = {
        "format": FORMAT,
        "claim": claim,
        "name": name,
        "title": "A fully connected layer on a 200 × 200 image has 1.6 billion weights.",
        "says": says,
        "slide": "Idea background for CNN",
        "paper": "No paper; 200² · 40,000 = 1.6 · 10⁹ weights.",
        "erratum": "The slide rounds 1.6 billion up to “~2B”.",
        "scale": "cpu",
        "date": "2026-11-24T06:38:39+00:00",
        "deviations": [],
        "seeds": 0,
        "variants": {},
        "controlled": "",
        "figure": "",
        "device": "any",
        "commit": "0123abc",
    }
    path = root / "lectures" / name / "verdict-cpu.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_with(content, part, record)))
    return path
