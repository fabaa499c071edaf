"""Swin-T (arXiv:2103.14030) in ordinary PyTorch, for 224x224 faces: attention written out, an embedding of the whole last
map, as the published face toolkits have it.
"""
import torch
from torch import nn

WINDOW = 7


def windows(x):
    """[N, H, W, C] to [N * windows, 49, C]."""
    n, h, w, c = x.shape
    return x.view(n, h // WINDOW, WINDOW, w // WINDOW, WINDOW, c).transpose(2, 3).reshape(-1, WINDOW * WINDOW, c)


def whole(x, side):
    """Back to [N, side, side, C]."""
    per_side = side // WINDOW
    return x.view(-1, per_side, per_side, WINDOW, WINDOW, x.shape[-1]).transpose(2, 3).reshape(-1, side, side, x.shape[-1])


def shift_mask(side, shift):
    """-100 between places of a shifted window that were not neighbours: [windows, 49, 49]."""
    region = torch.zeros(side)
    region[side - WINDOW:] = 1
    region[side - shift:] = 2
    places = windows((3 * region[:, None] + region[None, :]).view(1, side, side, 1)).squeeze(-1)
    return (places[:, :, None] != places[:, None, :]).float() * -100


class DropPath(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        return x * torch.empty(x.shape[0], *[1] * (x.dim() - 1), device=x.device, dtype=x.dtype).bernoulli_(1 - self.p) / (1 - self.p)


class Attention(nn.Module):
    def __init__(self, dim, heads, mask):
        super().__init__()
        self.heads, self.scale = heads, (dim // heads) ** -0.5
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.bias_table = nn.Parameter(torch.zeros((2 * WINDOW - 1) ** 2, heads))
        places = torch.stack(torch.meshgrid(torch.arange(WINDOW), torch.arange(WINDOW), indexing="ij")).flatten(1)
        offsets = places[:, :, None] - places[:, None, :] + WINDOW - 1
        self.register_buffer("index", offsets[0] * (2 * WINDOW - 1) + offsets[1])
        self.register_buffer("mask", mask)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        scores = (q * self.scale) @ k.transpose(-2, -1) + self.bias_table[self.index].permute(2, 0, 1)
        if self.mask is not None:
            scores = (scores.view(-1, len(self.mask), self.heads, t, t) + self.mask[:, None]).view(b, self.heads, t, t)
        return self.proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, c))


class Block(nn.Module):
    def __init__(self, dim, heads, side, shifted, drop):
        super().__init__()
        self.side, self.shift = side, WINDOW // 2 if shifted and side > WINDOW else 0
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attn = Attention(dim, heads, shift_mask(side, self.shift) if self.shift else None)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.drop = DropPath(drop)

    def forward(self, x):
        grid = self.norm1(x).roll((-self.shift, -self.shift), (1, 2)) if self.shift else self.norm1(x)
        grid = whole(self.attn(windows(grid)), self.side)
        x = x + self.drop(grid.roll((self.shift, self.shift), (1, 2)) if self.shift else grid)
        return x + self.drop(self.mlp(self.norm2(x)))


class Merge(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm, self.reduction = nn.LayerNorm(4 * dim), nn.Linear(4 * dim, 2 * dim, bias=False)

    def forward(self, x):
        quarters = [x[:, i::2, j::2] for j in (0, 1) for i in (0, 1)]
        return self.reduction(self.norm(torch.cat(quarters, -1)))


class SwinT(nn.Module):
    image_size = 224

    def __init__(self, feat_dim=512, depths=(2, 2, 6, 2), heads=(3, 6, 12, 24), dim=96, drop_path=0.2):
        super().__init__()
        self.embed, self.embed_norm = nn.Conv2d(3, dim, 4, 4), nn.LayerNorm(dim)
        rates, layers, side = torch.linspace(0, drop_path, sum(depths)).tolist(), [], 56
        for stage, depth in enumerate(depths):
            layers += [Block(dim, heads[stage], side, i % 2 == 1, rates.pop(0)) for i in range(depth)]
            if stage < len(depths) - 1:
                layers.append(Merge(dim))
                dim, side = 2 * dim, side // 2
        self.layers = nn.Sequential(*layers)
        self.out = nn.Sequential(nn.LayerNorm(dim), nn.Flatten(), nn.Linear(side * side * dim, feat_dim), nn.BatchNorm1d(feat_dim))

    def forward(self, x):
        return self.out(self.layers(self.embed_norm(self.embed(x).permute(0, 2, 3, 1))))


SWIN = {"Swin-T": SwinT}
