"""A stranger's checkpoint is data: nothing of it is called or imported, whatever it names and wherever it names it."""

from __future__ import annotations

import copy
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datamodules.scene import DatasetMetadata, InputError
from experiments.command_line.trusting import trusted
from experiments.runs.files import flat, read_config
from experiments.runs.report import write_report
from experiments.training.plain_data import _METADATA
from experiments.training.rebuilding import task_of
from experiments.training.trust import UNBUILT, buildable, looked_at, parser_of
from tests.conftest import Lectern
from tests.support.payloads import MARK, PAYLOADS, content_of, places, replaced, settings_of, write_payloads
from tests.support.registry import TASKS

X = Path("x.ckpt")
NETWORK, OPTIMIZER = ("model", "init_args", "network"), ("model", "init_args", "optimizer")
DONE = {"ready": 1, "started": 1, "processed": 1, "completed": 1}
LOOPS = {"epoch_progress": {"current": DONE}, "epoch_loop.batch_progress": {"current": DONE, "is_last_batch": True}}
PROGRESS = {"optimizer_states": [], "lr_schedulers": [], "global_step": 1, "loops": {"fit_loop": LOOPS}}
"""What a checkpoint has of a run that can go on."""
NOT_KNOWN = ("own module", "own module's name", "own module's class", "file", "text", "keywords")
"""Payloads that only an import, or a parser, would find out: where nothing is built, nobody looks."""


