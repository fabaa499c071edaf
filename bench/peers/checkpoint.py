"""Checkpoints of a PyTorch run, driven over stdin by bench/peer.ts.

A line in: {"cmd": "start", backbone, batch, classes, threads}, {"cmd": "save", "file": f} or {"cmd": "load", "file": f}.
A line out: {"seconds": s, ...}. Training stands still for all of them. The file is synchronised, as facex's is.
"""
import json
import os
import resource
import sys
import time

import torch

from step import Peer


def save(peer, file):
    start = time.perf_counter()
    state = {"backbone": peer.net.state_dict(), "head": peer.head.state_dict(), "optimizer": peer.optimizer.state_dict()}
    torch.save(state, file)
    written = time.perf_counter() - start
    with open(file, "rb") as handle:
        os.fsync(handle.fileno())
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "pause": written, "bytes": os.path.getsize(file)}


def load(peer, file):
    start = time.perf_counter()
    state = torch.load(file, weights_only=True)
    peer.net.load_state_dict(state["backbone"])
    peer.head.load_state_dict(state["head"])
    peer.optimizer.load_state_dict(state["optimizer"])
    return {"seconds": time.perf_counter() - start}


def main():
    peer = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["cmd"] == "start":
            peer = Peer(request)
            start = time.perf_counter()
            peer.step()
            answer = {"seconds": time.perf_counter() - start}
        else:
            answer = (save if request["cmd"] == "save" else load)(peer, request["file"])
        answer["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(answer), flush=True)


main()
