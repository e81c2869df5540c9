"""From a checkpoint back to what it was written by: its task, its run, and the configuration that a command starts from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

from pytorch_lightning.cli import LightningArgumentParser

from datamodules import ImageFiles
from datamodules.resizing import ResizeMode
from datamodules.scene import InputError
from experiments.lightning_compat import importing_only
from experiments.runs.files import CHECKPOINTS, CONFIG
from lightning_modules.base import Task

from .catalog import class_of
from .checkpoint_io import check_weights, load, not_finite
from .plain_data import checked_metadata
from .trust import PACKAGES, buildable, looked_at, parser_of

SETTINGS = ("model", "data", "expect", "name")
"""What of its experiment a checkpoint's evaluation starts from; device, trainer and the like are the command's own."""

PREPARED = ("resize_mode", "proposals")
"""How a data module prepares what it has for a network: what images without annotation must be given in the same way."""

SEEN = ("image_size", "mean", "std", "classes", "mask_classes", "keypoints", "vocabulary")
"""What a network's weights depend on, of the metadata of the data that it was trained on."""


class Saved(NamedTuple):
    """What a checkpoint says of its experiment: plain data, all that is read from it but for the weights."""

    path: Path
    settings: dict[str, Any]
    metadata: dict[str, Any]
    diverged: str = ""
    """Which weight is not finite, where it was looked at; empty where all are."""

    @classmethod
    def read(cls, path: Path) -> Saved:
        """Raises InputError where there is no checkpoint that can be read, or an older Lectern wrote it, or it is hostile."""
        return cls.of_content(load(path), path)

    @classmethod
    def for_evaluation(cls, path: Path) -> Saved:
        """As :meth:`read`, and its weights are looked at: those of a training that diverged predict nothing."""
        checkpoint = load(path)
        return cls.of_content(checkpoint, path)._replace(diverged=not_finite(checkpoint["state_dict"]))

    @classmethod
    def of_content(cls, checkpoint: dict[str, Any], path: Path) -> Saved:
        """What the content of the checkpoint at ``path`` says."""
        metadata = metadata_in(checkpoint, path)  # first: of an older one this says what to do
        settings = looked_at(checkpoint.get("experiment") or {}, path)
        return cls(path, {key: settings[key] for key in SETTINGS if settings.get(key)}, metadata)

    def check(self, class_path: str) -> None:
        """Raises InputError where the checkpoint is of another task than the configuration."""
        saved = (self.settings.get("model") or {}).get("class_path")
        if saved and _short(saved) != _short(class_path):
            raise InputError(f"{self.path}: a checkpoint of {_short(saved)}, but the task is {_short(class_path)}")

    def differences(self, metadata: dict[str, Any]) -> list[str]:
        """What the network was trained for and these data have otherwise, a line each."""
        return [
            f"{self.path} was trained on {key} {_shown(self.metadata[key])}, and these data have {_shown(new)}"
            for key in SEEN
            if key in self.metadata and (new := metadata.get(key)) != self.metadata[key]
        ]


def task_of(checkpoint: dict[str, Any], path: Path, trusted: Collection[str] = ()) -> Task:
    """The task that wrote a checkpoint, with its weights.

    Args:
        checkpoint: its content, as :func:`checkpoint_io.load` gives it.
        path: where it lies.
        trusted: packages of the user's own, whose classes it may name.

    Raises:
        InputError: the checkpoint was not written by ``lectern fit``, so it does not say how its task was built; or by an
            older one; or it names what is no class of ours or of a trusted package, or its weights are not the task's.
    """
    saved = Saved.of_content(checkpoint, path)
    if "model" not in saved.settings or not saved.metadata:
        raise InputError(f"{path}: does not say how its task was built; was it written by lectern fit?")
    if wrong := not_finite(checkpoint["state_dict"]):
        raise InputError(f"{path}: {wrong}; export an earlier checkpoint")
    model = buildable("model", saved.settings["model"], path, trusted)
    arguments = {**(model.get("init_args") or {}), "metadata": saved.metadata}
    parser = parser_of("model")
    try:
        with importing_only((*PACKAGES, *trusted)):
            task: Task = parser.instantiate_classes(parser.parse_object({"model": {**model, "init_args": arguments}})).model
    except InputError:
        raise
    except Exception as error:  # whatever a class says of arguments that are not its own
        raise InputError(f"{path}: its task cannot be built ({' '.join(str(error).split())[:300]})") from error
    check_weights(task, checkpoint["state_dict"], path)
    task.load_state_dict(checkpoint["state_dict"])
    return task


def resize_mode_of(saved: Saved) -> ResizeMode:
    """How images took their size in the training; as a data module does by itself where the checkpoint says nothing.

    Raises:
        InputError: it says what is no such way.
    """
    mode = ((saved.settings.get("data") or {}).get("init_args") or {}).get("resize_mode", "stretch")
    if mode not in get_args(ResizeMode):
        raise InputError(f"{saved.path}: data.resize_mode is {str(mode)[:80]!r}, and none of {', '.join(get_args(ResizeMode))}")
    return cast(ResizeMode, mode)


