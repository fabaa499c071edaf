"""Extraction with onnxruntime from an ONNX file, driven over stdin by bench/peer.ts.

A line in: {"cmd": "start", file, batch, threads} or {"cmd": "extract", "batches": n}. A line out: {"seconds": s, ...}.
"""
import json
import resource
import sys
import time

import numpy as np
import onnxruntime


def open_session(file, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def main():
    session = images = None
    for line in sys.stdin:
        request = json.loads(line)
        start = time.perf_counter()
        if request["cmd"] == "start":
            session = open_session(request["file"], request["threads"])
            images = np.random.default_rng(0).standard_normal((request["batch"], 3, 112, 112), np.float32)
        else:
            for _ in range(request["batches"]):
                session.run(None, {session.get_inputs()[0].name: images})
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"seconds": seconds, "peak_bytes": peak}), flush=True)


if __name__ == "__main__":
    main()
