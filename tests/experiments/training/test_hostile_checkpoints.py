"""Files that are no checkpoint, or one that somebody made to do harm: one line each, at once, and in little memory."""

from __future__ import annotations

import os
import pickle
import random
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from datamodules.scene import InputError
from experiments.training.checkpoint_io import check_weights, load, not_finite
from tests.conftest import Lectern
from tests.support.payloads import content_of
from tests.support.registry import TASKS


def refusal(path: Path) -> str:
    """The line with which a file is refused."""
    began = time.process_time()
    with pytest.raises(InputError) as refused:
        load(path)
    said = str(refused.value)
    assert time.process_time() - began < 10
    assert said.startswith(str(path)) and "\n" not in said and len(said) < 600
    assert "weights_only" not in said and "Traceback" not in said
    return said


class Runs:
    """What pickle calls when it is read."""

    def __reduce__(self) -> Any:
        return os.system, ("touch PWNED",)


def _tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            Path(name).write_bytes(pickle.dumps(Runs()))
            archive.add(name)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _again(path: Path, change: Callable[[str, bytes], bytes], compression: int = zipfile.ZIP_STORED) -> None:
    """A good checkpoint's archive, written again with its entries changed."""
    torch.save({"state_dict": {"w": torch.zeros(4)}}, "good")
    with zipfile.ZipFile("good") as good, zipfile.ZipFile(path, "w", compression) as archive:
        for entry in good.infolist():
            archive.writestr(entry.filename, change(entry.filename, good.read(entry)))


def _bomb(path: Path) -> None:
    _again(path, lambda name, data: bytes(2**28) if name.endswith("data/0") else data, zipfile.ZIP_DEFLATED)


