"""The lectures' networks: plain modules that know nothing of Lightning."""

from .alexnet import AlexNet
from .anchor_yolo import AnchorYOLO
from .auxiliary import AuxiliaryHead
from .backbone_encoder import BackboneEncoder
from .backbone_fcn import BackboneFCN
from .backbones import FPN, ConvBackbone, TorchvisionBackbone
from .boxes import RoIAlign, RoIPool
from .cifar import CifarNet, SmallConvNet
from .deconvnet import DeconvNet
from .dense_cap import DenseCap
from .dpm import DPM
from .encoder_decoder import Autoencoder, ResidualDenoiser, UNet
from .fast_rcnn import FastRCNN
from .faster_rcnn import FasterRCNN
from .fcn import FCN, VGG16, VGGFCN, ConvEncoder, FullResolutionFCN
from .googlenet import GoogLeNet
from .heads import ClassAndBox, KeypointRegressor, SeparateClassAndBox
from .inception import ConvReLU, Inception, InceptionNet, ScaledInception
from .initialization import Default, Initialization, Kaiming, LeCun, Normal, Xavier
from .keypoint_rcnn import KeypointBranch, KeypointMaskRCNN, KeypointRCNN
from .language_model import RegionLanguageModel
from .lenet import LeNet5
from .linear import LinearClassifier, MultilayerPerceptron
from .local import FullConnection, LocalConnection, MapsNet, PermutedPixels, SharedConnection
from .mask_rcnn import ClassSigmoids, MaskBranch, MaskRCNN, OneSigmoid, PixelSoftmax
from .pooling import MinPool2d
from .rbf import LeNet5RBF, RBFOutput
from .rcnn import RCNN
from .region_heads import ClassifierLayers, FullyConnected, SoftmaxHead, StagedHead
from .resnet9 import ResNet9
from .segnet import SegNet
from .separate_captioners import DetectThenCaption, FullImageCaptioner
from .set_regressor import BestMatching, FromLeftToRight, SetRegressor
from .sliding_window import DenseSlidingWindow, PatchClassifier, SlidingWindow
from .spp_net import SPPNet
from .springs import Quadratic, Rigid
from .ssd import SSD
from .stacks import StackClassifier, StackFilter
from .torchvision_detector import TorchvisionDetector
from .torchvision_nets import TorchvisionNet
from .torchvision_segmenter import TorchvisionSegmenter
from .upsampling import BedOfNails, Bilinear, MaxUnpooling, NearestNeighbor, TransposeConv
from .vgg import VGG
from .yolo import YOLO
from .zfnet import ZFNet

__all__ = [
    "DPM",
    "FCN",
    "FPN",
    "RCNN",
    "SSD",
    "VGG",
    "VGG16",
    "VGGFCN",
    "YOLO",
    "AlexNet",
    "AnchorYOLO",
    "Autoencoder",
    "AuxiliaryHead",
    "BackboneEncoder",
    "BackboneFCN",
    "BedOfNails",
    "BestMatching",
    "Bilinear",
    "CifarNet",
    "ClassAndBox",
    "ClassSigmoids",
    "ClassifierLayers",
    "ConvBackbone",
    "ConvEncoder",
    "ConvReLU",
    "DeconvNet",
    "Default",
    "DenseCap",
    "DenseSlidingWindow",
    "DetectThenCaption",
    "FastRCNN",
    "FasterRCNN",
    "FromLeftToRight",
    "FullConnection",
    "FullImageCaptioner",
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
    "Quadratic",
    "RBFOutput",
    "RegionLanguageModel",
    "ResNet9",
    "ResidualDenoiser",
    "Rigid",
    "RoIAlign",
    "RoIPool",
    "SPPNet",
    "ScaledInception",
    "SegNet",
    "SeparateClassAndBox",
    "SetRegressor",
    "SharedConnection",
    "SlidingWindow",
    "SmallConvNet",
    "SoftmaxHead",
    "StackClassifier",
    "StackFilter",
    "StagedHead",
    "TorchvisionBackbone",
    "TorchvisionDetector",
    "TorchvisionNet",
    "TorchvisionSegmenter",
    "TransposeConv",
    "UNet",
    "Xavier",
    "ZFNet",
]
