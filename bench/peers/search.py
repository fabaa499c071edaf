"""The k best of a gallery for every probe, in blocks: matrix product and topk in PyTorch, or in NumPy with argpartition.

A line in: {"cmd": "make", folder, gallery, probes, dims}, which writes random embeddings; {"cmd": "start", folder, k,
threads, library}; or {"cmd": "search"}. A line out: {"seconds": s, ...}.
"""
import json
import os
import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

BLOCK = 16384  # gallery rows of one product
NOISE = 3.0  # of a probe, beside its mate in the gallery: a cosine of about 0.3, which is a hard one


def make(folder, gallery, probes, dims):
    """A random gallery written in pieces, and probes that each have one mate in it."""
    random = np.random.default_rng(0)
    mates = np.linspace(0, gallery - 1, probes).astype(int)
    kept = np.empty((probes, dims), np.float32)
    with open(os.path.join(folder, "gallery.npy"), "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (gallery, dims)})
        for first in range(0, gallery, BLOCK):
            piece = random.standard_normal((min(BLOCK, gallery - first), dims), np.float32)
            chosen = (mates >= first) & (mates < first + len(piece))
            kept[chosen] = piece[mates[chosen] - first]
            piece.tofile(file)
    np.save(os.path.join(folder, "probes.npy"), kept + NOISE * random.standard_normal((probes, dims), np.float32))


def pieces(file):
    """Blocks of rows with the number of the first; read, not mapped, so that memory is what the search needs."""
    with open(file, "rb") as stream:
        np.lib.format.read_magic(stream)
        (rows, dims), _, _ = np.lib.format.read_array_header_1_0(stream)
        for first in range(0, rows, BLOCK):
            count = min(BLOCK, rows - first)
            yield first, np.fromfile(stream, np.float32, count * dims).reshape(count, dims)


class TorchSearch:
    def __init__(self, folder, k):
        self.gallery, self.k = os.path.join(folder, "gallery.npy"), k
        self.probes = F.normalize(torch.from_numpy(np.load(os.path.join(folder, "probes.npy"))))

    def search(self):
        scores = rows = None
        with torch.no_grad():
            for first, piece in pieces(self.gallery):
                found, at = (self.probes @ F.normalize(torch.from_numpy(piece)).T).topk(min(self.k, len(piece)), dim=1)
                scores = found if scores is None else torch.cat([scores, found], 1)
                rows = at + first if rows is None else torch.cat([rows, at + first], 1)
                scores, order = scores.topk(min(self.k, scores.shape[1]), dim=1)
                rows = rows.gather(1, order)
        return scores.numpy(), rows.numpy()


class NumpySearch:
    def __init__(self, folder, k):
        self.gallery, self.k = os.path.join(folder, "gallery.npy"), k
        probes = np.load(os.path.join(folder, "probes.npy"))
        self.probes = probes / np.linalg.norm(probes, axis=1, keepdims=True)

    def search(self):
        scores = np.empty((len(self.probes), 0), np.float32)
        rows = np.empty((len(self.probes), 0), np.int64)
        for first, piece in pieces(self.gallery):
            cosines = self.probes @ (piece / np.linalg.norm(piece, axis=1, keepdims=True)).T
            at = np.argpartition(cosines, -min(self.k, len(piece)), axis=1)[:, -self.k :]
            scores = np.concatenate([scores, np.take_along_axis(cosines, at, 1)], 1)
            rows = np.concatenate([rows, at + first], 1)
            order = np.argsort(-scores, axis=1)[:, : self.k]
            scores, rows = np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)
        return scores, rows


LIBRARIES = {"torch": TorchSearch, "numpy": NumpySearch}


def main():
    searcher = None
    for line in sys.stdin:
        request = json.loads(line)
        start = time.perf_counter()
        answer = {}
        if request["cmd"] == "make":
            make(request["folder"], request["gallery"], request["probes"], request["dims"])
        elif request["cmd"] == "start":
            torch.set_num_threads(request["threads"])
            searcher = LIBRARIES[request["library"]](request["folder"], request["k"])
        else:
            scores, rows = searcher.search()
            answer = {"scores": scores.ravel().tolist(), "rows": rows.ravel().tolist()}
        answer["seconds"] = time.perf_counter() - start
        answer["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