def _overlapping(path: Path) -> None:
    """Ten thousand entries of a central directory that are one and the same file of a megabyte."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", bytes(2**20))
        archive.filelist += [archive.filelist[0]] * 10_000


def _numel(claimed: int) -> Callable[[Path], None]:
    """A storage that claims to be larger than its record is; the tensor too."""

    def change(name: str, data: bytes) -> bytes:
        number = b"\x8a\x08" + struct.pack("<q", claimed)
        return data.replace(b"K\x04t", number + b"t").replace(b"K\x04\x85", number + b"\x85") if name.endswith("pkl") else data

    return lambda path: _again(path, change)


def _pickled(text: bytes) -> Callable[[Path], None]:
    return lambda path: _again(path, lambda name, data: text if name.endswith("data.pkl") else data)


def _saved(content: Any) -> Callable[[Path], None]:
    return lambda path: torch.save(content, path)


def _tensor(tensor: torch.Tensor) -> Callable[[Path], None]:
    return _saved({"state_dict": {"w": tensor}})


FILES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "nothing": (lambda path: None, "no such checkpoint"),
    "folder": (lambda path: path.mkdir(), "a folder, and no checkpoint"),
    "pipe": (_fifo, "no such checkpoint"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "no such checkpoint"),
    "loop": (lambda path: path.symlink_to(path), "no such checkpoint"),
    "empty": (lambda path: path.touch(), "not a checkpoint"),
    "random": (lambda path: path.write_bytes(random.Random(0).randbytes(10_000)), "not a checkpoint"),
    "text": (lambda path: path.write_text("state_dict: {}\n"), "not a checkpoint"),
    "pickle": (lambda path: path.write_bytes(pickle.dumps({"state_dict": Runs()})), "not a checkpoint"),
    "tar": (_tar, "not a checkpoint"),
    "older torch's": (
        lambda path: torch.save({"state_dict": {}}, path, _use_new_zipfile_serialization=False),
        "not a checkpoint",
    ),
    "bomb": (_bomb, "torch.save did not write"),
    "overlapping": (_overlapping, "not a checkpoint"),
    "cut": (lambda path: (_tensor(torch.zeros(10))(path), os.truncate(path, 800)), "not a checkpoint"),
    "large claim": (_numel(10**12), "not a checkpoint"),
    "negative claim": (_numel(-4), "not a checkpoint"),
    "foreign": (_saved({"state_dict": {}, "x": Runs()}), "holds a posix.system"),
    "bytes": (
        _pickled(b"\x80\x02c__builtin__\nbytearray\n\x8a\x06\x00\x00\x00\x00\x00\x40\x85R."),
        "holds a __builtin__.bytearray",
    ),
    "quantized": (_tensor(torch.quantize_per_tensor(torch.zeros(3), 1, 0, torch.qint8)), "holds a torch"),
    "endless": (_pickled(b"\x80\x02" + b"(" * 500_000 + b"."), "not a checkpoint"),
    "deep": (_pickled(b"\x80\x02" + b"]" * 300_000 + b"a" * 299_999 + b"."), "holds no task's weights"),
    "long": (_pickled(b"\x80\x02]" + b"K\x01a" * 1_500_000 + b"."), "more than 2 MiB"),
    "list": (_saved([1, 2]), "no state_dict"),
    "no weights": (_saved({"epoch": 1}), "no state_dict"),
    "weights are a list": (_saved({"state_dict": [torch.zeros(1)]}), "no tensors by name"),
    "a weight is text": (_saved({"state_dict": {"w": "0"}}), "w is no tensor"),
    "a name is a number": (_saved({"state_dict": {3: torch.zeros(1)}}), "no tensors by name"),
    "sparse": (_tensor(torch.zeros(3).to_sparse()), "holds a torch._utils._rebuild_sparse_tensor"),
    "without values": (_tensor(torch.zeros(10**12, device="meta")), "holds a torch._utils._rebuild_meta_tensor"),
    "repeated": (_tensor(torch.zeros(1).expand(10**12)), "larger than what is stored"),
    "one for many": (
        lambda path: torch.save({"state_dict": dict.fromkeys(map(str, range(9)), torch.zeros(10_000))}, path),
        "larger than the file",
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_no_checkpoint_is_one_line(kind: str, workdir: Path) -> None:
    path = Path("x.ckpt")
    write, says = FILES[kind]
    write(path)
    assert says in refusal(path)
    assert not Path("PWNED").exists()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(new=st.binary(max_size=300), at=st.floats(0, 1), cut=st.booleans())
@example(new=b"", at=0.5, cut=True)
def test_bytes_changed_anywhere_are_one_line_or_a_checkpoint(new: bytes, at: float, cut: bool, workdir: Path) -> None:
    """Never another exception, and never a call."""
    path = Path("x.ckpt")
    torch.save({"state_dict": {"w": torch.zeros(3)}, "experiment": {"name": "x"}}, path)
    content = path.read_bytes()
    start = int(at * len(content))
    path.write_bytes(content[:start] + new + (b"" if cut else content[start + len(new) :]))
    try:
        assert isinstance(load(path), dict)
    except InputError as error:
        assert "\n" not in str(error) and "weights_only" not in str(error)


WRONG: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "experiment is a list": (lambda c: c.update(experiment=["os.system"]), "its experiment is no settings by name"),
    "model is text": (lambda c: c["experiment"].update(model="os.system"), "model is no class_path with init_args"),
    "model has more": (lambda c: c["experiment"]["model"].update(x=1), "model is no class_path with init_args"),
    "data are a number": (lambda c: c["experiment"].update(data=3), "data is no class_path with init_args"),
    "a key with dots": (
        lambda c: c["experiment"]["model"]["init_args"].update({"network.class_path": "os.system"}),
        "network.class_path', which is no argument's name",
    ),
    "an address": (lambda c: c["experiment"]["data"]["init_args"].update(root="http://a/b"), "no address"),
    "a tensor": (lambda c: c["experiment"]["data"]["init_args"].update(x=torch.zeros(1)), "holds a Tensor"),
    "a set": (lambda c: c["experiment"]["data"]["init_args"].update(x={1}), "holds a set"),
    "an unknown argument": (
        lambda c: c["experiment"]["model"]["init_args"]["network"]["init_args"].update(x=1),
        "model cannot be",
    ),
    "a long list": (lambda c: c["experiment"]["data"]["init_args"].update(augment=[{}] * 5000), "at most 2000"),
    "name is a list": (lambda c: c["experiment"].update(name=["x"]), "name is no text"),
    "expect is a list": (lambda c: c["experiment"].update(expect=["x"]), "expect is no bounds by metric"),
    "hyper_parameters are a list": (lambda c: c.update(hyper_parameters=[1]), "hyper_parameters are no values"),
    "metadata are text": (lambda c: c["hyper_parameters"].update(metadata="x"), "its metadata are no values by name"),
    "metadata without a size": (lambda c: c["hyper_parameters"]["metadata"].pop("image_size"), "image_size is missing"),
    "images without end": (lambda c: c["hyper_parameters"]["metadata"].update(image_size=[10**9, 3]), "image_size is"),
    "metadata that run": (
        lambda c: c["hyper_parameters"]["metadata"].update(name="{class_path: os.system, init_args: {command: touch PWNED}}"),
        "its metadata are no data set's: name is",
    ),
    "a weight is missing": (lambda c: c["state_dict"].pop(next(iter(c["state_dict"]))), "is missing"),
    "a weight too many": (lambda c: c["state_dict"].update(x=torch.zeros(1)), "x is not known"),
    "another shape": (
        lambda c: c["state_dict"].update({next(iter(c["state_dict"])): torch.zeros(7, 5)}),
        "is 7 x 5, expected",
    ),
    "not a number": (
        lambda c: c["state_dict"].update(
            {k: torch.full_like(v, torch.nan) for k, v in c["state_dict"].items() if v.is_floating_point()}
        ),
        "values that are not finite: the training diverged",
    ),
}


@pytest.mark.parametrize("command", ["test", "predict", "export"])
@pytest.mark.parametrize("kind", WRONG)
def test_content_that_is_wrong_is_one_line(kind: str, command: str, lectern: Lectern, workdir: Path) -> None:
    change, says = WRONG[kind]
    torch.save(content_of("Segmentation"), "x.ckpt")
    content = torch.load("x.ckpt", weights_only=True)
    change(content)
    torch.save(content, "x.ckpt")
    if command == "export" and ("data" in kind or ("list" in kind and "experiment" not in kind)) and "metadata" not in kind:
        pytest.skip("what an export does not read")
    result = lectern(command, "--ckpt_path", "x.ckpt")
    said = [line for line in result.err.splitlines() if line.startswith("lectern: ")]
    assert result.code == 2 and len(said) == 1 and said[0].startswith("lectern: x.ckpt: ") and says in said[0]
    assert not Path("PWNED").exists()
    assert "Traceback" not in result.err and "weights_only" not in result.err


@pytest.mark.parametrize("task", TASKS)
def test_all_that_a_task_saves_is_finite_and_its_own(task: str, workdir: Path) -> None:
    content = content_of(task)
    torch.save(content, "x.ckpt")
    weights = load(Path("x.ckpt"))["state_dict"]
    assert not_finite(weights) == ""
    assert len(weights) > 3
    first = next(name for name, values in weights.items() if values.is_floating_point())
    weights[first] = weights[first].clone()
    weights[first].view(-1)[0] = float("inf")
    assert not_finite(weights).startswith(f"{first} has 1 of {weights[first].numel()} values that are not finite")


def test_weights_of_another_task_are_said_by_the_first_that_differs() -> None:
    task = torch.nn.Sequential(torch.nn.Linear(2, 3))
    with pytest.raises(InputError, match=r"x: not the weights of this Sequential: 1 is not known \(and 1 more\)"):
        check_weights(task, {"0.weight": torch.zeros(3, 4), "0.bias": torch.zeros(3), "1": torch.zeros(1)}, Path("x"))
    with pytest.raises(InputError, match=r"0.weight is 3 x 4, expected 3 x 2$"):
        check_weights(task, {"0.weight": torch.zeros(3, 4), "0.bias": torch.zeros(3)}, Path("x"))
