"""Margin heads in ordinary PyTorch, driven over stdin by bench/peer.ts: forward, backward and SGD on embeddings.

With a sample_rate below 1 it is Partial FC: a random sample of the classes with those of the batch in it, gathered with
its momentum, trained as a weight of its own and put back.

A line in: {"cmd": "start", head, batch, dims, classes, threads, sample_rate} or {"cmd": "run", "steps": n} or {"cmd": "floor",
"steps": n}, the three multiplications with the class centres and a fused weight update alone. A line out: {"seconds": s,
"peak_bytes": p, "base_bytes": b}: largest resident size so far, and what it was before the first step.
"""
import json
import math
import resource
import sys
import time

import torch
import torch.nn.functional as F


def cosines(x, weight):
    return torch.mm(F.normalize(x), F.normalize(weight, dim=0)).clamp(-1, 1)


def am_softmax(x, weight, labels):
    cos = cosines(x, weight)
    index = torch.zeros_like(cos).scatter_(1, labels[:, None], 1).bool()
    return torch.where(index, cos - 0.35, cos) * 32, 0


def arc_face(x, weight, labels):
    cos = cosines(x, weight)
    sin = torch.sqrt(1 - cos.pow(2))
    margined = cos * math.cos(0.35) - sin * math.sin(0.35)
    margined = torch.where(cos > math.cos(math.pi - 0.35), margined, cos)
    index = torch.zeros_like(cos).scatter_(1, labels[:, None], 1).bool()
    return torch.where(index, margined, cos) * 32, 0


def mv_softmax(x, weight, labels):
    cos = cosines(x, weight)
    own = cos.gather(1, labels[:, None])
    hard = cos > own - 0.35
    final = torch.where(own > 0.35, own - 0.35, own)
    mined = torch.where(hard, 1.12 * cos + 0.12, cos)
    return mined.scatter(1, labels[:, None], final) * 32, 0


def mag_face(x, weight, labels):
    norm = x.norm(dim=1, keepdim=True).clamp(10, 110)
    margin = (0.8 - 0.45) / (110 - 10) * (norm - 10) + 0.45
    cos = cosines(x, weight)
    sin = torch.sqrt(1 - cos.pow(2))
    margined = cos * margin.cos() - sin * margin.sin()
    margined = torch.where(cos > torch.cos(math.pi - margin), margined, cos)
    index = torch.zeros_like(cos).scatter_(1, labels[:, None], 1).bool()
    return torch.where(index, margined, cos) * 64, 20 * (norm / 110**2 + 1 / norm).mean()


HEADS = {"AM-Softmax": am_softmax, "ArcFace": arc_face, "MV-Softmax": mv_softmax, "MagFace": mag_face}


def sgd(weight, momentum, fused=None):
    optimizer = torch.optim.SGD([weight], lr=0.01, momentum=0.9, weight_decay=1e-4, fused=fused)
    if momentum is not None:
        optimizer.state[weight]["momentum_buffer"] = momentum
    return optimizer


class Peer:
    def __init__(self, options):
        torch.set_num_threads(options["threads"])
        torch.manual_seed(0)
        batch, dims, classes = options["batch"], options["dims"], options["classes"]
        self.head = HEADS[options["head"]]
        self.x = torch.randn(batch, dims, requires_grad=True)
        self.labels = torch.arange(batch) * 31 % classes
        self.prepare(classes, dims, options["sample_rate"])

    def prepare(self, classes, dims, _):
        self.weight = torch.empty(dims, classes).uniform_(-1, 1).renorm_(2, 1, 1e-5).mul_(1e5).requires_grad_()
        self.base = resident()
        self.optimizer = sgd(self.weight, None)

    def step(self):
        self.train(self.weight, self.labels, self.optimizer)

    def floor(self):
        momentum = self.optimizer.state[self.weight]["momentum_buffer"]
        self.multiply(self.weight, sgd(self.weight, momentum, fused=True))

    def train(self, weight, labels, optimizer):
        logits, extra = self.head(self.x, weight, labels)
        loss = F.cross_entropy(logits, labels) + extra
        optimizer.zero_grad()
        self.x.grad = None
        loss.backward()
        optimizer.step()

    def multiply(self, weight, optimizer):
        with torch.no_grad():
            logits = self.x @ weight
            self.x.grad = logits @ weight.t()
            weight.grad = self.x.t() @ logits
            optimizer.step()


class PartialPeer(Peer):
    def prepare(self, classes, dims, rate):
        self.weight = torch.empty(classes, dims).normal_(0, 0.01)
        self.base = resident()
        self.momentum = torch.zeros_like(self.weight)
        self.wanted = max(math.ceil(rate * classes), len(self.labels.unique()))

    def sample(self):
        score = torch.rand(len(self.weight))
        score[self.labels] = 2
        return score.topk(self.wanted)[1].sort()[0]

    def on_sample(self, work, fused=None):
        index = self.sample()
        weight, momentum = self.weight[index].t().requires_grad_(), self.momentum[index].t()
        work(weight, torch.searchsorted(index, self.labels), sgd(weight, momentum, fused))
        self.weight[index] = weight.detach().t()
        self.momentum[index] = momentum.t()

    def step(self):
        self.on_sample(self.train)

    def floor(self):
        self.on_sample(lambda weight, labels, optimizer: self.multiply(weight, optimizer), fused=True)


def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def main():
    peer = None
    for line in sys.stdin:
        request = json.loads(line)
        start = time.perf_counter()
        if request["cmd"] == "start":
            peer = (Peer if request["sample_rate"] == 1 else PartialPeer)(request)
        else:
            for _ in range(request["steps"]):
                (peer.step if request["cmd"] == "run" else peer.floor)()
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"seconds": seconds, "peak_bytes": peak, "base_bytes": peer.base}), flush=True)


main()
