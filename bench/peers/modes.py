"""Steps of training modes in PyTorch, written in the ordinary way, driven over stdin by bench/peer.ts.

A line in: {"cmd": "start", mode, batch, classes, threads} or {"cmd": "run", "steps": n}. A line out: {"seconds": s,
"peak_bytes": p}. Ends at end of input.
"""
import copy
import json
import random
import resource
import sys
import time

import torch
import torch.nn.functional as F

from networks import BACKBONES, ArcFace


def sgd(*modules):
    parameters = [p for module in modules for p in module.parameters()]
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=1e-4)


class Conventional:
    views = 1

    def __init__(self, options):
        self.net = BACKBONES["MobileFaceNet"]().train()
        self.head = ArcFace(512, options["classes"])
        self.optimizer = sgd(self.net, self.head)

    def loss(self, images, labels):
        return F.cross_entropy(self.head(self.net(images[0]), labels), labels)

    def after(self):
        pass


class Distillation(Conventional):
    def __init__(self, options):
        super().__init__(options)
        self.teacher = BACKBONES["MobileFaceNet"]().eval()

    def loss(self, images, labels):
        with torch.no_grad():
            wanted = self.teacher(images[0])
        features = self.net(images[0])
        imitation = (1 - F.cosine_similarity(features, wanted)).mean()
        return F.cross_entropy(self.head(features, labels), labels) + imitation


class SemiSiamese:
    """Probe and gallery with a queue of prototypes (arXiv:2007.08398)."""

    views = 2
    SCALE, MARGIN, ALPHA, QUEUE = 32.0, 0.35, 0.999, 16384

    def __init__(self, options):
        self.net = BACKBONES["MobileFaceNet"]().train()
        self.gallery = copy.deepcopy(self.net)
        for parameter in self.gallery.parameters():
            parameter.requires_grad_(False)
        self.queue = F.normalize(torch.randn(512, self.QUEUE), dim=0)
        self.index = 0
        self.optimizer = sgd(self.net)

    def logits(self, probe, slots):
        cos = F.normalize(probe) @ self.queue
        hot = F.one_hot(slots, self.QUEUE)
        return self.SCALE * (cos - self.MARGIN * hot)

    def loss(self, images, labels):
        first, second = self.net(images[0]), self.net(images[1])
        with torch.no_grad():
            g2, g1 = F.normalize(self.gallery(images[1])), F.normalize(self.gallery(images[0]))
        slots = (self.index + torch.arange(len(labels))) % self.QUEUE
        self.queue = self.queue.clone()
        self.queue[:, slots] = g2.t()
        one = self.logits(first, slots)
        self.queue = self.queue.clone()
        self.queue[:, slots] = g1.t()
        two = self.logits(second, slots)
        self.queue = self.queue.clone()
        self.queue[:, slots] = random.choice([g1, g2]).t()
        self.index = (self.index + len(labels)) % self.QUEUE
        return (F.cross_entropy(one, slots) + F.cross_entropy(two, slots)) / 2

    def after(self):
        with torch.no_grad():
            for target, source in zip(self.gallery.parameters(), self.net.parameters()):
                target.mul_(self.ALPHA).add_(source, alpha=1 - self.ALPHA)


class Metric:
    views = 1

    def __init__(self, options):
        self.net = BACKBONES["MobileFaceNet"]().train()
        self.optimizer = sgd(self.net)

    def after(self):
        pass

    def squared(self, images):
        unit = F.normalize(self.net(images[0]))
        return (2 - 2 * unit @ unit.t()).clamp(min=0)


class Siamese(Metric):
    """Contrastive loss: all pairs of one identity, and as many of the nearest others."""

    def loss(self, images, labels):
        squared = self.squared(images)
        upper = torch.ones_like(squared).triu(1).bool()
        same = labels[:, None] == labels[None]
        genuine, others = squared[upper & same], squared[upper & ~same]
        nearest = others.topk(min(len(genuine), len(others)), largest=False).values
        pushed = F.relu(1.0 - (nearest + 1e-9).sqrt()).pow(2)
        return torch.cat([genuine, pushed]).mean()


class Triplet(Metric):
    """Semi-hard negatives, chosen pair by pair as usually written."""

    def loss(self, images, labels):
        squared, margin = self.squared(images), 0.3
        distances = squared.detach()
        chosen = []
        for anchor in range(len(labels)):
            for positive in range(anchor + 1, len(labels)):
                if labels[anchor] != labels[positive]:
                    continue
                values = distances[anchor, positive] - distances[anchor] + margin
                semi_hard = ((labels != labels[anchor]) & (values > 0) & (values < margin)).nonzero().flatten()
                if len(semi_hard) > 0:
                    chosen.append((anchor, positive, random.choice(semi_hard.tolist())))
        if not chosen:
            return squared.sum() * 0
        anchors, positives, negatives = (list(column) for column in zip(*chosen))
        return F.relu(squared[anchors, positives] - squared[anchors, negatives] + margin).mean()


MODES = {"conventional": Conventional, "semi-siamese": SemiSiamese, "siamese": Siamese, "triplet": Triplet, "distillation": Distillation}


class Peer:
    def __init__(self, options):
        torch.set_num_threads(options["threads"])
        torch.manual_seed(0)
        self.mode = MODES[options["mode"]](options)
        self.images = [torch.randn(options["batch"], 3, 112, 112) for _ in range(self.mode.views)]
        self.labels = torch.arange(options["batch"]) // 4 % options["classes"]

    def step(self):
        loss = self.mode.loss(self.images, self.labels)
        self.mode.optimizer.zero_grad()
        loss.backward()
        self.mode.optimizer.step()
        self.mode.after()
        return loss.item()


def main():
    peer = None
    for line in sys.stdin:
        request = json.loads(line)
        steps = request.get("steps", 1)
        if request["cmd"] == "start":
            peer = Peer(request)
        start = time.perf_counter()
        for _ in range(steps):
            peer.step()
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)


main()
