"""The classes of docs/own_class.md, as they are printed there, train."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments import ROOT
from tests.conftest import Lectern

TEXT = (ROOT / "docs" / "own_class.md").read_text(encoding="utf-8")
FILES = re.findall(r"This is `(\w+\.py)`:\n\n```python\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [line for line in re.search(r"```bash\n(.*?)```", TEXT, re.DOTALL)[1].splitlines() if line]  # type: ignore[index]
SMALL = [
    "--data.batch_size=4", "--data.workers=0", "--trainer.max_steps=2", "--trainer.enable_progress_bar=false",
    "--trainer.accelerator=cpu", "--pictures.count=0",
]  # fmt: skip


@pytest.fixture
def table(workdir: Path) -> Path:
    """Photographs of several sizes, and the table that names them; the two files beside it."""
    rng = np.random.default_rng(0)
    (workdir / "photos").mkdir()
    lines = []
    for i in range(60):
        size = (40 + i % 3, 50)
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(workdir / "photos" / f"{i:04}.jpg")
        lines.append(f"photos/{i:04}.jpg,{('cat', 'dog')[i % 2]}")
    (workdir / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, text in FILES:
        (workdir / name).write_text(text, encoding="utf-8")
    return workdir


@pytest.mark.slow
def test_what_the_page_prints_runs(lectern: Lectern, table: Path) -> None:
    assert [name for name, _ in FILES] == ["my_data.py", "my_network.py"]
    doctor, fit = (shlex.split(command)[1:] for command in COMMANDS)
    tried = lectern(*doctor, "--data.batch_size=4", "--data.workers=0")
    assert tried.code == 0, tried.err
    trained = lectern(*fit, *SMALL)
    assert trained.code == 0, trained.err
    (config,) = table.rglob("config.yaml")
    assert "my_network.TwoLayers" in config.read_text(encoding="utf-8") and "width: 32" in config.read_text(encoding="utf-8")
    refused = lectern("test", "--ckpt_path", str(config.parent / "checkpoints" / "last.ckpt"), "--trainer.accelerator=cpu")
    assert refused.code == 2 and "--trust" in refused.err
    trusted = ["--trust", "my_data", "--trust", "my_network"]
    tested = lectern(
        "test", "--ckpt_path", str(config.parent / "checkpoints" / "last.ckpt"), *trusted, "--trainer.accelerator=cpu"
    )
    assert tested.code in (0, 1), tested.err  # what the recipe expects is missed
