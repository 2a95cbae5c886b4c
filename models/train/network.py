"""The student: a plain residual network from pixels 0..255 to a 7 x 7 heat map."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

GRID = 7


@dataclass(frozen=True)
class Shape:
    """Widths and depths of the network."""

    stem: tuple[int, int] = (16, 32)  # channels after the first two halvings
    middle: int = 64  # channels at 14 x 14; 0 leaves this stage out
    middle_blocks: int = 1
    wide: int = 96  # channels at 7 x 7
    wide_blocks: int = 3
    features: int = 64  # channels of the teacher's features, for training only

    @property
    def side(self) -> int:
        """Height and width of the input."""
        return 112 if self.middle else 56


def convolution(inputs: int, outputs: int, stride: int = 1, size: int = 3) -> nn.Sequential:
    """Give a convolution of size x size with batch norm."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 3, bias=False), nn.BatchNorm2d(outputs)
    )


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = convolution(channels, channels)
        # Starts as the identity: faster early steps.
        last = self.second[1]
        assert isinstance(last, nn.BatchNorm2d)
        nn.init.zeros_(last.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Add the output of the convolutions to the input."""
        return torch.relu(x + self.second(torch.relu(self.first(x))))


class Context(nn.Module):
    """Adds information about the whole picture to every cell, to show which cells stand out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Add a linear map of the mean over all cells."""
        return torch.relu(x + self.linear(x.mean(dim=(2, 3), keepdim=True)))


SHAPES = {"large": Shape(), "small": Shape(middle=0, middle_blocks=0)}
"""The small one is for pictures of at most 64 pixels: a quarter of the input."""


class Student(nn.Module):
    """Gives logits of the heat map (N, 7, 7) and, for training, imitated features."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.side = shape.side
        first, second = shape.stem
        # Pixels are scaled inside, without a shift: zero padding then means black, and the
        # factor folds into the first convolution exactly when the network is exported. The first
        # windows do not overlap: gathering three bytes for each place of a 3x3 window would take
        # more time than all sums of this layer.
        self.stem = nn.Sequential(
            convolution(3, first, 2, size=2), nn.ReLU(), convolution(first, second, 2), nn.ReLU()
        )
        self.middle = nn.Sequential()
        if shape.middle:
            self.middle.append(convolution(second, shape.middle, 2)).append(nn.ReLU())
            self.middle.extend(Block(shape.middle) for _ in range(shape.middle_blocks))
        blocks = [Block(shape.wide) for _ in range(shape.wide_blocks)]
        self.wide = nn.Sequential(
            convolution(shape.middle or second, shape.wide, 2),
            nn.ReLU(),
            *blocks[:-1],
            Context(shape.wide),
            blocks[-1],
        )
        self.heat = nn.Conv2d(shape.wide, 1, 1)
        self.imitate = nn.Conv2d(shape.wide, shape.features, 1)

    def trunk(self, pixels: Tensor) -> Tensor:
        """Give the last map before the two heads; `pixels` are (N, side, side, 3), 0..255."""
        x = pixels.permute(0, 3, 1, 2) * (1 / 255)
        return torch.as_tensor(self.wide(self.middle(self.stem(x))))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Give (logits (N, 7, 7), features (N, channels, 7, 7))."""
        x = self.trunk(pixels)
        return self.heat(x)[:, 0], self.imitate(x)
