"""MobileFaceNet, ResNet-ir and -irse, and the ArcFace head in ordinary PyTorch: what facex is measured against.

Written the way the published Python toolkits write them: contiguous tensors, one module a layer, autograd.
"""
import math

import torch
from torch import nn
import torch.nn.functional as F

from mobile import MOBILE
from swin import SWIN


class ConvBlock(nn.Sequential):
    def __init__(self, cin, cout, kernel, stride=1, padding=0, groups=1, act=True):
        layers = [nn.Conv2d(cin, cout, kernel, stride, padding, groups=groups, bias=False), nn.BatchNorm2d(cout)]
        super().__init__(*layers, *([nn.PReLU(cout)] if act else []))


class DepthWise(nn.Module):
    def __init__(self, cin, cout, stride, groups, residual=False):
        super().__init__()
        self.residual = residual
        self.body = nn.Sequential(
            ConvBlock(cin, groups, 1),
            ConvBlock(groups, groups, 3, stride, 1, groups=groups),
            ConvBlock(groups, cout, 1, act=False),
        )

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


class MobileFaceNet(nn.Sequential):
    def __init__(self, feat_dim=512, out_h=7, out_w=7):
        def stage(channels, groups, count):
            return [DepthWise(channels, channels, 1, groups, residual=True) for _ in range(count)]

        super().__init__(
            ConvBlock(3, 64, 3, 2, 1), ConvBlock(64, 64, 3, 1, 1, groups=64),
            DepthWise(64, 64, 2, 128), *stage(64, 128, 4),
            DepthWise(64, 128, 2, 256), *stage(128, 256, 6),
            DepthWise(128, 128, 2, 512), *stage(128, 256, 2),
            ConvBlock(128, 512, 1), ConvBlock(512, 512, (out_h, out_w), groups=512, act=False),
            nn.Flatten(), nn.Linear(512, feat_dim, bias=False), nn.BatchNorm1d(feat_dim),
        )


class Squeeze(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels // 16, 1, bias=False), nn.ReLU(inplace=True),
            nn.Conv2d(channels // 16, channels, 1, bias=False), nn.Sigmoid(),
        )

    def forward(self, x):
        return x * self.fc(x)


class BottleneckIR(nn.Module):
    def __init__(self, cin, cout, stride, squeeze):
        super().__init__()
        if cin == cout:
            self.shortcut = nn.MaxPool2d(1, stride)
        else:
            self.shortcut = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))
        self.body = nn.Sequential(
            nn.BatchNorm2d(cin), nn.Conv2d(cin, cout, 3, 1, 1, bias=False), nn.PReLU(cout),
            nn.Conv2d(cout, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout), *([Squeeze(cout)] if squeeze else []),
        )

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


class ResNetIR(nn.Sequential):
    def __init__(self, counts=(3, 4, 14, 3), squeeze=False, feat_dim=512, out_h=7, out_w=7):
        blocks, cin = [], 64
        for cout, count in zip((64, 128, 256, 512), counts):
            blocks += [BottleneckIR(cin if i == 0 else cout, cout, 2 if i == 0 else 1, squeeze) for i in range(count)]
            cin = cout
        super().__init__(
            nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64), *blocks,
            nn.BatchNorm2d(512), nn.Dropout(0.4), nn.Flatten(),
            nn.Linear(512 * out_h * out_w, feat_dim), nn.BatchNorm1d(feat_dim),
        )


class ArcFace(nn.Module):
    """Additive angular margin (arXiv:1801.07698) over all batch-by-classes entries, as usually written."""

    def __init__(self, feat_dim, num_class, margin=0.35, scale=32.0):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(feat_dim, num_class).uniform_(-1, 1))
        self.scale = scale
        self.cos_m, self.sin_m, self.border = math.cos(margin), math.sin(margin), math.cos(math.pi - margin)

    def forward(self, features, labels):
        cos = F.normalize(features).mm(F.normalize(self.weight, dim=0)).clamp(-1, 1)
        cos_margin = cos * self.cos_m - torch.sqrt(1.0 - cos.pow(2)) * self.sin_m
        cos_margin = torch.where(cos > self.border, cos_margin, cos)
        one_hot = torch.zeros_like(cos).scatter_(1, labels.view(-1, 1), 1.0).bool()
        return torch.where(one_hot, cos_margin, cos) * self.scale


def resnet152_irse():
    return ResNetIR((3, 8, 36, 3), squeeze=True)


BACKBONES = {"MobileFaceNet": MobileFaceNet, "ResNet50-ir": ResNetIR, "ResNet152-irse": resnet152_irse, **MOBILE, **SWIN}
