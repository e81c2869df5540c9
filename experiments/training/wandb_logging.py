"""Weights & Biases without a question: online where the user is logged in, offline elsewhere, and then nobody is called."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.loggers.logger import DummyLogger, Logger
from pytorch_lightning.utilities import rank_zero_only

from datamodules.scene import InputError
from experiments.runs.files import OWN, flat, read_summary
from experiments.runs.folder import RunFolder

from .first_process import is_first_process

PROJECT = "lectern"

WandbMode = Literal["auto", "online", "offline", "disabled"]
Mode = Literal["online", "offline", "disabled"]

SPELLINGS: dict[str, Mode] = {
    "online": "online",
    "offline": "offline",
    "disabled": "disabled",
    "run": "online",  # W&B's older names
    "dryrun": "offline",
}
KEPT = {"id": "run_id", "project": "project", "entity": "entity", "name": "run_name", "group": "run_group"}
"""What a run's summary keeps of its W&B run (as ``wandb_id`` and so on), and what W&B's settings call it."""


def wandb_mode(asked: WandbMode) -> Mode:
    """The mode to start W&B in; it never waits at a prompt, nor for a network that is not there.

    ``auto`` is what ``WANDB_MODE`` or W&B's own settings say, and where they say nothing, online for whom W&B knows a key. Its
    server is contacted only then.

    Raises:
        InputError: ``WANDB_MODE``, or another setting of W&B's, is none that there is; online is asked for without a key.
    """
    if asked == "auto" and (named := os.environ.get("WANDB_MODE")):
        if named not in SPELLINGS:
            raise InputError(f"WANDB_MODE={named}: online, offline or disabled expected, since one process writes a run")
        asked = SPELLINGS[named]
    if asked in ("offline", "disabled"):
        return asked
    settings = _settings()
    chosen = SPELLINGS.get(settings.mode, "online")  # `wandb offline` and `wandb disabled` leave it in a file
    if asked == "auto" and chosen != "online":
        return chosen
    settings.mode = "online"  # W&B finds no key where it is offline
    if not _has_key():
        if asked == "online":
            raise InputError(
                "W&B is to be online, and has no key of yours: `wandb login`, or WANDB_API_KEY=…; "
                "--wandb offline keeps the run on this machine"
            )
        return "offline"
    if asked == "auto" and not _reachable(settings.base_url, settings.https_proxy):
        print(
            f"lectern: {settings.base_url} takes no connection: W&B keeps the run here, `wandb sync` sends it", file=sys.stderr
        )
        return "offline"
    return "online"


def _settings() -> Any:
    """W&B's settings, from its files and from the environment as it is now."""
    return _said_in_one_line(lambda: __import__("wandb").setup().settings)


def _has_key() -> bool:
    """Whether W&B finds a key: in the environment, a netrc file or its settings. It asks nobody, the server included."""
    import wandb

    return bool(_said_in_one_line(lambda: wandb.login(prompt=False, verify=False)))


def _said_in_one_line(what: Callable[[], Any]) -> Any:
    import wandb

    try:
        return what()
    except (wandb.errors.Error, ValueError) as error:
        # pydantic names the setting in the second line, and explains it in the third
        lines = [line.strip() for line in str(error).splitlines()]
        raise InputError(f"W&B: {': '.join(lines[1:3]) if len(lines) > 2 else ' '.join(lines)}") from error


def _reachable(server: str, proxy: str | None) -> bool:
    """Whether W&B's server, or the proxy in between, takes a connection; with a key and no network wandb waits for 100 s."""
    url = urlsplit(server)
    if not proxy_bypass(url.hostname or ""):
        url = urlsplit(proxy or getproxies().get(url.scheme, server))
    address = (url.hostname or "", url.port or (80 if url.scheme == "http" else 443))
    taken = threading.Event()

    def connect() -> None:
        with suppress(OSError), socket.create_connection(address, timeout=2):
            taken.set()

    trying = threading.Thread(target=connect, daemon=True)  # the look-up of the name has no time limit of its own
    trying.start()
    trying.join(3)
    return taken.is_set()


@contextmanager
def _outliving_wandb() -> Iterator[None]:
    """Goes on where W&B's process has ended.

    Who asks it then gets a ConnectionError, or one of two errors of W&B's own where the answer was waited for. They are known
    by their names: the module that they lie in is not W&B's public one.
    """
    try:
        yield
    except ConnectionError:
        pass
    except Exception as error:
        if type(error).__name__ not in ("HandleAbandonedError", "MailboxClosedError"):
            raise


