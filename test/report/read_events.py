"""Prints what TensorBoard itself reads from a folder of event files: steps of every scalar; steps, sizes and decoded shapes
of every image."""

import io
import json
import sys

from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

accumulator = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0})
accumulator.Reload()
tags = accumulator.Tags()
images = {}
for tag in tags["images"]:
    events = accumulator.Images(tag)
    decoded = [Image.open(io.BytesIO(event.encoded_image_string)).convert("RGB").size for event in events]
    images[tag] = [[event.step, event.width, event.height, *size] for event, size in zip(events, decoded)]
scalars = {tag: [[event.step, event.value] for event in accumulator.Scalars(tag)] for tag in tags["scalars"]}
print(json.dumps({"scalars": scalars, "images": images}))
