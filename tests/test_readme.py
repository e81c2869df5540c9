"""The README is short, its commands run, its recipe is the file's, and every page's links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments import ROOT
from tests.conftest import Lectern
from tests.support.small_runs import SMALL, one_run

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = [
    shlex.split(line.partition("#")[0])[1:]
    for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("lectern ")
]


def test_it_is_read_in_minutes() -> None:
    assert len(README.splitlines()) <= 120
    assert max(map(len, re.sub(r"(?m)^\|.*", "", README).splitlines())) <= 140


def test_its_recipe_is_the_file_s() -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert shown == (ROOT / "experiments/recipes/segmentation/fcn_transpose.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [t.partition("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in t and not t.startswith("#")]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def photographs(folder: Path, *classes: str) -> None:
    rng = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for i in range(30):
            Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(folder / name / f"{i}.png")


SMALLER = {
    "fit --config segmentation/fcn_transpose": SMALL,
    "reproduce D09": ["--list"],
    "dashboard": ["--help"],
    "reproduce --list": [],
    "reproduce all --max-minutes 5": ["--list"],
    "reproduce --check": ["--help"],
    "data --data.root photos/": [],
    "fit --config classification/resnet18_folder --data.root photos/": [
        "--config=no_weights.yaml", "--data.image_size=32", "--data.augment=[]", "--data.batch_size=4", "--data.workers=0",
        "--trainer.max_steps=1", "--trainer.enable_progress_bar=false",
    ],
    "predict --ckpt_path runs/…/checkpoints/best.ckpt --data ImageFiles --data.root more_photos/": [],
}  # fmt: skip
"""What is put behind each command of the README, so that it takes seconds."""


@pytest.mark.slow
def test_its_commands_run(lectern: Lectern, workdir: Path) -> None:
    assert {shlex.join(command) for command in COMMANDS} == {shlex.join(shlex.split(command)) for command in SMALLER}
    photographs(workdir / "photos", "cat", "dog")
    photographs(workdir / "more_photos", "any")
    (workdir / "no_weights.yaml").write_text("model: {init_args: {network: {init_args: {weights: null}}}}")
    for command in COMMANDS:
        small = next(extra for known, extra in SMALLER.items() if shlex.split(known) == command)
        words = [word.replace("runs/…", str(one_run(Path("runs/segmentation")))) if "…" in word else word for word in command]
        if small == ["--help"]:
            with pytest.raises(SystemExit, match="0"):
                lectern(*words, *small)
            continue
        result = lectern(*words, *small)
        may_miss = command[0] == "fit"  # what a recipe expects, after so few steps
        assert result.code == 0 or (may_miss and result.code == 1), (command, result.err)
