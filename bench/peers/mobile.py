"""GhostNet, EfficientNet-B0, ReXNet and TF-NAS-A in ordinary PyTorch, for 112x112 faces: stems of stride 1, an embedding
of the whole last map. Written the way the published Python toolkits write them: one module a layer, autograd.
"""
import math

import torch
from torch import nn
import torch.nn.functional as F


def embedding(channels, drop, feat_dim=512, size=7):
    return nn.Sequential(
        nn.BatchNorm2d(channels), nn.Dropout(drop), nn.Flatten(),
        nn.Linear(channels * size * size, feat_dim), nn.BatchNorm1d(feat_dim),
    )


def conv_bn(cin, cout, kernel=1, stride=1, groups=1, act=None):
    layers = [nn.Conv2d(cin, cout, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False), nn.BatchNorm2d(cout)]
    return nn.Sequential(*layers, *([act()] if act else []))


class Gate(nn.Module):
    """Squeeze-and-excitation: x times a gate a channel."""

    def __init__(self, channels, squeezed, act=nn.ReLU, gate=nn.Sigmoid, norm=False):
        super().__init__()
        middle = [nn.BatchNorm2d(squeezed)] if norm else []
        self.fc = nn.Sequential(nn.Conv2d(channels, squeezed, 1), *middle, act(), nn.Conv2d(squeezed, channels, 1), gate())

    def forward(self, x):
        return x * self.fc(F.adaptive_avg_pool2d(x, 1))


