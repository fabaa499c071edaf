"""Checkpoints of a PyTorch run, driven over stdin by bench/peer.ts.

A line in: {"cmd": "start", backbone, batch, classes, threads}, {"cmd": "save", "file": f} or {"cmd": "load", "file": f}.
A line out: {"seconds": s, ...}. Training stands still for all of them. The file is synchronised, as facex's is.
"""
import os
import time

import torch

from step import serve


def save(peer, request):
    file = request["file"]
    start = time.perf_counter()
    state = {"backbone": peer.net.state_dict(), "head": peer.head.state_dict(), "optimizer": peer.optimizer.state_dict()}
    torch.save(state, file)
    written = time.perf_counter() - start
    with open(file, "rb") as handle:
        os.fsync(handle.fileno())
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "pause": written, "bytes": os.path.getsize(file)}


def load(peer, request):
    start = time.perf_counter()
    state = torch.load(request["file"], weights_only=True)
    peer.net.load_state_dict(state["backbone"])
    peer.head.load_state_dict(state["head"])
    peer.optimizer.load_state_dict(state["optimizer"])
    return {"seconds": time.perf_counter() - start}


serve(save=save, load=load)
