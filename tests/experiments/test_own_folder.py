"""Lectern from its wheel, in a user's folder that has packages of Lectern's names, a data module and a recipe of its own."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from experiments import PACKAGES, ROOT
from experiments.runs.folder import is_finished

pytestmark = pytest.mark.timeout(900)  # each test starts processes that import everything anew

MY_DATA = '''
"""Grey squares, bright or dark, by a CSV: name, label."""
import csv
from pathlib import Path

import torch

from datamodules.base import DataModule
from datamodules.scene import DatasetMetadata


class Rows:
    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        level, label = self.rows[index]
        return {"image": torch.full((3, 16, 16), int(level), dtype=torch.uint8), "label": torch.tensor(int(label))}


class MyCSV(DataModule):
    """Rows of grey levels."""

    provides = frozenset({"label"})

    def __init__(self, root: str = "rows.csv", **options):
        super().__init__(image_size=16, **options)
        self.root = Path(root)

    @property
    def metadata(self):
        return DatasetMetadata(name="mine", image_size=self.image_size, classes=("dark", "bright"))

    def scenes(self, split):
        with self.root.open() as lines:
            return Rows([row for row in csv.reader(lines)])
'''

RECIPE = {
    "model": {
        "class_path": "Classification",
        "init_args": {
            "network": {"class_path": "lightning_modules.networks.SmallConvNet", "init_args": {"widths": [4, 8]}},
            "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.01}},
        },
    },
    "data": {"class_path": "my_data.MyCSV", "init_args": {"batch_size": 4, "workers": 1}},
    "trainer": {
        **dict.fromkeys(("enable_progress_bar", "enable_model_summary"), False),
        "max_epochs": 1,
        "num_sanity_val_steps": 0,
        "accelerator": "cpu",
        "log_every_n_steps": 1,
    },
    "pictures": {"count": 0},
}

TWO = {"devices": 2, "strategy": "ddp"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel is installed into; where hatchling is not installed, the packages and what pip would add."""
    target = tmp_path_factory.mktemp("site")
    if importlib.util.find_spec("hatchling"):
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        (wheel,) = target.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
        wheel.unlink()
    else:
        for package in PACKAGES:
            shutil.copytree(ROOT / package, target / package, ignore=shutil.ignore_patterns("__pycache__"))
    (target / "bin").mkdir()
    script = target / "bin" / "lectern"
    lines = (f"#!{sys.executable}", "import sys", "from experiments.__main__ import main")
    script.write_text("\n".join([*lines, "if __name__ == '__main__':", "    sys.exit(main())", ""]))
    script.chmod(0o755)
    return target


def test_the_wheel_has_the_committed_verdicts(installed: Path) -> None:
    records = [path.relative_to(ROOT) for path in (ROOT / "experiments" / "results").rglob("*.json")]
    assert records and all((installed / path).is_file() for path in records)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's folder."""
    folder = tmp_path_factory.mktemp("mine")
    for package in PACKAGES:
        (folder / package).mkdir()
        (folder / package / "__init__.py").write_text(f"raise SystemExit('the folder has its own {package}')\n")
        (folder / package / "__main__.py").write_text(f"raise SystemExit('the folder has its own {package}')\n")
    (folder / "my_data.py").write_text(MY_DATA)
    (folder / "script.py").write_text("import datamodules\nraise SystemExit('this is a script, and no module')\n")
    (folder / "rows.csv").write_text("".join(f"{level},{int(level > 127)}\n" for level in range(0, 256, 16)))
    (folder / "recipes" / "grey").mkdir(parents=True)
    (folder / "recipes" / "grey" / "squares.yaml").write_text("# Grey squares of my own.\n" + yaml.safe_dump(RECIPE))
    return folder


