"""What engineers expect of a repository says what is so: versions agree, workflows run the README's commands, nothing is Unix's
alone without a word on it, notebooks are committed without outputs."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from experiments import PACKAGES, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
GITHUB = ROOT / ".github"
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (GITHUB / "workflows").glob("*.yml")}
TEMPLATES = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def jobs() -> list[tuple[str, dict[str, Any]]]:
    return [(f"{name}: {job}", body) for name, flow in WORKFLOWS.items() for job, body in flow["jobs"].items()]


def steps() -> list[dict[str, Any]]:
    return [step for _, job in jobs() for step in job.get("steps", [])]


# One version ---------------------------------------------------------------------------------------------------------------


def test_the_version_is_one() -> None:
    """It is written in pyproject.toml; whoever raises it is told here what else says it."""
    newest = re.findall(
        r"(?m)^## (\S+) \((unreleased|\d{4}-\d{2}-\d{2})\)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    )[0]
    assert newest[0] == CITATION["version"] == PROJECT["version"]
    assert ("date-released" in CITATION) == (newest[1] != "unreleased")
    assert newest[1] == "unreleased" or str(CITATION["date-released"]) == newest[1]


def test_the_citation_is_one() -> None:
    assert CITATION["cff-version"] == "1.2.0" and CITATION["type"] == "software"
    assert {"message", "title", "authors", "license"} <= CITATION.keys()
    assert CITATION["authors"] == [{"name": "The Lectern authors"}]
    assert f"{CITATION['license']} licence" in README and "MIT License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_each_package_says_that_it_is_typed() -> None:
    assert all((ROOT / package / "py.typed").is_file() for package in PACKAGES)


# Workflows -----------------------------------------------------------------------------------------------------------------


def test_each_supported_python_is_tested() -> None:
    versions = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if c.startswith("Programming Language :: Python :: 3.")]
    assert WORKFLOWS["test"]["jobs"]["test"]["strategy"]["matrix"]["python"] == versions


def test_workflows_run_what_the_readme_says() -> None:
    """Of Lectern's own scripts: those of the README, and what they start."""
    known = {"scripts/bootstrap", *re.findall(r"scripts/[a-z-]+", README + (ROOT / "scripts/test").read_text(encoding="utf-8"))}
    commands = [shlex.split(line) for step in steps() for line in step.get("run", "").splitlines() if line.strip()]
    ours = {words[0] for words in commands if words[0].startswith("scripts/")}
    assert ours - {"scripts/docs"} <= known and "scripts/test" in ours
    tests = WORKFLOWS["test"]["jobs"]["test"]["steps"]
    assert any(step.get("run") == "scripts/test" for step in tests)


def test_workflows_may_do_only_what_they_need() -> None:
    assert all(flow["permissions"] == {"contents": "read"} for flow in WORKFLOWS.values())
    wider = {name: job["permissions"] for name, job in jobs() if "permissions" in job}
    assert wider == {
        "docs: publish": {"pages": "write", "id-token": "write"},
        "release: publish": {"id-token": "write"},
        "release: announce": {"contents": "write"},
    }
    for step in steps():
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False


def test_actions_are_of_a_release_and_no_text_of_strangers_is_run() -> None:
    for step in steps():
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@(v\d+|release/v\d+|[0-9a-f]{40})", step["uses"]), step["uses"]
        assert not re.search(r"\$\{\{\s*github\.(event|head_ref)", step.get("run", ""))


