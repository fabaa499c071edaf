"""PyTorch's DataLoader with cv2 over a "path label" list, as FaceX-Zoo reads its training data. Driven line by line, see
bench/peer.ts."""

import json
import os
import random
import resource
import sys
import time

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset


class ListDataset(Dataset):
    def __init__(self, root, file, count):
        with open(file) as lines:
            pairs = [line.rsplit(" ", 1) for line in lines][:count]
        self.samples = [(os.path.join(root, name), int(label)) for name, label in pairs]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        name, label = self.samples[index]
        image = cv2.imread(name)
        if random.random() > 0.5:
            image = cv2.flip(image, 1)
        image = (image.transpose((2, 0, 1)) - 127.5) * 0.0078125
        return torch.from_numpy(image.astype(np.float32)), label


def cpu_seconds():
    """Of this process and of its workers that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def load(dataset, workers, batch):
    loader = DataLoader(dataset, batch_size=batch, shuffle=True, num_workers=workers, drop_last=True)
    cpu_before = cpu_seconds()
    batches = iter(loader)
    next(batches)  # starting the workers is not what is measured
    start = time.perf_counter()
    images = sum(len(labels) for _, labels in batches)
    seconds = time.perf_counter() - start
    del batches  # ends the workers, so that their processor time is known; their start is in it
    # The first batch was decoded too.
    return {"images": images, "seconds": seconds, "cpu_seconds": (cpu_seconds() - cpu_before) * images / (images + batch)}


def main():
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    for line in sys.stdin:
        request = json.loads(line)
        dataset = ListDataset(request["root"], request["list"], request["count"])
        answer = load(dataset, request["workers"], request["batch"])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({**answer, "peak_bytes": peak}), flush=True)


if __name__ == "__main__":
    main()
