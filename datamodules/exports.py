"""The data modules by name: all that `from datamodules import …` gives."""

from .caltech_boxes import CaltechBoxes
from .camvid import CamVid
from .cifar10 import CIFAR10
from .coco import COCO, COCOKeypoints
from .coco_captions import COCOCaptions
from .figures import Figures
from .held_out_shapes import HeldOutShapes
from .image_files import ImageFiles
from .image_folder import ImageFolder
from .labelme import LabelMe
from .lsp import LSP
from .mask_folder import MaskFolder
from .mnist import MNIST
from .proposals import SlidingWindows
from .selective_search import SelectiveSearch
from .shapes import Shapes
from .visual_genome import VisualGenome
from .voc import VOC
from .yolo import YOLO, YOLOPose

__all__ = [
    "CIFAR10",
    "COCO",
    "LSP",
    "MNIST",
    "VOC",
    "YOLO",
    "COCOCaptions",
    "COCOKeypoints",
    "CaltechBoxes",
    "CamVid",
    "Figures",
    "HeldOutShapes",
    "ImageFiles",
    "ImageFolder",
    "LabelMe",
    "MaskFolder",
    "SelectiveSearch",
    "Shapes",
    "SlidingWindows",
    "VisualGenome",
    "YOLOPose",
]