def test_a_release_is_built_from_a_tag_that_is_the_version() -> None:
    flow = WORKFLOWS["release"]
    assert flow[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads the key `on` as true
    assert flow["jobs"]["build"]["needs"] == "test" and flow["jobs"]["publish"]["needs"] == "build"
    check = next(step["run"] for step in flow["jobs"]["build"]["steps"] if "GITHUB_REF_NAME" in step.get("run", ""))
    version = PROJECT["version"]
    for tag, changelog, passes in [
        (f"v{version}", f"## {version} (2026-12-01)", True),
        ("v99.0.0", f"## {version} (2026-12-01)", False),
        (f"v{version}", f"## {version} (unreleased)", False),
    ]:
        script = check.replace("CHANGELOG.md", "-").replace("pyproject.toml", shlex.quote(str(ROOT / "pyproject.toml")))
        environment = os.environ | {"GITHUB_REF_NAME": tag}
        done = subprocess.run(["bash", "-e", "-c", script], input=changelog, text=True, env=environment, capture_output=True)
        assert (done.returncode == 0) == passes, (tag, changelog, done)


def test_nothing_is_uploaded_with_a_password() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (GITHUB / "workflows").glob("*.yml"))
    assert "secrets." not in text and "password" not in re.sub(r"(?m)^#.*", "", text)


# Templates, hooks, container ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_an_issue_s_template_asks(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "labels", "body"} <= form.keys()
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len(set(ids)) and all(field["attributes"]["label"] for field in form["body"])
    assert {field["type"] for field in form["body"]} <= {"input", "textarea", "dropdown", "checkboxes"}
    assert any(field.get("validations", {}).get("required") for field in form["body"])


def test_there_are_the_templates() -> None:
    assert [path.stem for path in TEMPLATES] == ["bug", "disputed_claim", "new_claim_or_data"]
    assert (GITHUB / "pull_request_template.md").is_file() and (GITHUB / "SECURITY.md").is_file()


def test_hooks_download_nothing_and_are_what_the_check_runs() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repo,) = config["repos"]
    assert repo["repo"] == "local" and all(hook["language"] == "system" for hook in repo["hooks"])
    check = (ROOT / "scripts/check").read_text(encoding="utf-8")
    entries = [hook["entry"] for hook in repo["hooks"]]
    assert all(entry in check or "tests/test_repository.py" in entry for entry in entries if "ruff format" not in entry)
    assert any(entry.startswith(".venv/bin/ruff format") for entry in entries)


def test_the_container_runs_as_nobody_in_particular_and_copies_what_is_built() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    code = [line for line in lines if line and not line.startswith("#")]
    assert {line.split()[1] for line in code if line.startswith("FROM")} == {"python:3.12-slim"}
    last = code[max(i for i, line in enumerate(code) if line.startswith("FROM")) :]
    assert [line for line in last if line.startswith("USER")] == ["USER lectern"]
    assert last.index("USER lectern") < next(i for i, line in enumerate(last) if line.startswith("ENTRYPOINT"))
    assert "ARG TORCH=cpu" in code and not any(line.startswith("EXPOSE") for line in code)
    copied = {name for line in code if line.startswith("COPY") and "--from" not in line for name in line.split()[1:-1]}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[1] == "*" and {line[1:] for line in ignored if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)


# Other systems ---------------------------------------------------------------------------------------------------------------

UNIX = {"fcntl", "resource", "termios", "pwd", "grp", "pty", "tty", "syslog"}
"""Modules of the standard library that Windows has not."""
UNIX_NAMES = {
    "os": set(
        "fork register_at_fork killpg setsid getuid geteuid uname mkfifo pread pwrite wait4 nice memfd_create posix_fallocate "
        "sched_getaffinity sysconf getloadavg O_CLOEXEC O_NONBLOCK O_NOFOLLOW O_DIRECTORY MFD_CLOEXEC".split()
    ),
    "signal": set(
        "SIGKILL SIGCHLD SIGHUP SIGUSR1 SIGUSR2 SIGALRM SIGSTOP SIGCONT SIGPIPE alarm setitimer pause pthread_sigmask sigwait "
        "SIG_BLOCK SIG_UNBLOCK SIG_SETMASK".split()
    ),
    "select": {"poll", "POLLOUT", "POLLERR", "POLLHUP", "epoll"},
    "socket": {"AF_UNIX"},
}
"""And what its modules lack there."""


