"""Training step and extraction of a PyTorch network, driven over stdin by bench/peer.ts.

A line in: {"cmd": "start", backbone, batch, classes, layout, precision, compile, threads} or {"cmd": "run", "steps": n}
or {"cmd": "extract", "batches": n}. A line out: {"seconds": s, ...}. Ends at end of input.
"""
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F

from networks import BACKBONES, ArcFace


class Peer:
    def __init__(self, options):
        torch.set_num_threads(options["threads"])
        torch.backends.nnpack.set_flags(False)  # on processors that it does not know it warns at every convolution
        torch.manual_seed(0)
        self.precision = options.get("precision", "fp32")
        self.device = options.get("device", "cpu")
        self.channels_last = options.get("layout") == "channels_last"
        self.net = BACKBONES[options["backbone"]]().to(self.device).train()
        self.head = ArcFace(512, options["classes"]).to(self.device)
        size = getattr(self.net, "image_size", 112)
        images = torch.randn(options["batch"], 3, size, size, device=self.device)
        if self.channels_last:
            self.net = self.net.to(memory_format=torch.channels_last)
            images = images.to(memory_format=torch.channels_last)
        self.images = images
        self.labels = torch.arange(options["batch"], device=self.device) % options["classes"]
        parameters = list(self.net.parameters()) + list(self.head.parameters())
        self.optimizer = torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=1e-4)
        self.forward = torch.compile(self.net) if options.get("compile") else self.net

    def autocast(self):
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.precision == "bf16")

    def step(self):
        with self.autocast():
            features = self.forward(self.images)
        loss = F.cross_entropy(self.head(features.float(), self.labels), self.labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def extract(self):
        with torch.no_grad(), self.autocast():
            return self.forward(self.images).sum().item()


def timed(call, times):
    start = time.perf_counter()
    for _ in range(times):
        call()
    return time.perf_counter() - start


def run(peer, request):
    peer.net.train()
    return {"seconds": timed(peer.step, request["steps"])}


def extract(peer, request):
    peer.net.eval()
    return {"seconds": timed(peer.extract, request["batches"])}


def serve(**commands):
    """Answers the requests on stdin: "start" makes the peer, every other one is a function of the peer and the request."""
    peer = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["cmd"] == "start":
            peer = Peer(request)
            answer = {"seconds": timed(peer.step, 1)}
        else:
            answer = commands[request["cmd"]](peer, request)
        on_gpu = peer is not None and peer.device == "cuda"
        answer["peak_bytes"] = torch.cuda.max_memory_allocated() if on_gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve(run=run, extract=extract)