@pytest.fixture
def hostile(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module whose import leaves a mark, as the current one and on the path."""
    write_payloads(workdir)
    monkeypatch.syspath_prepend(str(workdir))
    return workdir


def nothing_ran() -> bool:
    return not Path(MARK).exists() and "hostile" not in sys.modules


def checked(settings: dict[str, Any], *own: str) -> dict[str, Any]:
    """The parts as an evaluation builds them."""
    looked_at(settings, X)
    return {part: buildable(part, settings[part], X, own) for part in ("model", "data")}


@pytest.mark.parametrize("task", TASKS)
def test_what_lectern_writes_is_built_and_without_an_optimizer(task: str) -> None:
    kept = checked(settings_of(task))
    assert UNBUILT.keys().isdisjoint(kept["model"]["init_args"])
    assert kept["data"]["class_path"] == "datamodules.Shapes"
    parts = settings_of(task)["model"]["init_args"].keys() - UNBUILT.keys()
    assert parts == kept["model"]["init_args"].keys()


@pytest.mark.parametrize("task", TASKS)
def test_a_payload_in_any_argument_that_takes_a_class_is_refused(task: str, hostile: Path) -> None:
    """One kind of payload an argument, in turn, so that each task meets each kind; all of all are 10,000 and take minutes."""
    saved = settings_of(task)
    where = [place for place, takes in places({key: saved[key] for key in ("model", "data")}) if takes]
    assert len(where) > 5
    for i, place in enumerate(where):
        names = list(PAYLOADS)
        if UNBUILT.keys() & set(place):
            names = [n for n in names if n not in NOT_KNOWN and (place[-1] in UNBUILT or isinstance(PAYLOADS[n], dict))]
        name = names[i % len(names)]
        with pytest.raises(InputError) as refused:
            checked(replaced(saved, place, PAYLOADS[name]))
        assert "\n" not in str(refused.value) and str(refused.value).startswith("x.ckpt: "), (place, name)
        assert nothing_ran(), (place, name)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_every_payload_is_refused_as_a_network(payload: str, hostile: Path) -> None:
    with pytest.raises(InputError, match=r"^x\.ckpt: model") as refused:
        checked(replaced(settings_of("Segmentation"), NETWORK, PAYLOADS[payload]))
    assert ("--trust hostile" in str(refused.value)) == (payload == "own module's class"), "never an offer for a function"
    assert "allowlist" not in str(refused.value)
    assert nothing_ran()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_run_that_goes_on_imports_nothing_that_its_checkpoint_names(payload: str, lectern: Lectern, hostile: Path) -> None:
    content = copy.deepcopy(content_of("Segmentation")) | PROGRESS
    torch.save(content | {"experiment": replaced(content["experiment"], NETWORK, PAYLOADS[payload])}, X)
    result = lectern("fit", "--config", "segmentation/fcn_transpose", "--ckpt_path", "x.ckpt")
    assert result.code == 2 and result.err.startswith("lectern: x.ckpt: ") and result.err.count("\n") == 1
    assert nothing_ran()
    assert not Path("runs").exists()


@pytest.mark.parametrize("command", ["test", "validate", "predict", "export", "fit", "doctor"])
@pytest.mark.parametrize(
    "place", [NETWORK, OPTIMIZER, (*NETWORK, "init_args", "backbone"), ("data", "init_args", "augment", 0)]
)
def test_no_command_calls_a_function(command: str, place: Any, lectern: Lectern, hostile: Path) -> None:
    content = copy.deepcopy(content_of("Segmentation"))
    content["experiment"]["data"]["init_args"]["augment"] = [None]
    content |= PROGRESS
    torch.save(content | {"experiment": replaced(content["experiment"], place, PAYLOADS["function"])}, X)
    recipe = ["--config", "segmentation/fcn_transpose"] if command in ("fit", "doctor") else []
    result = lectern(command, *recipe, "--ckpt_path", "x.ckpt")
    assert result.code == 2
    assert result.err.startswith("lectern: x.ckpt: ") and result.err.count("\n") == 1
    # Who goes on with a run has classes of his own, and another one is a difference; nothing that it names is imported either.
    assert ("goes on with the same experiment" if recipe else "names 'os.system'") in result.err
    assert nothing_ran()
    assert not Path("runs").exists(), "nothing is written for it"


@pytest.mark.parametrize("command", ["test", "export"])
def test_an_optimizer_of_a_class_that_is_not_there_does_not_matter(command: str, lectern: Lectern, hostile: Path) -> None:
    content = copy.deepcopy(content_of("Segmentation"))
    for argument in UNBUILT:
        content["experiment"]["model"]["init_args"][argument] = {"class_path": "hostile.Net", "init_args": {"lr": 1}}
    torch.save(content, X)
    result = lectern(command, "--ckpt_path", "x.ckpt")
    assert result.code == 0, result.err
    assert nothing_ran()


def test_a_training_without_an_optimizer_is_one_line(lectern: Lectern, workdir: Path) -> None:
    model = {**settings_of("Segmentation")["model"]}
    model["init_args"] = {key: value for key, value in model["init_args"].items() if key not in UNBUILT}
    Path("x.yaml").write_text(yaml.safe_dump({"model": model, "data": settings_of("Segmentation")["data"]}))
    result = lectern("fit", "--config", "x.yaml")
    assert result.code == 2 and result.err.startswith("lectern: model.optimizer: a training needs one, such as ")
    assert not Path("runs").exists()


def test_a_class_of_the_user_s_own_is_built_where_it_is_trusted(
    lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = "import torch\nfrom torch import nn\n\nclass Net(nn.Conv2d):\n"
    own += "    def __init__(self, classes: int, *, activation=torch.relu) -> None:\n        super().__init__(3, classes, 1)\n"
    Path("my_nets.py").write_text(own)
    monkeypatch.syspath_prepend(str(workdir))
    content = copy.deepcopy(content_of("Segmentation"))
    arguments = content["experiment"]["model"]["init_args"]
    arguments["network"] = {"class_path": "my_nets.Net", "init_args": {"activation": "torch.relu"}}  # as a dump has a default
    classes = len(content["hyper_parameters"]["metadata"]["mask_classes"])
    content["state_dict"] = {"network.weight": torch.zeros(classes, 3, 1, 1), "network.bias": torch.zeros(classes)}
    torch.save(content, X)
    for command in ("test", "export"):
        refused = lectern(command, "--ckpt_path", "x.ckpt")
        assert refused.code == 2
        assert (
            "model.network names my_nets.Net, which is none of Lectern's classes; if you trust it: --trust my_nets"
            in refused.err
        )
        assert "my_nets" not in sys.modules
    assert lectern("export", "--ckpt_path", "x.ckpt", "--trust", "other", "--trust=my_nets").code == 0
    monkeypatch.setenv("LECTERN_TEST__TRUST", "other,my_nets")
    result = lectern("test", "--ckpt_path", "x.ckpt")
    assert result.code == 0, result.err
    sys.modules.pop("my_nets", None)


def test_data_that_the_command_replaces_need_no_trust(lectern: Lectern, hostile: Path) -> None:
    content = copy.deepcopy(content_of("Segmentation"))
    content["experiment"]["data"] = {"class_path": "hostile.Net", "init_args": {"resize_mode": "letterbox"}}
    torch.save(content, X)
    other = lectern(
        "test", "--ckpt_path", "x.ckpt", "--data=Shapes", "--data.image_size=32", "--data.test=4", "--data.workers=0"
    )
    assert other.code == 0, other.err
    assert nothing_ran()
    for more in ([], ["--data.batch_size=2"]):
        refused = lectern("test", "--ckpt_path", "x.ckpt", *more)
        assert refused.code == 2 and "data names hostile.Net" in refused.err and "--trust hostile" in refused.err
    assert nothing_ran()


@pytest.mark.parametrize("name", ["os", "torch.hub", "experiments", "builtins", "my-package", "a..b", "../x"])
def test_not_every_package_can_be_trusted(name: str) -> None:
    with pytest.raises(InputError, match=f"^--trust {name.replace('.', '[.]')}: "):
        trusted(["mine, my_other.part", name])
    assert trusted(["mine, my_other.part", "third"]) == ("mine", "my_other.part", "third")


def test_a_function_of_a_trusted_package_is_refused_too(hostile: Path) -> None:
    Path("hostile.py").write_text("import subprocess\nfrom subprocess import Popen\n\ndef run(*args):\n    raise SystemExit\n")
    for name, says in (("run", "a function"), ("Popen", "subprocess.Popen"), ("subprocess.Popen", "subprocess.Popen")):
        with pytest.raises(InputError, match=says):
            checked(replaced(settings_of("Pose"), NETWORK, {"class_path": f"hostile.{name}"}), "hostile")
    sys.modules.pop("hostile")


def test_what_is_got_or_written_elsewhere_is_left_out() -> None:
    saved = replaced(settings_of("StagedDetection"), ("model", "init_args", "features"), "/elsewhere")
    search = {"class_path": "datamodules.SelectiveSearch", "init_args": {"cache": "/elsewhere"}}
    saved = replaced(saved, ("data", "init_args", "proposals"), search)
    kept = checked(saved)
    assert kept["model"]["init_args"]["features"] is None
    assert kept["data"]["init_args"]["proposals"]["init_args"]["cache"] is True
    voc = {"class_path": "datamodules.VOC", "init_args": {"root": "x", "download": True}}
    assert checked(saved | {"data": voc})["data"]["init_args"]["download"] is False


def test_data_are_not_looked_for_in_a_new_folder_that_a_checkpoint_names(lectern: Lectern, workdir: Path) -> None:
    """CIFAR-10 would be downloaded into it."""
    content = copy.deepcopy(content_of("Classification"))
    content["experiment"]["data"] = {"class_path": "datamodules.CIFAR10", "init_args": {"root": "elsewhere"}}
    torch.save(content, X)
    result = lectern("test", "--ckpt_path", "x.ckpt")
    assert result.code == 2 and "its data lie in elsewhere, which is not here; say where they are: --data.root" in result.err
    assert not Path("elsewhere").exists()


def test_a_run_s_configuration_that_is_looked_at_is_text(hostile: Path) -> None:
    """By the dashboard and by the report."""
    for payload in PAYLOADS.values():
        config = replaced(settings_of("Segmentation"), NETWORK, payload)
        Path("config.yaml").write_text(yaml.safe_dump(config))
        assert flat(read_config(Path.cwd()))
        assert write_report(Path.cwd()).is_file()
    assert nothing_ran()


def test_metadata_are_looked_at_field_by_field() -> None:
    assert _METADATA.keys() == {field.name for field in fields(DatasetMetadata)}


TEXTS = st.sampled_from(["os.system", "hostile.run", "hostile.Net", "hostile", "payload.yaml", str(PAYLOADS["text"])])
CALLS = st.sampled_from([value for value in PAYLOADS.values() if isinstance(value, dict)])
VALUES = st.recursive(
    TEXTS | CALLS | st.integers(-2, 9) | st.none() | st.booleans() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["class_path", "init_args", "dict_kwargs", "__path__", "weights", "a.b", "x"]), inner, max_size=3
        )
        | st.fixed_dictionaries(
            {"class_path": st.sampled_from(["torch.nn.Sequential", "FCN", "torch.nn.ReLU"]), "init_args": inner}
        )
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("task", ["Segmentation", "Detection", "StagedDetection"])
def test_whatever_stands_anywhere_nothing_runs(task: str, hostile: Path) -> None:
    """It is refused, or what is built of it is of allowed classes: building it calls and imports nothing else."""
    saved = settings_of(task)
    where = [place for place, _ in places({key: saved[key] for key in ("model", "data")})]
    metadata = content_of(task)["hyper_parameters"]["metadata"]

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.sampled_from(where), VALUES), min_size=1, max_size=2))
    def anywhere(changes: list[tuple[Any, Any]]) -> None:
        changed = saved
        for place, value in changes:
            try:
                changed = replaced(changed, place, value)
            except (TypeError, AttributeError, IndexError, KeyError):
                continue  # the first change has left no such place
        try:
            kept = checked(changed)
        except InputError as error:
            assert "\n" not in str(error)
        else:
            arguments = {**kept["model"]["init_args"], "metadata": metadata}
            try:
                parser = parser_of("model")
                parser.instantiate_classes(parser.parse_object({"model": {**kept["model"], "init_args": arguments}}))
            except Exception:  # a class says what it says of arguments that make no sense
                pass
        assert nothing_ran()

    anywhere()


def test_a_task_that_cannot_be_built_is_one_line(workdir: Path) -> None:
    content = copy.deepcopy(content_of("Segmentation"))
    content["experiment"]["model"]["init_args"]["network"]["init_args"]["skips"] = [3]
    with pytest.raises(InputError, match=r"^x\.ckpt: its task cannot be built \(.*\)$"):
        task_of(content, X)
