"""Where the images and labels of a data set in YOLO's layout are, and what its ``data.yaml`` says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from .base import Split
from .files import below, content, read_text
from .images import SUFFIXES, image_names
from .own_splits import named_split
from .scene import InputError, quoted

LAYOUT = "data.yaml with names: and train:, or classes.txt; labels/**/x.txt for images/**/x.jpg, or each beside its image"
LARGEST_YAML = 256 * 2**10
"""Bytes of a ``data.yaml``; one of 1,200 classes has 25,000."""


@dataclass(frozen=True)
class YoloLayout:
    """What is where in a folder, without a look into a label file."""

    root: Path
    file: Path
    """That names the classes."""
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    """The number that labels have of each class: 0, 1, 2 … in every official data set."""
    splits: Mapping[Split, list[str]]
    """The images of each official split, by their path below ``root``; ``train`` alone where there is none."""
    keypoints: int = 0
    dimensions: int = 3
    named: tuple[str, ...] = ()
    """Names of the keypoints."""
    flip: tuple[int, ...] = ()
    """For each keypoint, which one it is after a horizontal flip."""
    remarks: tuple[str, ...] = ()
    """What was made of the splits without being asked."""


def yolo_layout(root: Path) -> YoloLayout:
    """Reads what there is.

    Raises:
        InputError: the folder, its ``data.yaml`` or its list of classes is not as YOLO has it; the message names file and key.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not there: expected a folder with {LAYOUT}")
    file = classes_file(root)
    if file is None:
        raise InputError(f"{root} has no data.yaml, classes.txt or obj.names: expected {LAYOUT}")
    if file.suffix not in (".yaml", ".yml"):
        names = [line.strip() for line in read_text(file, "a list of classes, one a line").splitlines()]
        while names and not names[-1]:
            names.pop()
        return YoloLayout(root, file, _names(file, names), tuple(range(len(names))), dict(_by_folder(root)))
    keys = _plain_yaml(file)
    listed = keys.get("names")
    if isinstance(listed, dict):
        numbers = tuple(sorted(_integer(file, "names", number) for number in listed))
        by_number = {int(number): name for number, name in listed.items()}
        if len(by_number) < len(listed):
            raise InputError(f"{file}: names has a number twice")
        names = [by_number[number] for number in numbers]
    elif isinstance(listed, list):
        names, numbers = listed, tuple(range(len(listed)))
    else:
        raise InputError(f"{file}: no names: a list of the classes' names expected, names: [cat, dog]")
    named = _names(file, names)
    if "nc" in keys and _integer(file, "nc", keys["nc"]) != len(named):
        raise InputError(f"{file}: nc is {quoted(keys['nc'])}, and names has {len(named)}")
    count, dimensions, flip = _keypoints(file, keys)
    points = _names_of_keypoints(file, keys.get("kpt_names"), count)
    remarks: list[str] = []
    splits = _splits(root, file, keys, remarks.append)
    return YoloLayout(root, file, named, numbers, splits, count, dimensions, points, flip, tuple(remarks))


def classes_file(root: Path) -> Path | None:
    """The file that names the classes: ``data.yaml``, another YAML with names, a list as labelImg, CVAT or darknet write it."""
    for name in ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml"):
        if (root / name).is_file():
            return root / name
    for path in sorted((*root.glob("*.yaml"), *root.glob("*.yml"))):
        if re.search(r"^names\s*:", _beginning(path), re.MULTILINE):
            return path
    for name in ("classes.txt", "labels/classes.txt", "obj.names", "labels/train/classes.txt", "train/classes.txt"):
        if (root / name).is_file():
            return root / name
    return None


