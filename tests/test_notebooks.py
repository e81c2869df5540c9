"""Each notebook runs from its first cell to its last, with a pip-installed Lectern as well as from a checkout, and draws."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from experiments import PACKAGES, ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
DEPENDENCIES = {"torch", "torchvision", "pytorch_lightning", "matplotlib", "numpy", "scipy", "PIL"}


def code_of(path: Path) -> list[str]:
    notebook = nbformat.read(path, as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_needs_what_is_installed_alone(path: Path) -> None:
    """Nothing of a checkout: no tests, no scripts, no file beside it."""
    imported = set()
    for node in ast.walk(ast.parse("\n".join(code_of(path)))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported <= {*PACKAGES, *DEPENDENCIES, *sys.stdlib_module_names}


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_draws(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    own = {
        name: str(tmp_path / "jupyter") for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "LECTERN_CACHE")
    }
    small = {"NOTEBOOK_EPOCHS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "JUPYTER_PLATFORM_DIRS": "1"}
    line = ["-m", "pytest", "--nbmake", "--nbmake-timeout=600", "--overwrite", "-p", "no:xdist", "--rootdir", ".", copy.name]
    # A library that another test has loaded may have set it, and a notebook then draws nothing.
    outer = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    done = subprocess.run(
        [sys.executable, *line], cwd=tmp_path, env=outer | own | small, capture_output=True, text=True, timeout=850
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    ran = nbformat.read(copy, as_version=4)
    outputs = [output for cell in ran.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs), "a notebook has pictures"
    assert not [output for output in outputs if output.get("name") == "stderr" and "Traceback" in output.text]