def metadata_in(checkpoint: dict[str, Any], path: Path) -> dict[str, Any]:
    """The metadata of the data that a checkpoint was trained on; empty where it has none.

    Raises:
        InputError: it has the names of before 2026-11-26, which nothing here knows any more; or no data set has such.
    """
    arguments = checkpoint.get("hyper_parameters") or {}
    if not isinstance(arguments, dict):
        raise InputError(f"{path}: hyper_parameters are no values by name")
    if "specification" in arguments:
        raise InputError(
            f"{path}: written by an older Lectern, whose names are not known any more; train it again, or use the commit "
            "that its run's summary.json names"
        )
    metadata = arguments.get("metadata") or {}
    return checked_metadata(metadata, path) if metadata else {}


def check_root(saved: Saved, root: Any) -> None:
    """Raises InputError where data are looked for in a place that a checkpoint names and that is not here.

    MNIST and CIFAR-10 are downloaded where they are missing: a checkpoint does not say into which new folder.
    """
    if root == "":
        raise InputError(f"{saved.path}: which images? --data.root FOLDER says where they are")
    arguments = (saved.settings.get("data") or {}).get("init_args") or {}
    if isinstance(root, str) and root == arguments.get("root") and not Path(root).exists():
        raise InputError(f"{saved.path}: its data lie in {root}, which is not here; say where they are: --data.root FOLDER")


def run_folder_of(path: Path) -> Path | None:
    """The folder of the run that wrote this checkpoint, where it still lies there."""
    folder = path.resolve().parent.parent
    inside = path.resolve().parent.name == CHECKPOINTS and (folder / CONFIG).is_file()
    return _relative(folder) if inside else None


def start_from(saved: Saved, parser: LightningArgumentParser, parse: Callable[[], Any], trusted: Collection[str] = ()) -> None:
    """Makes a checkpoint's experiment the parser's defaults, so that it is all that a command needs.

    It is the lowest layer: environment, configuration files and command line change what they name. An object that they
    replace by one of another class takes none of the old one's arguments over (jsonargparse passes on those of the same
    name), and a list that they give is theirs alone.

    Args:
        saved: what the checkpoint says.
        parser: the subcommand's.
        parse: parses the command line, which may lack what a default will fill, and returns the subcommand's settings.
        trusted: packages of the user's own, whose classes the checkpoint may name.

    Raises:
        InputError: the checkpoint names what is no class of ours or of a trusted package. Data of a class that is not
            trusted do not matter where the command line has others.
    """
    defaults, refused = dict(saved.settings), None
    for part in ("model", "data"):
        if part in defaults:
            try:
                defaults[part] = buildable(part, defaults[part], saved.path, trusted)
            except InputError as error:
                if part == "model":
                    raise
                del defaults[part]
                refused = error
    while True:
        parser.set_defaults(defaults)
        before = parser.get_defaults()
        try:
            after = parse()
        except InputError as error:
            raise InputError(f"{refused} ({error})") if refused else error from None
        # Arguments without a class are the base class's, for the parser.
        if refused and _short(getattr(after.get("data"), "class_path", None) or "DataModule") == "DataModule":
            raise refused
        kept = {k: v for k in defaults if (v := _still_meant(defaults[k], before.get(k), after.get(k))) is not _REPLACED}
        if "data" not in kept and (images := _as_images(saved, after.get("data"), trusted)):
            kept["data"] = images
        if kept == defaults:
            return
        parser.set_defaults({key: None for key in defaults if key not in kept})
        defaults = kept


_REPLACED: Any = object()


def _still_meant(saved: Any, before: Any, after: Any) -> Any:
    """What of a saved value the command line leaves standing, or ``_REPLACED``.

    Args:
        saved: as the checkpoint has it.
        before: the same, parsed.
        after: parsed with what the command line says.
    """
    if isinstance(saved, dict):
        if "class_path" not in saved:  # a dataclass, which the parser has by its fields alone or as a class with arguments
            before, after = (getattr(value, "init_args", value) for value in (before, after))
        if not (hasattr(before, "get") and hasattr(after, "get")) or before.get("class_path") != after.get("class_path"):
            return _REPLACED
        parts = {key: _still_meant(value, before.get(key), after.get(key)) for key, value in saved.items()}
        return {key: value for key, value in parts.items() if value is not _REPLACED}
    if isinstance(saved, list) and _listed(before) != _listed(after):
        return _REPLACED
    return saved


def _listed(value: Any) -> Any:
    """``value`` with its tuples as lists: a default is compared with what the parser made of it."""
    return [_listed(inner) for inner in value] if isinstance(value, list | tuple) else value


def _as_images(saved: Saved, data: Any, trusted: Collection[str]) -> dict[str, Any] | None:
    """What images without annotation take from a checkpoint, where a command names them; they know no classes or sizes."""
    if data is None or not issubclass(class_of(data.class_path), ImageFiles):
        return None
    trained_on = (saved.settings.get("data") or {}).get("init_args") or {}
    prepared = {key: trained_on[key] for key in PREPARED if trained_on.get(key) is not None}
    known = {"metadata": saved.metadata} if saved.metadata else {}
    images = {"class_path": "datamodules.ImageFiles", "init_args": {"root": "", **known, **prepared}}
    checked = buildable("data", images, saved.path, trusted)["init_args"]
    return {"class_path": data.class_path, "init_args": {key: checked[key] for key in (*known, *prepared)}}


def _short(class_path: str) -> str:
    return class_path.rsplit(".", 1)[-1]


def _shown(value: Any) -> str:
    if not isinstance(value, list | tuple):
        return str(value)
    if all(isinstance(item, str) for item in value):
        return f"{len(value)} ({', '.join(value[:8])}{', …' if len(value) > 8 else ''})"
    return " x ".join(map(str, value)) if len(value) == 2 else str(value)


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
