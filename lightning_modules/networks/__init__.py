"""The lectures' networks: plain modules that know nothing of Lightning."""

from .backbones import FPN, ConvBackbone, TorchvisionBackbone
from .boxes import RoIAlign, RoIPool
from .cifar import CifarNet, SmallConvNet
from .dpm import DPM
from .fast_rcnn import FastRCNN
from .faster_rcnn import FasterRCNN
from .fcn import FCN, VGG16, VGGFCN, ConvEncoder, FullResolutionFCN
from .heads import ClassAndBox, KeypointRegressor, SeparateClassAndBox
from .initialization import Default, Initialization, Kaiming, LeCun, Normal, Xavier
from .keypoint_rcnn import KeypointBranch, KeypointMaskRCNN, KeypointRCNN
from .lenet import LeNet5
from .linear import LinearClassifier, MultilayerPerceptron
from .local import FullConnection, LocalConnection, MapsNet, PermutedPixels, SharedConnection
from .mask_rcnn import ClassSigmoids, MaskBranch, MaskRCNN, OneSigmoid, PixelSoftmax
from .pooling import MinPool2d
from .rcnn import RCNN
from .region_heads import ClassifierLayers, FullyConnected, SoftmaxHead, StagedHead
from .resnet9 import ResNet9
from .sliding_window import DenseSlidingWindow, PatchClassifier, SlidingWindow
from .spp_net import SPPNet
from .springs import Quadratic, Rigid
from .ssd import SSD
from .torchvision_nets import TorchvisionNet
from .upsampling import BedOfNails, Bilinear, MaxUnpooling, NearestNeighbor, TransposeConv
from .yolo import YOLO
from .zfnet import ZFNet

__all__ = [
    "DPM",
    "FCN",
    "FPN",
    "RCNN",
    "SSD",
    "VGG16",
    "VGGFCN",
    "YOLO",
    "BedOfNails",
    "Bilinear",
    "CifarNet",
    "ClassAndBox",
    "ClassSigmoids",
    "ClassifierLayers",
    "ConvBackbone",
    "ConvEncoder",
    "Default",
    "DenseSlidingWindow",
    "FastRCNN",
    "FasterRCNN",
    "FullConnection",
    "FullResolutionFCN",
    "FullyConnected",
    "Initialization",
    "Kaiming",
    "KeypointBranch",
    "KeypointMaskRCNN",
    "KeypointRCNN",
    "KeypointRegressor",
    "LeCun",
    "LeNet5",
    "LinearClassifier",
    "LocalConnection",
    "MapsNet",
    "MaskBranch",
    "MaskRCNN",
    "MaxUnpooling",
    "MinPool2d",
    "MultilayerPerceptron",
    "NearestNeighbor",
    "Normal",
    "OneSigmoid",
    "PatchClassifier",
    "PermutedPixels",
    "PixelSoftmax",
    "Quadratic",
    "ResNet9",
    "Rigid",
    "RoIAlign",
    "RoIPool",
    "SPPNet",
    "SeparateClassAndBox",
    "SharedConnection",
    "SlidingWindow",
    "SmallConvNet",
    "SoftmaxHead",
    "StagedHead",
    "TorchvisionBackbone",
    "TorchvisionNet",
    "TransposeConv",
    "Xavier",
    "ZFNet",
]
