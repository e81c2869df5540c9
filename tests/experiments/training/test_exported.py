"""An exported network predicts what its checkpoint does, and nothing else is run for one."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image

from datamodules.drawing import Style, metadata
from datamodules.scene import InputError
from experiments.training import onnx_files
from experiments.training.export import export
from experiments.training.exported import Exported, fault
from experiments.training.onnx_batches import of_each
from lightning_modules import Classification, Detection
from lightning_modules.networks import YOLO, SmallConvNet
from tests.conftest import Lectern

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

STYLE = Style(image_size=(56, 56))
SIZES = [(56, 56), (80, 40), (31, 90), (64, 64), (56, 30)]


def checkpoint(path: Path) -> Path:
    """A YOLO whose scores are far from each other and from its threshold, so that rounding decides nothing."""
    torch.manual_seed(0)
    arguments = {"score_threshold": 0.2, "max_detections": 20}
    task = Detection(network=partial(YOLO, **arguments), metadata=metadata(STYLE).as_dict())  # type: ignore[arg-type]
    network: Any = task.network
    with torch.no_grad():
        bias = network.head.layers[-1].bias
        bias[2:5], bias[10] = 0.6, 0.6
    network_of = {"class_path": "lightning_modules.networks.YOLO", "init_args": arguments}
    data = {"class_path": "Shapes", "init_args": {"resize_mode": "letterbox"}}
    content = {
        "state_dict": task.state_dict(),
        "hyper_parameters": {"metadata": task.metadata.as_dict()},
        "experiment": {"model": {"class_path": "Detection", "init_args": {"network": network_of}}, "data": data},
        "pytorch-lightning_version": "2.6.6",
    }
    torch.save(content, path)
    return path


def photos(folder: Path) -> Path:
    folder.mkdir()
    generator = torch.Generator().manual_seed(0)
    for i, (height, width) in enumerate(SIZES):
        pixels = torch.randint(0, 256, (height, width, 3), generator=generator, dtype=torch.uint8)
        Image.fromarray(pixels.numpy()).save(folder / f"{i}.png")
    return folder


def predicted(lectern: Lectern, folder: Path, path: Path, root: Path, *options: str) -> list[dict[str, Any]]:
    runs = ["--runs", str(folder), "--data.workers", "0", "--trainer.enable_progress_bar", "false", *options]
    done = lectern("predict", "--ckpt_path", str(path), "--data", "ImageFiles", "--data.root", str(root), *runs)
    assert done.code == 0, done.err
    (written,) = folder.glob("*/evaluations/*/predictions/predictions.json")
    entries: list[dict[str, Any]] = json.loads(written.read_text())
    return entries


def test_an_exported_network_predicts_what_its_checkpoint_does(
    lectern: Lectern, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For photographs of different sizes, in batches that are not full, prepared as in the training."""
    model, root = checkpoint(tmp_path / "yolo.ckpt"), photos(tmp_path / "photos")
    assert lectern("export", "--ckpt_path", str(model)).code == 0
    about, _ = onnx_files.read(tmp_path / "yolo.onnx")
    assert (about.task, about.resize_mode, about.metadata["classes"]) == (
        "Detection",
        "letterbox",
        list(metadata(STYLE).classes),
    )
    own = predicted(lectern, tmp_path / "a", model, root, "--data.batch_size", "2")
    monkeypatch.setattr(torch, "load", lambda *args, **kwargs: pytest.fail("an exported network is no checkpoint"))
    theirs = predicted(lectern, tmp_path / "b", tmp_path / "yolo.onnx", root, "--data.batch_size", "3", "--pictures", "false")
    assert [entry["file"] for entry in own] == [entry["file"] for entry in theirs] == [f"{i}.png" for i in range(len(SIZES))]
    assert all(entry["picture"].endswith(".jpg") for entry in own) and not any("picture" in entry for entry in theirs)
    assert not list((tmp_path / "b").rglob("*.jpg"))
    for entry, other, (height, width) in zip(own, theirs, SIZES, strict=True):
        assert entry["size"] == other["size"] == [height, width]
        assert entry["objects"] and len(entry["objects"]) == len(other["objects"])
        for one in entry["objects"]:  # in any order: scores of neighbouring cells may be equal but for rounding
            near = min(other["objects"], key=lambda two: sum(abs(a - b) for a, b in zip(one["bbox"], two["bbox"], strict=True)))
            assert near["category"] == one["category"] and near["score"] == pytest.approx(one["score"], abs=1e-4)
            assert near["bbox"] == pytest.approx(one["bbox"], abs=1e-2)


def test_a_batch_s_outputs_are_told_apart_by_image() -> None:
    together = {"boxes": torch.arange(12.0).view(3, 4), "labels": torch.arange(3), "scores": torch.rand(3)}
    first, none, last = of_each({**together, "count": torch.tensor([2, 0, 1])})
    assert torch.equal(first["boxes"], together["boxes"][:2]) and torch.equal(last["labels"], torch.tensor([2]))
    assert [len(value) for value in none.values()] == [0, 0, 0]
    several = of_each({"scores": torch.rand(2, 5), "labels": torch.arange(3), "count": torch.tensor([1, 2])})
    assert [(len(one["scores"]), len(one["labels"])) for one in several] == [(5, 1), (5, 2)]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "n.onnx"
    export(Classification(network=SmallConvNet, metadata=metadata(STYLE).as_dict()), path)
    return path


