"""Tiny image sets, prepared by TFDS itself in a folder of the test's, offline."""

import numpy as np

SCRIPT = """
import numpy as np, tensorflow_datasets as tfds
builder = tfds.builder("mnist", data_dir={folder!r})
rng = np.random.default_rng(0)
def examples(count):
    for i in range(count):
        image = rng.integers(0, 256, size=(28, 28, 1), dtype=np.uint8)
        yield i, {{"image": image, "label": i % 10}}
builder._split_generators = lambda manager: {{
    "train": examples(120), "test": examples(20)
}}
builder.download_and_prepare()
"""

# 100 classes of 32x32 RGB images; 64x64 RGB images in one part, train, alone.
OTHERS = """
import numpy as np, tensorflow_datasets as tfds
rng = np.random.default_rng(0)
def prepare(name, side, parts, **more):
    builder = tfds.builder(name, data_dir={folder!r})
    def examples(count):
        for i in range(count):
            image = rng.integers(0, 256, size=(side, side, 3), dtype=np.uint8)
            yield i, {{"image": image, "label": i % 10, **more}}
    builder._split_generators = lambda *_: {{
        part: examples(count) for part, count in parts.items()
    }}
    builder.download_and_prepare()
prepare("cifar100", 32, dict(train=120, test=20), id="x", coarse_label=0)
prepare("eurosat", 64, dict(train=120), filename="x")
"""


def corrupt(folder):
    """Overwrites the middle of the train split's records."""
    (record,) = folder.glob("mnist/*/mnist-train.tfrecord*")
    content = bytearray(record.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(np.full(200, 7, "uint8"))
    record.write_bytes(content)