class Forgiving(WandbLogger):
    """W&B's logger of a run, which lets the run go on where W&B's process ends before it.

    (That gets the signals of a preempted job too.) W&B's run begins with :meth:`begin` and not before: until the checkpoint of
    a resumed run has been restored, nothing is written, and what is logged goes nowhere.

    What W&B's own settings say of project, entity, name, group, id and the like is obeyed; where they say nothing, the project
    is ``lectern`` and the run is named after its folder. A resumed run goes on as the one that it was, unless a sweep's agent
    says which one it is to be. W&B's files lie in the run's folder, whatever ``WANDB_DIR`` says.

    Args:
        mode: to start W&B in.
        folder: the run's.
        name: the experiment's.
        experiment: its configuration, which becomes W&B's, by dotted names.
        fall_back: whether a server that refuses makes the run an offline one, and no error.
    """

    def __init__(self, mode: Mode, folder: Path, name: str, experiment: Mapping[str, Any], fall_back: bool) -> None:
        super().__init__(name=name, save_dir=folder, project=PROJECT)
        self.mode, self.folder, self.fall_back = mode, folder, fall_back
        self.configuration = {key: value for key, value in flat(experiment).items() if key not in OWN}

    @property
    def experiment(self) -> Any:
        """W&B's run; before it has begun, something that takes every call and does nothing."""
        return DummyLogger().experiment if self._experiment is None else self._experiment

    def begin(self) -> dict[str, str]:
        """Starts W&B's run, or goes on with the one of the folder's summary; returns what the summary is to keep.

        Raises:
            InputError: W&B refuses.
        """
        if self._experiment is None:
            finish_wandb()  # a second run of one process would be the first one, with the first one's settings
            try:
                self._experiment = _said_in_one_line(lambda: self._start(self.mode))
            except InputError as error:
                if not self.fall_back or self.mode == "offline":
                    raise
                print(f"lectern: {error}; W&B keeps the run here", file=sys.stderr)
                finish_wandb()
                self._experiment = _said_in_one_line(lambda: self._start("offline"))
        run: Any = self._experiment
        return {f"wandb_{part}": value for part in KEPT if (value := getattr(run, part, None))}

    def _start(self, mode: Mode) -> Any:
        import wandb

        settings = _settings()
        told = {part: getattr(settings, called) for part, called in KEPT.items()}
        own = {"project": PROJECT, "name": f"{self._name}/{self.folder.name}", "group": self._name}
        kept = {part: value for part in KEPT if isinstance(value := read_summary(self.folder).get(f"wandb_{part}"), str)}
        if settings.sweep_id:  # whose id, project and entity W&B takes from the agent alone
            kept = {part: value for part, value in kept.items() if part in ("name", "group")}
            own.pop("project")
        for part in [part for part in kept if told[part] not in (None, kept[part])]:
            print(f"lectern: W&B's {part} of a resumed run stays {kept[part]}; {told[part]} is not used", file=sys.stderr)
        chosen: dict[str, Any] = {part: value for part, value in (own | kept).items() if part in kept or told[part] is None}
        quiet: dict[str, Any] = {"silent": True, "console": "off"}
        if self.fall_back and "WANDB_INIT_TIMEOUT" not in os.environ:
            quiet["init_timeout"] = 20.0  # seconds, instead of 90, where the run can go on without a server
        self.folder.mkdir(parents=True, exist_ok=True)
        return wandb.init(
            **chosen,
            dir=self.folder,
            resume=None if settings.resume else "allow",
            mode=mode,
            config=self.configuration,
            settings=wandb.Settings(**quiet),
        )

    @rank_zero_only
    def log_hyperparams(self, params: Any) -> None:
        """The experiment's configuration is W&B's already; the modules' arguments are parts of it."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        with _outliving_wandb():
            super().log_metrics(metrics, step)

    @rank_zero_only
    def log_image(self, key: str, images: list[Any], step: int | None = None, **kwargs: Any) -> None:
        with _outliving_wandb():
            super().log_image(key, images, step, **kwargs)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        with _outliving_wandb():
            super().finalize(status)


def begin_wandb(loggers: Iterable[Logger]) -> dict[str, str]:
    """Starts the W&B run of a training that has one; returns what its ``summary.json`` keeps of it."""
    return {key: value for logger in loggers if isinstance(logger, Forgiving) for key, value in logger.begin().items()}


def finish_wandb() -> None:
    """Ends W&B's run, where there is one and W&B's process is still there; the next one reads the environment anew."""
    if "wandb" in sys.modules:
        import wandb

        if wandb.run is not None:
            with _outliving_wandb():
                wandb.finish()
        with _outliving_wandb():
            wandb.teardown()


def wandb_logger(asked: WandbMode, folder: RunFolder, experiment: Callable[[], Mapping[str, Any]]) -> list[Logger]:
    """W&B's logger for a run, or none where it is disabled, or in any process but the first.

    Args:
        asked: ``--wandb``.
        folder: the run's.
        experiment: gives its configuration.

    Raises:
        InputError: as :func:`wandb_mode`.
    """
    if not is_first_process():
        return []
    finish_wandb()
    mode = wandb_mode(asked)
    if mode == "disabled":
        return []
    fall_back = asked == "auto" and "WANDB_MODE" not in os.environ
    return [Forgiving(mode, folder.folder, folder.title, experiment(), fall_back)]
