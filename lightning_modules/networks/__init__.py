"""The lectures' networks: plain modules that know nothing of Lightning."""

from .alexnet import AlexNet
from .auxiliary import AuxiliaryHead
from .backbones import FPN, ConvBackbone, TorchvisionBackbone
from .boxes import RoIAlign, RoIPool
from .cifar import CifarNet, SmallConvNet
from .fast_rcnn import FastRCNN
from .faster_rcnn import FasterRCNN
from .fcn import FCN, VGG16, VGGFCN, ConvEncoder, FullResolutionFCN
from .googlenet import GoogLeNet
from .heads import ClassAndBox, KeypointRegressor, SeparateClassAndBox
from .inception import ConvReLU, Inception, InceptionNet, ScaledInception
from .initialization import Default, Initialization, Kaiming, LeCun, Normal, Xavier
from .keypoint_rcnn import KeypointBranch, KeypointMaskRCNN, KeypointRCNN
from .lenet import LeNet5
from .linear import LinearClassifier, MultilayerPerceptron
from .local import FullConnection, LocalConnection, MapsNet, PermutedPixels, SharedConnection
from .mask_rcnn import ClassSigmoids, MaskBranch, MaskRCNN, OneSigmoid, PixelSoftmax
from .pooling import MinPool2d
from .rbf import LeNet5RBF, RBFOutput
from .rcnn import RCNN
from .region_heads import ClassifierLayers, FullyConnected, SoftmaxHead, StagedHead
from .resnet9 import ResNet9
from .sliding_window import DenseSlidingWindow, PatchClassifier, SlidingWindow
from .spp_net import SPPNet
from .ssd import SSD
from .torchvision_nets import TorchvisionNet
from .upsampling import BedOfNails, Bilinear, MaxUnpooling, NearestNeighbor, TransposeConv
from .vgg import VGG
from .yolo import YOLO
from .zfnet import ZFNet

__all__ = [
    "FCN",
    "FPN",
    "RCNN",
    "SSD",
    "VGG",
    "VGG16",
    "VGGFCN",
    "YOLO",
    "AlexNet",
    "AuxiliaryHead",
    "BedOfNails",
    "Bilinear",
    "CifarNet",
    "ClassAndBox",
    "ClassSigmoids",
    "ClassifierLayers",
    "ConvBackbone",
    "ConvEncoder",
    "ConvReLU",
    "Default",
    "DenseSlidingWindow",
    "FastRCNN",
    "FasterRCNN",
    "FullConnection",
    "FullResolutionFCN",
    "FullyConnected",
    "GoogLeNet",
    "Inception",
    "InceptionNet",
    "Initialization",
    "Kaiming",
    "KeypointBranch",
    "KeypointMaskRCNN",
    "KeypointRCNN",
    "KeypointRegressor",
    "LeCun",
    "LeNet5",
    "LeNet5RBF",
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
    "RBFOutput",
    "ResNet9",
    "RoIAlign",
    "RoIPool",
    "SPPNet",
    "ScaledInception",
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
