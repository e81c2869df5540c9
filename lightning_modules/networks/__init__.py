"""The lectures' networks: plain modules that know nothing of Lightning."""

from .cifar import CifarNet, SmallConvNet
from .faster_rcnn import FasterRCNN
from .fcn import FCN, VGG16, VGGFCN, ConvEncoder, FullResolutionFCN
from .heads import ClassAndBox, JointRegressor, SeparateClassAndBox
from .initialization import Default, Initialization, Kaiming, LeCun, Normal, Xavier
from .lenet import LeNet5
from .linear import LinearClassifier, MultilayerPerceptron
from .local import FullConnection, LocalConnection, MapsNet, PermutedPixels, SharedConnection
from .pooling import MinPool2d
from .sliding_window import DenseSlidingWindow, PatchClassifier, SlidingWindow
from .ssd import SSD
from .torchvision_nets import TorchvisionNet
from .trunks import FPN, ConvTrunk, TorchvisionTrunk
from .upsampling import BedOfNails, Bilinear, MaxUnpooling, NearestNeighbor, TransposeConv
from .yolo import YOLO
from .zfnet import ZFNet

__all__ = [
    "FCN",
    "FPN",
    "SSD",
    "VGG16",
    "VGGFCN",
    "YOLO",
    "BedOfNails",
    "Bilinear",
    "CifarNet",
    "ClassAndBox",
    "ConvEncoder",
    "ConvTrunk",
    "Default",
    "DenseSlidingWindow",
    "FasterRCNN",
    "FullConnection",
    "FullResolutionFCN",
    "Initialization",
    "JointRegressor",
    "Kaiming",
    "LeCun",
    "LeNet5",
    "LinearClassifier",
    "LocalConnection",
    "MapsNet",
    "MaxUnpooling",
    "MinPool2d",
    "MultilayerPerceptron",
    "NearestNeighbor",
    "Normal",
    "PatchClassifier",
    "PermutedPixels",
    "SeparateClassAndBox",
    "SharedConnection",
    "SlidingWindow",
    "SmallConvNet",
    "TorchvisionNet",
    "TorchvisionTrunk",
    "TransposeConv",
    "Xavier",
    "ZFNet",
]