def label_file(root: Path, image: str) -> Path:
    """The label file of an image, by the image's path below ``root``.

    The last folder called ``images`` is ``labels`` instead, as YOLO's authors have it; where there is no such folder, or no
    such ``labels``, it lies beside its image.
    """
    path = PurePosixPath(image)
    parts = list(path.parts)
    if "images" in parts[:-1]:
        at = len(parts) - 2 - parts[:-1][::-1].index("images")
        if (root / PurePosixPath(*parts[:at]) / "labels").is_dir():
            return root / PurePosixPath(*parts[:at], "labels", *parts[at + 1 : -1], f"{path.stem}.txt")
    return root / path.with_suffix(".txt")


def _by_folder(root: Path) -> Iterator[tuple[Split, list[str]]]:
    """The splits that folders are named by (``images/train``, ``train/images``, ``obj_val_data``), or all as ``train``."""
    found: dict[Split, list[str]] = {}
    rest: list[str] = []
    for name in image_names(root):
        folders = PurePosixPath(name).parts[:-1]
        words = [re.sub(r"^obj_(.*)_data$", r"\1", folder) for folder in folders]
        splits = {split for word in words if (split := named_split(word))}
        if len(splits) > 1:
            raise InputError(
                f"{root / name}: its folders name two splits ({', '.join(sorted(splits))}); a data.yaml tells which"
            )
        (found.setdefault(splits.pop(), []) if splits else rest).append(name)
    if not found:
        found["train"] = rest
    elif rest:
        raise InputError(f"{root / rest[0]}: lies in none of the folders of {', '.join(sorted(found))}, and others do")
    yield from found.items()


def _splits(root: Path, file: Path, keys: Mapping[str, Any], remark: Callable[[str], Any]) -> dict[Split, list[str]]:
    """The images of the splits that a ``data.yaml`` names; of two with the same images, ``train`` stays, or else ``test``."""
    base = _text(file, "path", keys["path"]) if keys.get("path") else ""
    found: dict[Split, list[str]] = {}
    entries = {split: keys[key] for key in keys if (split := named_split(key)) and keys[key] not in (None, "", [])}
    if not entries:
        return dict(_by_folder(root))
    for split, entry in entries.items():
        places = entry if isinstance(entry, list) else [entry]
        names = [name for place in places for name in _images(root, file, base, split, _text(file, split, place))]
        if not names and split == "train":
            raise InputError(f"{file}: {split}: {quoted(entry)} holds no images")
        found[split] = list(dict.fromkeys(names))
    if "train" not in found:
        raise InputError(f"{file}: no train: the folder of the training images expected, train: images/train")
    order: tuple[Split, ...] = ("train", "test", "val")
    shown = [(split, found[split]) for split in order if split in found]
    for i, (split, names) in enumerate(shown):
        for other, others in shown[:i]:
            if split in found and set(names) == set(others):
                del found[split]  # the data set's own demonstration: validation on what was trained on measures nothing
                remark(f"{file}: {split} has the same images as {other}: images for {split} are held out of train instead")
            elif both := sorted(set(names) & set(others)):
                raise InputError(f"{file}: {root / both[0]} is in {other} and in {split}")
    return found


def _images(root: Path, file: Path, base: str, split: str, place: str) -> list[str]:
    """The images of a folder, or of a list of images, that a ``data.yaml`` names."""
    where = _found(root, file, base, split, place)
    if (path := root / where).is_dir():
        prefix = "" if where in ("", ".") else f"{where}/"
        return [prefix + name for name in image_names(path)]
    if path.suffix.lower() in SUFFIXES:
        return [where]
    lines = [line.strip() for line in read_text(path, "a list of images, one a line").splitlines()]
    return [_found(root, path, base, split, line) for line in lines if line]


