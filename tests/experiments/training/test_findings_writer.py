"""The pictures and charts of an evaluation: the worst scenes alone are kept, and no name of a stranger is markup."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image

from datamodules.scene import DatasetMetadata
from experiments.runs.findings import CurveSeries, CurvesFinding, Findings, MatrixFinding, TableFinding, read_findings
from experiments.runs.findings_report import findings_lines
from experiments.training.charts import draw_charts
from experiments.training.findings_writer import FindingsWriter, write_findings
from experiments.training.gallery import OBJECTS, Worst, draw_gallery
from tests.conftest import Lectern
from tests.support.ranks import COMMON, config, the_run

METADATA = DatasetMetadata("x", (8, 8), ("cat", "dog"))


def batch_of(*indices: int) -> Any:
    images = torch.stack([torch.full((3, 8, 8), index, dtype=torch.uint8) for index in indices])
    boxes = [torch.tensor([[1.0, 1, 5, 5]]) for _ in indices]
    labels = [torch.zeros(1, dtype=torch.long) for _ in indices]
    return {
        "image": images,
        "boxes": boxes,
        "labels": labels,
        "index": torch.tensor(indices),
        "name": [f"{i}" for i in indices],
    }


def detections(count: int = 2) -> dict[str, torch.Tensor]:
    return {
        "boxes": torch.tensor([[1.0, 1, 5, 5]]).expand(count, 4),
        "labels": torch.zeros(count, dtype=torch.long),
        "scores": torch.linspace(0, 1, count),
        "masks": torch.zeros(count, 8, 8, dtype=torch.uint8),
    }


def test_the_worst_scenes_are_kept_whatever_the_order_and_those_without_a_fault_never() -> None:
    values = {0: 0.2, 1: 0.9, 2: 0.0, 3: 0.9, 4: 0.5, 5: 0.1, 6: float("nan")}
    for order in ([0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0], [3, 0, 6, 2, 5, 1, 4]):
        worst = Worst(3)
        for index in order:
            worst.offer([values[index]], [detections()], batch_of(index), object())
        kept = worst.gather()
        assert [entry.scene["index"] for entry in kept] == [1, 3, 4]
        assert all(int(entry.scene["image"][0, 0, 0]) == entry.scene["index"] for entry in kept)
    few = Worst(10)
    few.offer([0.0, 0.3], [detections(), detections()], batch_of(0, 1), object())
    assert len(few.gather()) == 1
    none = Worst(0)
    none.offer([1.0], [detections()], batch_of(0), object())
    assert none.gather() == []


def test_of_a_scene_the_best_detections_are_kept_and_no_memory_of_its_batch() -> None:
    worst, batch = Worst(1), batch_of(*range(4))
    worst.offer([0.5, 0, 0, 0], [detections(100)] * 4, batch, object())
    (entry,) = worst.gather()
    assert len(entry.prediction["masks"]) == len(entry.prediction["scores"]) == OBJECTS
    assert float(entry.prediction["scores"].min()) > 0.5
    assert entry.scene["image"].untyped_storage().nbytes() == 3 * 8 * 8


def test_pictures_are_files_beside_the_document(tmp_path: Path) -> None:
    worst = Worst(2)
    worst.offer([0.5, 0.7], [detections(), detections()], batch_of(0, 1), object())
    gallery = draw_gallery(worst.gather(), METADATA, tmp_path, 0.3)
    assert gallery is not None
    assert [item.file for item in gallery.items] == ["worst_00.png", "worst_01.png"]
    assert gallery.items[0].caption.startswith("1: 1 right")
    assert all(Image.open(tmp_path / item.file).width > 8 for item in gallery.items)
    assert draw_gallery([], METADATA, tmp_path, 0.3) is None


def test_charts_are_drawn_of_any_names_and_the_report_shows_them_as_text(tmp_path: Path) -> None:
    names = ("$\\frac$", "<script>", "강아지", "| cell |")
    sections = (
        MatrixFinding(title="Confusion", names=names, rows=tuple((20_000, 1, 0, 0) for _ in names)),
        CurvesFinding(title="Curves", x="x", y="y", series=(CurveSeries(name=names[0], x=(0.0, None), y=(1.0, 0.5)),)),
        TableFinding(title="T", columns=("class", "AP"), rows=tuple((name, None) for name in names)),
    )
    folder = tmp_path / "findings"
    folder.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        draw_charts(sections, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["section_00.png", "section_01.png"]
    write_findings(folder, Findings(split="test", checkpoint="best", sections=sections))
    text = "\n".join(findings_lines(tmp_path))
    assert "findings/section_00.png" in text and "<script>" not in text.replace("\\<", "") and "강아지" in text
    assert text.count("| class | AP |") == 1


@pytest.mark.parametrize("step", ["add", "take"])
@pytest.mark.parametrize(
    ("error", "said"),
    [(KeyError("mask"), "object gives its metrics no mask"), (IndexError("9"), "IndexError: 9"), (ValueError("a\nb"), "a b")],
)
def test_a_task_that_findings_do_not_fit_keeps_its_figures(
    step: str, error: Exception, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*given: Any) -> None:
        raise error

    writer = FindingsWriter(2, 0.3, "best")
    inquiry = SimpleNamespace(add=lambda *given: [0.5], take=lambda: None)
    setattr(inquiry, step, fail)
    writer._inquiry = inquiry  # type: ignore[assignment]
    task: Any = object()
    trainer: Any = None
    writer.on_test_batch_end(trainer, task, [detections()], batch_of(0))
    writer.on_test_epoch_end(trainer, task)
    writer.on_test_batch_end(trainer, task, [detections()], batch_of(1))
    err = capsys.readouterr().err
    assert err.count("lectern: no findings: ") == err.count("\n") == 1 and said in err
    assert writer._inquiry is None


@pytest.mark.parametrize(
    "task", ["keypoints and masks", "dense captioning", "staged", "multi-label", "Denoising", "Localization"]
)
def test_an_evaluation_of_every_kind_of_task_leaves_findings(task: str, lectern: Lectern, workdir: Path) -> None:
    command = ["fit", *config(task, workdir), *COMMON, "--data.val=4", "--data.test=5", "--trainer.max_steps=1"]
    said = lectern(*command, "--trainer.max_epochs=-1", "--name=one", "--pictures.count=2", "--test_at_end=true")
    assert said.code == 0, said.err
    run = the_run(workdir, "one")
    found = read_findings(run)
    assert found is not None and found.scenes == 5
    kinds = [section.kind for section in found.sections]
    assert {"baseline", "table", "gallery"} <= set(kinds)
    assert all((run / "findings" / item.file).is_file() for s in found.sections if s.kind == "gallery" for item in s.items)
    assert "## What went wrong, and where" in (run / "report.md").read_text("utf-8")
    assert f"findings  {run.relative_to(workdir)}" in said.out