class Mine:
    """Runs commands in the user's folder with the installed Lectern."""

    def __init__(self, installed: Path, folder: Path) -> None:
        self.installed, self.folder = installed, folder

    def python(self, *arguments: str, path: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
        # As in a virtual environment, but that it is on PYTHONPATH; the test's own checkout must not be.
        places = os.pathsep.join([*([path] if path else []), str(self.installed)])
        environment = os.environ | {"PYTHONPATH": places, "WANDB_MODE": "disabled", "OMP_NUM_THREADS": "1"}
        environment.pop("PYTHONSAFEPATH", None)
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "has its own" not in done.stdout + done.stderr
        return done

    def lectern(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        return self.python(str(self.installed / "bin" / "lectern"), *arguments, code=code)


@pytest.fixture(scope="module")
def mine(installed: Path, folder: Path) -> Mine:
    return Mine(installed, folder)


def test_all_that_the_code_reads_is_installed(installed: Path) -> None:
    assert all((installed / package / "py.typed").is_file() for package in PACKAGES)
    files = [p for package in PACKAGES for p in (ROOT / package).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    data = [p for p in files if p.suffix != ".py"]
    assert len(data) > 30
    assert [p for p in data if not (installed / p.relative_to(ROOT)).is_file()] == []


def test_the_installed_code_runs_though_the_folder_has_its_names(mine: Mine) -> None:
    code = "import experiments; experiments.own_folder_last(); import datamodules, lightning_modules.base, my_data, sys\n"
    code += "print(experiments.__file__, datamodules.__file__, lightning_modules.__file__, my_data.__file__)\n"
    done = mine.python("-P", "-c", code)
    assert done.stdout.split() == [
        *(str(mine.installed / package / "__init__.py") for package in ("experiments", "datamodules", "lightning_modules")),
        str(mine.folder / "my_data.py"),
    ]


@pytest.mark.parametrize("path", ["", ".", "folder"])
def test_a_command_started_by_its_path_is_not_shadowed_by_pythonpath(path: str, mine: Mine) -> None:
    where = str(mine.folder) if path == "folder" else path
    command = str(mine.installed / "experiments" / "__main__.py")
    assert "usage: lectern" in mine.python("-P", command, "--help", path=where).stdout


def test_list_shows_own_classes_and_recipes(mine: Mine) -> None:
    said = mine.lectern("list")
    assert said.stderr == "", "the script is not imported"
    row = next(line for line in said.stdout.splitlines() if line.startswith("my_data.MyCSV"))
    assert "yes" in row and "-" in row
    assert "Rows of grey levels." in said.stdout
    own, ours = said.stdout.split("RECIPES in recipes")[1].split("RECIPES (")
    assert "grey/squares" in own and "Grey squares of my own." in own and "Classification on my_data.MyCSV" in own
    assert "segmentation/fcn_transpose" in ours and "grey/squares" not in ours


def test_an_own_recipe_trains_and_is_tested_on_own_data(mine: Mine) -> None:
    mine.lectern("fit", "--config", "grey/squares")
    (run,) = (mine.folder / "runs" / "grey" / "squares").iterdir()
    assert is_finished(run)
    best = str(run / "checkpoints" / "best.ckpt")
    said = mine.lectern("test", "--ckpt_path", best, code=2).stderr
    assert "data names my_data.MyCSV, which is none of Lectern's classes; if you trust it: --trust my_data" in said
    mine.lectern("test", "--ckpt_path", best, "--trust", "my_data")


@pytest.mark.slow
def test_two_devices_find_own_data(mine: Mine) -> None:
    """The second rank is this command once more, by the path of the console's script."""
    options = ["--trainer.devices", "2", "--trainer.strategy", "ddp", "--name", "two", "--data.batch_size", "4"]
    mine.lectern("fit", "--config", "grey/squares", *options)
    (run,) = (mine.folder / "runs" / "two").iterdir()
    assert is_finished(run)


@pytest.mark.slow
def test_a_study_on_two_devices_starts_this_lectern(mine: Mine) -> None:
    """Its command and the ranks that Lightning starts from it, though the current folder comes first on PYTHONPATH."""
    config = RECIPE | {"trainer": RECIPE["trainer"] | TWO}
    code = "from pathlib import Path; from experiments.reproduction.execution import execute, is_complete\n"
    code += "from experiments.studies.study import Job; folder = Path('runs/cpu/lecture/claim/version')\n"
    code += f"execute(Job('a', None, 0, {config!r}), folder, {{}}); assert is_complete(folder), folder\n"
    first = f"import sys; sys.path.insert(0, {str(mine.installed)!r})\n"  # what the folder has is first on PYTHONPATH
    code = first + "import experiments; experiments.own_folder_last()\n" + code
    mine.python("-P", "-c", code, path=".")


@pytest.mark.slow
@pytest.mark.parametrize("study", ["nearest_neighbor_copies_values", "features_fill_hundreds_of_gigabytes"])
def test_studies_run_in_processes_of_their_own(study: str, mine: Mine) -> None:
    mine.lectern("reproduce", study, "--jobs", "2", "--seeds", "1", "--runs", "studies")