def _found(root: Path, said_by: Path, base: str, split: str, place: str) -> str:
    """The path below ``root`` that is meant by one in a YAML or a list.

    Both are written by programs that had the folder elsewhere: with the ``..`` of Roboflow, the ``data/`` of CVAT or a path of
    another machine before it. Of the path's endings, the longest one that is there is taken.

    Raises:
        InputError: none is.
    """
    words = place.replace("\\", "/")
    parts = [part for part in f"{base}/{words}".split("/") if part not in ("", ".", "..")]
    own = [part for part in words.split("/") if part not in ("", ".", "..")]
    tried = [parts[i:] for i in range(len(parts) - len(own) + 1)] + [own[i:] for i in range(1, len(own))]
    for rest in tried if own else [parts, []]:
        name = "/".join(rest)
        if not name:
            return ""
        if below(root, name, said_by).exists():
            return name
    raise InputError(f"{said_by}: {split}: {quoted(place)} is not there below {root}")


def _keypoints(file: Path, keys: Mapping[str, Any]) -> tuple[int, int, tuple[int, ...]]:
    """``kpt_shape`` and ``flip_idx``."""
    if not (shape := keys.get("kpt_shape")):
        return 0, 3, ()
    if not isinstance(shape, list) or len(shape) != 2:
        raise InputError(f"{file}: kpt_shape: two numbers expected, kpt_shape: [17, 3]")
    count, dimensions = (_integer(file, "kpt_shape", value) for value in shape)
    if not 1 <= count <= 10_000 or dimensions not in (2, 3):
        raise InputError(f"{file}: kpt_shape is [{count}, {dimensions}]: 1 or more keypoints of 2 or 3 numbers expected")
    if not (listed := keys.get("flip_idx")):
        return count, dimensions, ()
    flip = tuple(_integer(file, "flip_idx", value) for value in listed) if isinstance(listed, list) else ()
    if sorted(flip) != list(range(count)) or any(flip[flip[i]] != i for i in range(count)):
        raise InputError(
            f"{file}: flip_idx: which of the {count} keypoints each becomes in a mirror expected, each once, in pairs"
        )
    return count, dimensions, flip


def _names_of_keypoints(file: Path, listed: Any, count: int) -> tuple[str, ...]:
    """``kpt_names``, a list or one for each class, which have them all in common; otherwise numbers."""
    if not listed:
        return tuple(f"keypoint {i}" for i in range(count))
    lists = list(listed.values()) if isinstance(listed, dict) else [listed]
    if any(one != lists[0] for one in lists) or not isinstance(lists[0], list) or len(lists[0]) != count:
        raise InputError(f"{file}: kpt_names: the names of the {count} keypoints expected, the same for every class")
    return _names(file, lists[0])


def _plain_yaml(file: Path) -> dict[str, Any]:
    """A YAML of texts, lists and mappings; nothing in it is made into an object, nor into a number."""
    text = content(file, LAYOUT, LARGEST_YAML).decode("utf-8-sig", errors="replace")
    try:
        keys = yaml.BaseLoader(text).get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{file}{line}: no YAML ({quoted(' '.join(str(getattr(error, 'problem', error)).split()))})") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{file}: no YAML of plain values ({type(error).__name__})") from None
    if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys):
        raise InputError(f"{file}: no keys: expected names: and train:")
    return keys


def _names(file: Path, names: list[Any]) -> tuple[str, ...]:
    """Names of classes, each a text, and each once."""
    first: dict[str, int] = {}
    for i, name in enumerate(names):
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise InputError(f"{file}: the name of class {i} is {quoted(name)}, expected a text")
        if first.setdefault(name, i) != i:
            raise InputError(f"{file}: class {quoted(name)} is there twice, as {first[name]} and {i}")
    if not names:
        raise InputError(f"{file}: no class is named")
    return tuple(names)


def _integer(file: Path, key: str, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value):
        return int(value)
    raise InputError(f"{file}: {key}: {quoted(value)} is no number from 0")


def _text(file: Path, key: str, value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise InputError(f"{file}: {key}: a path expected, it is {quoted(value)}")


def _beginning(path: Path) -> str:
    if not path.is_file():  # reading a pipe may never end
        return ""
    with suppress(OSError), path.open("rb") as file:
        return file.read(4096).decode(errors="replace")
    return ""
