"""LFW's protocol in PyTorch as FaceX-Zoo runs it: cv2 in a DataLoader, the network in eager mode, accuracy in NumPy.

A line in: {"cmd": "start", backbone, weights, color, batch, threads, set} or {"cmd": "verify"}. A line out: {"seconds": s,
...}. `set` names a JSON file {files, first, second, genuine, folds}: images, and the pairs as indices into them.
"""
import json
import resource
import sys
import time

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

from networks import BACKBONES

STEPS = 1000


class Images(Dataset):
    def __init__(self, files, color):
        self.files, self.color = files, color

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        image = cv2.imread(self.files[index])
        if self.color == "rgb":
            image = image[:, :, ::-1]
        return torch.from_numpy(((image.transpose((2, 0, 1)) - 127.5) * 0.0078125).astype(np.float32))


def load_network(name, file):
    """Names differ from the file's, the order of the layers does not; shapes are checked on loading."""
    network = BACKBONES[name]().eval()
    stored = torch.load(file, weights_only=True)["state_dict"]
    own = network.state_dict()
    if len(own) != len(stored):
        raise ValueError(f"{file}: expected the {len(own)} tensors of {name} with its default options, found {len(stored)}")
    network.load_state_dict(dict(zip(own, stored.values())))
    return network


def best_threshold(same, different):
    lowest, highest = min(same.min(), different.min()), max(same.max(), different.max())
    thresholds = lowest + (highest - lowest) / STEPS * np.arange(1, STEPS + 1)
    margins = [np.mean(same > threshold) - np.mean(different > threshold) for threshold in thresholds]
    return thresholds[int(np.argmax(margins))]


def fold_accuracies(scores, genuine, folds):
    pieces = np.array_split(np.arange(len(scores)), folds)
    accuracies = []
    for piece in pieces:
        others = np.setdiff1d(np.arange(len(scores)), piece)
        threshold = best_threshold(scores[others][genuine[others]], scores[others][~genuine[others]])
        right = np.where(genuine[piece], scores[piece] > threshold, scores[piece] < threshold)
        accuracies.append(right.mean())
    return np.array(accuracies)


class Peer:
    def __init__(self, options):
        cv2.setNumThreads(1)
        torch.set_num_threads(options["threads"])
        self.threads, self.batch = options["threads"], options["batch"]
        with open(options["set"]) as file:
            self.pairs = json.load(file)
        self.images = Images(self.pairs["files"], options["color"])
        self.network = load_network(options["backbone"], options["weights"])

    def embed(self):
        loader = DataLoader(self.images, batch_size=self.batch, num_workers=self.threads)
        with torch.no_grad():
            return torch.cat([F.normalize(self.network(images)) for images in loader]).numpy()

    def verify(self):
        features = self.embed()
        scores = (features[self.pairs["first"]] * features[self.pairs["second"]]).sum(axis=1)
        accuracies = fold_accuracies(scores, np.array(self.pairs["genuine"], bool), self.pairs["folds"])
        return {"accuracy": accuracies.mean(), "std": accuracies.std(ddof=1) / len(accuracies) ** 0.5, "scores": scores.tolist()}


def main():
    peer = None
    for line in sys.stdin:
        request = json.loads(line)
        start = time.perf_counter()
        answer = {}
        if request["cmd"] == "start":
            peer = Peer(request)
        else:
            answer = peer.verify()
        answer["seconds"] = time.perf_counter() - start
        answer["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
