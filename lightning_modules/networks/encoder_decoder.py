"""Networks from images to images: down to few places, and up again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _convolutions(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before in (inputs, outputs):
        layers += [nn.Conv2d(before, outputs, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """An encoder and a decoder with skip connections between maps of one size (Ronneberger et al. 2015, figure 1).

    Images (B, 3, H, W) of any H and W to (B, num_outputs, H, W): values of pixels, or logits of the classes of a segmentation.
    Departs from the paper in that convolutions are padded, so that nothing is cropped; a map of an odd size is pooled with a
    last row or column of its own. No batch normalisation, as in the paper.

    Args:
        num_outputs: channels of the output.
        widths: channels of the two 3 x 3 convolutions at each size, from the image's own to the smallest; each is half of the
            one before. (The paper: 64, 128, 256, 512, 1024.)
    """

    channels_last = True
    """Faster in that memory format; see ``channels_last`` of :class:`lightning_modules.base.Task`."""

    def __init__(self, num_outputs: int, widths: Sequence[int] = (16, 32, 64)) -> None:
        super().__init__()
        if len(widths) < 2:
            raise ValueError(f"UNet: widths {list(widths)}: two sizes at least expected")
        self.down = nn.ModuleList(_convolutions(*pair) for pair in pairwise((3, *widths)))
        coarse_to_fine = list(pairwise(reversed(widths)))
        self.up = nn.ModuleList(nn.ConvTranspose2d(below, width, 2, stride=2) for below, width in coarse_to_fine)
        self.merge = nn.ModuleList(_convolutions(2 * width, width) for _, width in coarse_to_fine)
        self.out = nn.Conv2d(widths[0], num_outputs, 1)

    def forward(self, image: Tensor) -> Tensor:
        x, skipped = image, list[Tensor]()
        for i, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2, ceil_mode=True) if i else x)
            skipped.append(x)
        skipped.pop()
        for up, merge in zip(self.up, self.merge, strict=True):
            below = skipped.pop()
            x = merge(torch.cat([below, up(x)[..., : below.shape[-2], : below.shape[-1]]], dim=1))
        return self.out(x)  # type: ignore[no-any-return]


class ResidualDenoiser(nn.Module):
    """The image less what a network finds in it: the network learns the noise (Zhang et al. 2017, "Beyond a Gaussian
    Denoiser").

    Images (B, 3, H, W) to images of the same shape.

    Args:
        num_channels: of the images, 3.
        network: called with the number of channels, gives a network from images to as many maps of their size.
    """

    def __init__(self, num_channels: int, network: Callable[[int], nn.Module] = UNet) -> None:
        super().__init__()
        self.network = network(num_channels)
        self.channels_last = bool(getattr(self.network, "channels_last", False))

    def forward(self, image: Tensor) -> Tensor:
        return image - self.network(image)  # type: ignore[no-any-return]


class Autoencoder(nn.Module):
    """An image through a code of few numbers, and back (Hinton & Salakhutdinov 2006; convolutional: Masci et al. 2011).

    Images (B, 3, H, W) to images of the same shape. ``encoder`` gives the code, float (B, code); ``decoder`` takes it.

    Args:
        num_channels: of the images, 3.
        image_size: side of the square images, or (H, W); each convolution divides it by two, rounding up.
        widths: channels of the encoder's 3 x 3 convolutions of stride 2; the decoder's are the same in reverse.
        code: the numbers that an image has to pass through.
        normalization: (channels), behind every convolution but the last; ``torch.nn.Identity`` takes it away.

    Raises:
        ValueError: an image is not of ``image_size``.
    """

    channels_last = True
    """Faster in that memory format; see ``channels_last`` of :class:`lightning_modules.base.Task`."""

    def __init__(
        self,
        num_channels: int,
        *,
        image_size: int | tuple[int, int] = 32,
        widths: Sequence[int] = (16, 32, 64),
        code: int = 64,
        normalization: Callable[[int], nn.Module] = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        self.image_size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
        height, width = (-(-side // 2 ** len(widths)) for side in self.image_size)
        places = height * width
        down: list[nn.Module] = []
        for inputs, outputs in pairwise((num_channels, *widths)):
            down += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), normalization(outputs), nn.ReLU()]
        self.encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(widths[-1] * places, code))
        up: list[nn.Module] = [nn.Linear(code, widths[-1] * places), nn.ReLU(), nn.Unflatten(1, (widths[-1], height, width))]
        for inputs, outputs in pairwise(reversed(widths)):
            up += [nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), normalization(outputs), nn.ReLU()]
        self.decoder = nn.Sequential(*up, nn.ConvTranspose2d(widths[0], num_channels, 4, stride=2, padding=1))

    def forward(self, image: Tensor) -> Tensor:
        height, width = self.image_size
        if (image.shape[-2], image.shape[-1]) != (height, width):
            raise ValueError(
                f"Autoencoder: images of {image.shape[-2]} x {image.shape[-1]} (H x W), image_size is {height} x {width}"
            )
        return self.decoder(self.encoder(image))[..., :height, :width]  # type: ignore[no-any-return]