def with_text(network: Path, path: Path, text: str) -> Path:
    model = onnx.load(network)
    onnx.helper.set_model_props(model, {onnx_files.KEY: text})
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "not exported by this Lectern"),
        ({"task": "os.system"}, "its task is 'os.system', and no class's name"),
        ({"resize_mode": "shrink"}, "its resize_mode is 'shrink', and none of stretch, letterbox, crop"),
        ({"metadata": {"name": "x", "image_size": [10**9, 1]}}, "its metadata are no data set's: image_size"),
        ({"metadata": {"name": "x", "image_size": [8, 8], "classes": [{"class_path": "x"}]}}, "are no data set's: classes"),
        (None, "is no JSON"),
    ],
)
def test_what_a_file_says_of_itself_is_looked_at(network: Path, tmp_path: Path, change: Any, said: str) -> None:
    about, _ = onnx_files.read(network)
    text = "{" if change is None else json.dumps(json.loads(about.as_text()) | change)
    with pytest.raises(InputError, match=said):
        onnx_files.read(with_text(network, tmp_path / "n.onnx", text))


def test_only_a_graph_of_onnx_s_own_operators_with_its_weights_inside_is_run(network: Path, tmp_path: Path) -> None:
    def changed(change: Any) -> Path:
        change(model := onnx.load(network))
        onnx.save(model, tmp_path / "n.onnx")
        return tmp_path / "n.onnx"

    def elsewhere(model: Any) -> None:
        tensor = model.graph.initializer[0]
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.ClearField("raw_data")
        tensor.external_data.add(key="location", value="../../secret")

    def foreign(model: Any) -> None:
        model.graph.node[0].domain = "com.evil"

    with pytest.raises(InputError, match="lies in another file, which is not read"):
        onnx_files.read(changed(elsewhere))
    with pytest.raises(InputError, match=r"its graph has com\.evil\."):
        onnx_files.read(changed(foreign))
    with pytest.raises(InputError, match="does not say what it was trained on"):
        onnx_files.read(changed(lambda model: model.ClearField("metadata_props")))
    (tmp_path / "n.onnx").write_bytes(b"\x80\x04rubbish")
    with pytest.raises(InputError, match=r"n\.onnx: no ONNX file, or damaged"):
        onnx_files.read(tmp_path / "n.onnx")


def test_other_commands_say_that_an_exported_network_is_for_predict(lectern: Lectern, network: Path) -> None:
    done = lectern("test", "--ckpt_path", str(network), "--data", "Shapes")
    assert done.code == 2 and "an exported network is run by lectern predict alone" in done.err
    done = lectern("predict", "--ckpt_path", str(network))
    assert done.code == 2 and "which images? --data.root FOLDER" in done.err


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"boxes": torch.zeros(2, 4), "labels": torch.zeros(1, dtype=torch.long), "scores": torch.zeros(2)},
            "different numbers",
        ),
        ({"boxes": torch.zeros(1, 4), "labels": torch.tensor([99]), "scores": torch.zeros(1)}, "counts classes that are none"),
        ({"label": torch.tensor(-1), "scores": torch.zeros(6)}, "counts classes that are none"),
        ({"scores": torch.zeros(2)}, "scores is torch.float32"),
        ({"boxes": torch.zeros(1, 5)}, "boxes is float32"),
        ({"mask": torch.zeros(3, 3, dtype=torch.uint8)}, "mask is of"),
        ({"odd": torch.zeros(1)}, "no field of a prediction"),
        (
            {"boxes": torch.full((1, 4), float("nan")), "labels": torch.zeros(1, dtype=torch.long), "scores": torch.zeros(1)},
            "boxes are not finite",
        ),
        ({"label": torch.tensor(0), "scores": torch.full((6,), float("inf"))}, "scores are not finite"),
    ],
)
def test_what_a_graph_puts_out_is_looked_at(fields: dict[str, torch.Tensor], said: str) -> None:
    assert said in fault(fields, metadata(STYLE), (56, 56))


def test_a_graph_that_answers_another_number_of_images_is_said(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Exported(path=str(network), metadata=metadata(STYLE).as_dict())
    batch: Any = {"image": torch.zeros(2, 3, 56, 56, dtype=torch.uint8)}
    found: Any = task.predict_step(batch, 0)
    assert len(found) == 2 and fault(found[0], task.metadata, (56, 56)) == ""
    run = task._session.run
    monkeypatch.setattr(task, "_session", SimpleNamespace(run=lambda names, inputs: [one[:1] for one in run(names, inputs)]))
    with pytest.raises(InputError, match="answers 1 of 2 images"):
        task.predict_step(batch, 0)
