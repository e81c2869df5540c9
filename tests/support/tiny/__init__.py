"""Tiny data sets on disk, in the official layouts: a few small images each, written in milliseconds.

One file a data set. Its writer takes a folder and the number of images of each split, and returns the folder that the data
module's ``root`` names; its ``TINY`` says, by the data module's name, how the tests of every data set are to use it, and is
found by its place. Images are noise with a bright rectangle where an object is, so that there is something to learn.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from .caltech_boxes import write_caltech_boxes
from .camvid import write_camvid
from .cifar10 import CIFAR_CLASSES, write_cifar10
from .coco import COCO_KEYPOINTS, write_coco
from .coco_captions import write_coco_captions
from .common import Tiny, picture, save
from .image_folder import write_image_folder
from .lsp import write_lsp
from .mnist import write_mnist
from .visual_genome import write_visual_genome
from .voc import voc_xml, write_voc

DATA: dict[str, Tiny] = {}
"""By the name of the data module."""
for _file in iter_modules(__path__):
    DATA |= getattr(import_module(f"{__name__}.{_file.name}"), "TINY", {})

__all__ = [
    "CIFAR_CLASSES",
    "COCO_KEYPOINTS",
    "DATA",
    "Tiny",
    "picture",
    "save",
    "voc_xml",
    "write_caltech_boxes",
    "write_camvid",
    "write_cifar10",
    "write_coco",
    "write_coco_captions",
    "write_image_folder",
    "write_lsp",
    "write_mnist",
    "write_visual_genome",
    "write_voc",
]