def multiple(channels, of):
    rounded = max(of, int(channels + of / 2) // of * of)
    return rounded + of if rounded < 0.9 * channels else rounded


class Ghost(nn.Module):
    def __init__(self, cin, cout, relu):
        super().__init__()
        self.cout, half = cout, math.ceil(cout / 2)
        act = nn.ReLU if relu else None
        self.primary = conv_bn(cin, half, act=act)
        self.cheap = conv_bn(half, half, 3, groups=half, act=act)

    def forward(self, x):
        first = self.primary(x)
        return torch.cat([first, self.cheap(first)], 1)[:, : self.cout]


class GhostBottleneck(nn.Module):
    def __init__(self, cin, middle, cout, kernel, stride, squeeze):
        super().__init__()
        layers = [Ghost(cin, middle, True)]
        if stride > 1:
            layers.append(conv_bn(middle, middle, kernel, stride, middle))
        if squeeze:
            layers.append(Gate(middle, multiple(middle * squeeze, 4), gate=nn.Hardsigmoid))
        self.body = nn.Sequential(*layers, Ghost(middle, cout, False))
        same = cin == cout and stride == 1
        self.shortcut = nn.Identity() if same else nn.Sequential(conv_bn(cin, cin, kernel, stride, cin), conv_bn(cin, cout))

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


GHOST = [  # kernel, expansion, channels, squeeze, stride
    (3, 16, 16, 0, 1), (3, 48, 24, 0, 2), (3, 72, 24, 0, 1), (5, 72, 40, 0.25, 2), (5, 120, 40, 0.25, 1),
    (3, 240, 80, 0, 2), (3, 200, 80, 0, 1), (3, 184, 80, 0, 1), (3, 184, 80, 0, 1), (3, 480, 112, 0.25, 1),
    (3, 672, 112, 0.25, 1), (5, 672, 160, 0.25, 2), (5, 960, 160, 0, 1), (5, 960, 160, 0.25, 1),
    (5, 960, 160, 0, 1), (5, 960, 160, 0.25, 1),
]


def ghost_net():
    blocks, cin = [], 16
    for kernel, middle, cout, squeeze, stride in GHOST:
        blocks.append(GhostBottleneck(cin, middle, cout, kernel, stride, squeeze))
        cin = cout
    return nn.Sequential(conv_bn(3, 16, 3, act=nn.ReLU), *blocks, conv_bn(cin, 960, act=nn.ReLU), embedding(960, 0.2))


class SamePad(nn.Module):
    """Padding of a strided layer as for maps of half the size: where it is odd, the larger part comes last."""

    def __init__(self, kernel, stride, size):
        super().__init__()
        total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
        self.pad = [total // 2, total - total // 2] * 2

    def forward(self, x):
        return F.pad(x, self.pad)


class DropPath(nn.Module):
    def __init__(self, drop):
        super().__init__()
        self.drop = drop

    def forward(self, x):
        if not self.training:
            return x
        keep = 1 - self.drop
        return x / keep * torch.floor(keep + torch.rand(x.shape[0], 1, 1, 1, dtype=x.dtype, device=x.device))


class MBConv(nn.Module):
    def __init__(self, cin, cout, kernel, stride, expand, drop, size):
        super().__init__()
        wide = cin * expand
        norm = lambda channels: nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)
        layers = [nn.Conv2d(cin, wide, 1, bias=False), norm(wide), nn.SiLU()] if expand > 1 else []
        self.body = nn.Sequential(
            *layers,
            SamePad(kernel, stride, size), nn.Conv2d(wide, wide, kernel, stride, groups=wide, bias=False), norm(wide), nn.SiLU(),
            Gate(wide, max(1, cin // 4), act=nn.SiLU),
            nn.Conv2d(wide, cout, 1, bias=False), norm(cout),
        )
        self.drop = None if drop is None else DropPath(drop)

    def forward(self, x):
        y = self.body(x)
        return y if self.drop is None else self.drop(y) + x


EFFICIENT = [  # blocks, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
]


def efficient_net():
    stem = [nn.Conv2d(3, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32, eps=1e-3, momentum=0.01), nn.SiLU()]
    blocks, cin, size = [], 32, 56
    for count, kernel, first, expand, cout in EFFICIENT:
        for i in range(count):
            stride = first if i == 0 else 1
            drop = None if i == 0 else 0.2 * len(blocks) / 16
            blocks.append(MBConv(cin, cout, kernel, stride, expand, drop, size))
            cin, size = cout, math.ceil(size / stride)
    head = [nn.Conv2d(cin, 1280, 1, bias=False), nn.BatchNorm2d(1280, eps=1e-3, momentum=0.01), nn.SiLU()]
    return nn.Sequential(*stem, *blocks, *head, embedding(1280, 0.2))


class LinearBottleneck(nn.Module):
    def __init__(self, cin, cout, expand, stride):
        super().__init__()
        wide = cin * expand
        self.cin = cin if stride == 1 and cin <= cout else 0
        layers = [] if expand == 1 else [conv_bn(cin, wide, act=nn.SiLU)]
        self.body = nn.Sequential(*layers, conv_bn(wide, wide, 3, stride, wide, act=nn.ReLU6), conv_bn(wide, cout))

    def forward(self, x):
        y = self.body(x)
        if self.cin:
            y[:, : self.cin] += x
        return y


def rex_net():
    strides = [1] + [2, 1] + [2, 1] + [2, 1, 1] + [1, 1, 1] + [2, 1, 1, 1, 1]
    blocks, cin = [], 32
    for i, stride in enumerate(strides):
        cout = round(16 + i * 180 / len(strides))
        blocks.append(LinearBottleneck(cin, cout, 1 if i == 0 else 6, stride))
        cin = cout
    return nn.Sequential(conv_bn(3, 32, 3, act=nn.SiLU), *blocks, conv_bn(cin, 512, act=nn.SiLU), embedding(512, 0.2))


class Searched(nn.Module):
    def __init__(self, cin, wide, squeezed, cout, kernel, stride, act):
        super().__init__()
        self.same = cin == cout and stride == 1
        self.body = nn.Sequential(
            *([conv_bn(cin, wide, act=act)] if wide > cin else []),
            conv_bn(wide, wide, kernel, stride, wide, act),
            *([Gate(wide, squeezed, act)] if squeezed else []),
            conv_bn(wide, cout),
        )

    def forward(self, x):
        return self.body(x) + x if self.same else self.body(x)


TF_NAS_A = [  # channels in, expanded, squeezed, out; kernel, stride
    (32, 32, 8, 16, 3, 1), (16, 83, 32, 24, 3, 2), (24, 128, 0, 24, 5, 1), (24, 138, 48, 40, 3, 2), (40, 297, 0, 40, 3, 1),
    (40, 170, 80, 40, 5, 1), (40, 248, 80, 80, 5, 2), (80, 500, 0, 80, 3, 1), (80, 424, 0, 80, 3, 1), (80, 477, 0, 80, 3, 1),
    (80, 504, 160, 112, 3, 1), (112, 796, 0, 112, 3, 1), (112, 723, 224, 112, 3, 1), (112, 555, 224, 112, 3, 1),
    (112, 813, 0, 192, 3, 2), (192, 1370, 0, 192, 3, 1), (192, 1138, 384, 192, 3, 1), (192, 1359, 384, 192, 3, 1),
    (192, 1203, 384, 320, 5, 1),
]


def tf_nas_a():
    blocks = [Searched(*row, nn.ReLU if i < 3 else nn.SiLU) for i, row in enumerate(TF_NAS_A)]
    output = [nn.Dropout(0.2), nn.Flatten(), nn.Linear(1280 * 49, 512), nn.BatchNorm1d(512)]
    return nn.Sequential(conv_bn(3, 32, 3, act=nn.ReLU), *blocks, conv_bn(320, 1280), *output)


MOBILE = {"GhostNet": ghost_net, "EfficientNet": efficient_net, "ReXNet": rex_net, "TF-NAS": tf_nas_a}
