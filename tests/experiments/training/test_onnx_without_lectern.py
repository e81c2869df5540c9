"""docs/onnx.md: its example runs an exported file with onnxruntime, numpy and Pillow alone, and gets the network's answers."""

from __future__ import annotations

import ast
import json
import re
import runpy
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.drawing import Style, metadata
from datamodules.resizing import ResizeMode, resize_scene
from experiments import ROOT
from experiments.training import onnx_words
from experiments.training.export import export
from lightning_modules import Classification, Detection, Localization, MultiLabelClassification, Pose, Segmentation
from lightning_modules.networks import FCN, YOLO, ClassAndBox, KeypointRegressor, SmallConvNet
from tests.support.exported import scattered_yolo

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

STYLE = Style(image_size=(56, 56))
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "onnx.md").read_text(encoding="utf-8"), re.DOTALL)


def example(folder: Path, monkeypatch: pytest.MonkeyPatch, last: str | None = None) -> dict[str, Any]:
    """What the page's example leaves, run in a folder with its two files; ``last`` stands in place of its last statement."""
    text = BLOCKS[0] if last is None else BLOCKS[0].partition("for box, label")[0] + last
    (folder / "example.py").write_text(text)
    monkeypatch.chdir(folder)
    return runpy.run_path(str(folder / "example.py"))


def photo(folder: Path, height: int, width: int, smooth: bool = False) -> torch.Tensor:
    """Writes ``photo.jpg``, without the losses of a JPEG; returns it as uint8 (3, height, width)."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if smooth:
        small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        pixels = np.array(small.resize((width, height), Image.Resampling.BICUBIC))
    Image.fromarray(pixels).save(folder / "photo.jpg", format="PNG")
    return torch.from_numpy(pixels).permute(2, 0, 1)


def test_the_example_is_short_and_imports_nothing_of_ours() -> None:
    nodes = [node for node in ast.walk(ast.parse(BLOCKS[0])) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name if isinstance(node, ast.Import) else str(node.module) for node in nodes for alias in node.names}
    assert names == {"json", "numpy", "onnxruntime", "PIL"}
    assert len([line for line in BLOCKS[0].splitlines() if line.strip()]) <= 25


def test_the_example_finds_what_the_network_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    task = scattered_yolo(metadata(STYLE).as_dict())
    export(task, tmp_path / "network.onnx", "letterbox")
    image = photo(tmp_path, 112, 56)
    small = resize_scene({"image": image}, (56, 56), "letterbox")["image"]
    with torch.no_grad():
        own: Any = task.predict(task(small[None].float()))[0]
    outputs = example(tmp_path, monkeypatch)["outputs"]
    assert len(own["boxes"]) == len(outputs["boxes"]) > 3
    lines = capsys.readouterr().out.splitlines()
    for box, label, score in zip(own["boxes"], own["labels"], own["scores"], strict=True):
        in_photo = (box.view(2, 2) - torch.tensor([14, 0])) * 2
        found = [line.replace("[", " ").replace("]", " ").replace(",", " ").split() for line in lines]
        near = min(found, key=lambda words: float(np.abs(np.array(words[2:], float) - in_photo.flatten().numpy()).sum()))
        assert near[0] == task.metadata.classes[int(label)] and float(near[1]) == pytest.approx(float(score), abs=0.02)
        assert np.array(near[2:], float) == pytest.approx(in_photo.flatten().numpy(), abs=0.5)


@pytest.mark.parametrize("mode", get_args(ResizeMode))
@pytest.mark.parametrize(("height", "width"), [(130, 71), (71, 130), (30, 41)], ids=["high", "wide", "small"])
def test_the_example_prepares_a_photograph_as_the_training_did(
    mode: ResizeMode, height: int, width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(Classification(network=SmallConvNet, metadata=metadata(STYLE).as_dict()), tmp_path / "network.onnx", mode)
    image = photo(tmp_path, height, width, smooth=True)
    expected = resize_scene({"image": image}, (56, 56), mode)["image"].float().numpy()
    found = example(tmp_path, monkeypatch, BLOCKS[1])["image"][0]
    assert np.abs(found - expected).mean() < 2 and ((found == 0).all(0) == (expected == 0).all(0)).mean() > 0.99


def test_a_classifier_s_line_says_its_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    task = Classification(network=SmallConvNet, metadata=metadata(STYLE).as_dict())
    export(task, tmp_path / "network.onnx")
    image = photo(tmp_path, 56, 56)
    with torch.no_grad():
        own: Any = task.predict(task(image[None].float()))[0]
    example(tmp_path, monkeypatch, BLOCKS[1])
    said = f"{task.metadata.classes[int(own['label'])]} {float(own['scores'].max()):.2f}"
    assert capsys.readouterr().out.strip() == said


@pytest.mark.parametrize(
    ("kind", "network", "shapes"),
    [
        (Classification, SmallConvNet, {"label": ["batch"], "scores": ["batch", 6]}),
        (MultiLabelClassification, SmallConvNet, {"labels": ["objects"], "count": ["batch"]}),
        (Segmentation, FCN, {"mask": ["batch", 64, 64]}),
        (Localization, ClassAndBox, {"boxes": ["batch", 1, 4]}),
        (Pose, KeypointRegressor, {"keypoints": ["batch", 1, 14, 3]}),
        (Detection, YOLO, {"boxes": ["objects", 4], "labels": ["objects"], "count": ["batch"]}),
    ],
)
def test_a_file_says_what_goes_in_and_what_comes_out(kind: Any, network: Any, shapes: dict[str, Any], tmp_path: Path) -> None:
    """The shapes that it says are those that onnxruntime then gives."""
    import onnxruntime

    torch.manual_seed(0)
    side = 56 if kind is Detection else 64  # ONNX pools adaptively where the cells are whole
    task = kind(network=network, metadata=metadata(Style(image_size=(side, side))).as_dict())
    export(task, tmp_path / "n.onnx", "letterbox")
    session = onnxruntime.InferenceSession(tmp_path / "n.onnx")
    about = json.loads(session.get_modelmeta().custom_metadata_map["lectern"])
    assert about["task"] == kind.__name__ and about["version"] and about["resize_mode"] == "letterbox"
    said, sides = about["input"], {"batch": 3}
    assert said["shape"] == ["batch", 3, side, side] and said["channels"] == "RGB" and said["range"] == [0, 255]
    assert said["resize"] == onnx_words.RESIZE["letterbox"]
    values = session.run(None, {said["name"]: np.zeros((3, 3, side, side), np.float32)})
    names = [output.name for output in session.get_outputs()]
    assert list(about["outputs"]) == names
    for (name, output), value in zip(about["outputs"].items(), values, strict=True):
        assert output["type"] == value.dtype.name and len(output["shape"]) == value.ndim, name
        for side, length in zip(output["shape"], value.shape, strict=True):
            assert side in (None, "objects") or sides.get(side, side) == length, (name, output["shape"], value.shape)
        assert output["says"] and not output["says"].startswith(f"{name} of a prediction")
        assert all(part in about["metadata"] for part in [output.get("names", "metadata.name").removeprefix("metadata.")])
    for name, shape in shapes.items():
        assert about["outputs"][name]["shape"] == shape