def guarded_names(tree: ast.Module) -> set[str]:
    """What a file asks for before it uses it: ``hasattr(os, "x")``, ``getattr(os, "x", 0)``; modules imported in a ``try``."""
    asked = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("hasattr", "getattr"):
            asked |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
        if isinstance(node, ast.Try):
            asked |= {alias.name for inner in ast.walk(node) if isinstance(inner, ast.Import) for alias in inner.names}
            if any("AttributeError" in ast.unparse(handler.type or node) for handler in node.handlers):
                asked |= {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}
    return {str(name) for name in asked}


TOGETHER = {
    "MFD_CLOEXEC": "memfd_create",
    **dict.fromkeys(("POLLOUT", "POLLERR", "POLLHUP"), "poll"),
    **dict.fromkeys(("SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK", "sigwait"), "pthread_sigmask"),
}
"""What is there wherever something else is."""


def lacking(path: Path) -> set[str]:
    """What a file uses that Windows lacks, and does not ask for."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    asked, found = guarded_names(tree), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & UNIX
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} & UNIX | {alias.name for alias in node.names} & UNIX_NAMES.get(
                node.module or "", set()
            )
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found |= {node.attr} & UNIX_NAMES.get(node.value.id, set())
    return {name for name in found if name not in asked and TOGETHER.get(name) not in asked}


def test_nothing_is_taken_for_granted_that_windows_lacks(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import os, fcntl, signal\nos.fork()\nsignal.SIGKILL\nos.getpid()\n")
    assert lacking(tmp_path / "bad.py") == {"fcntl", "fork", "SIGKILL"}
    assert {str(path.relative_to(ROOT)): found for path in FILES if (found := lacking(path))} == {}


def test_a_run_is_locked_on_windows_too(tmp_path: Path) -> None:
    """With what Windows lacks taken away, and its locking done by one byte's lock."""
    (tmp_path / "msvcrt.py").write_text(
        "import errno, os\nLK_NBLCK = 2\n_taken = {}\n"
        "def locking(file, mode, count):\n"
        "    key = os.fstat(file).st_ino, os.lseek(file, 0, 1)\n"
        "    held = _taken.get(key)\n"
        "    if held is not None and held != file and _is_open(held): raise OSError(errno.EACCES, 'Permission denied')\n"
        "    _taken[key] = file\n"
        "def _is_open(file):\n"
        "    try: os.fstat(file); return True\n"
        "    except OSError: return False\n"
    )
    code = (
        "import os, sys\n"
        "for name in ('fcntl', 'resource', 'termios'): sys.modules[name] = None\n"
        "for name in ('O_CLOEXEC', 'O_NONBLOCK', 'register_at_fork', 'pwrite', 'fork'): delattr(os, name)\n"
        "from pathlib import Path\n"
        "from experiments.runs.lock import RunLock, holder, is_locked\n"
        "place = Path('l')\n"
        "first, second = RunLock(place), RunLock(place)\n"
        "assert first.acquire() and is_locked(place) and not second.acquire()\n"
        "assert holder(place)['process'] == os.getpid()\n"
        "first.release()\n"
        "assert not is_locked(place) and second.acquire()\n"
        "print('locked')\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout == "locked\n", done.stderr


# Notebooks -----------------------------------------------------------------------------------------------------------------


def test_there_are_five_notebooks_and_the_page_names_them() -> None:
    page = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\(notebooks/(\w+)\.ipynb\)", page) == [
        "python_api", "upsampling", "rcnn_to_faster", "own_data", "reading_verdicts",
    ]  # fmt: skip
    assert {path.stem for path in NOTEBOOKS} == set(re.findall(r"notebooks/(\w+)\.ipynb", page))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_as_it_was_written(path: Path) -> None:
    """Valid, without outputs and of no machine."""
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code and all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert notebook.cells[0].cell_type == "markdown" and notebook.cells[0].source.startswith("# ")
    assert notebook.metadata.kernelspec.name == "python3" and set(notebook.metadata) <= {"kernelspec", "language_info"}
    assert not re.search(r"/(home|root|Users|work|tmp)/|\\\\Users", text)
    assert all(len(line) <= 128 for cell in code for line in cell.source.splitlines())
