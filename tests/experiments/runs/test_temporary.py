"""What a killed process left half-written goes when the run goes on; what others are writing stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from datamodules.proposal_cache import ProposalCache
from experiments.runs.temporary import remove_leftovers
from experiments.runs.writing import write_atomically
from experiments.training.checkpoint_io import AtomicCheckpoints
from lightning_modules.feature_store import FeatureStore, ImageFeatures


def test_leftovers_of_every_kind_go_and_nothing_else(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = ["config.yaml", "summary.json", "metrics.csv", "report.md", "checkpoints/last.ckpt", "checkpoints/best.onnx"]
    names += ["features/000003.npz", "pictures/a.png"]
    kept = [*names, "checkpoints/best.ckpt", ".run.lock", ".hidden", "notes.123"]
    left = [str(Path(name).with_name(f".{Path(name).name}.{pid}")) for name in names for pid in (gone.pid, os.getpid())]
    living = f"checkpoints/.best.onnx.{os.getppid()}"
    old = f"checkpoints/.last.ckpt.{os.getppid()}"
    for name in [*kept, *left, living, old, "checkpoints/trial.ckpt", f"elsewhere/.a.{gone.pid}"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    yesterday = time.time() - 25 * 3600
    os.utime(tmp_path / old, (yesterday, yesterday))
    remove_leftovers(tmp_path)
    there = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert there == {*kept, living, f"elsewhere/.a.{gone.pid}"}
    remove_leftovers(tmp_path / "nowhere")


def test_all_who_write_name_their_files_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda self, target: (written.append(self), replace(self, target))[1])
    write_atomically(tmp_path / "a.json", "{}")
    AtomicCheckpoints().save_checkpoint({"state_dict": {}}, tmp_path / "a.ckpt")
    ProposalCache(str(tmp_path / "cache"), "").get(np.zeros((4, 4, 3), np.uint8), lambda image: torch.zeros(0, 4))
    nothing = np.zeros((0, 4), np.float32)
    FeatureStore(tmp_path / "features").write(3, ImageFeatures(nothing, nothing, nothing, nothing, nothing))
    assert len(written) == 6
    assert all(path.name.startswith(".") and path.name.endswith(f".{os.getpid()}") for path in written)


def test_a_cache_is_swept_where_it_is_written(tmp_path: Path) -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    ProposalCache(str(tmp_path), "").get(image, lambda image: torch.zeros(0, 4))
    (file,) = tmp_path.glob("*/*.npz")
    left = file.with_name(f".{file.name}.{os.getpid()}")
    file.rename(left)
    ProposalCache(str(tmp_path), "").get(image, lambda image: torch.zeros(0, 4))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]
