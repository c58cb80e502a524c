"""Strategies: one model trained on several devices or machines, by tf.distribute.

    python recipes/mackey_glass_rnn.py --strategy mirrored

trains a replica on each GPU of this machine, or on each CPU device where it has none.
--strategy multiworker trains one on each machine that TF_CONFIG names, which is set on
every one of them, with another index; the command is the same:

    TF_CONFIG='{"cluster": {"worker": ["10.0.0.1:4000", "10.0.0.2:4000"]},
                "task": {"type": "worker", "index": 0}}'

Either way a batch is split among the replicas and the gradients are added up: a model
without random layers and batch statistics learns what it learns on one device.
"""

import dataclasses
import json
import os

import keras

from cookbook.cli import fail


def use_strategy(config):
    """Makes config.strategy that of all models built from now on.

    The Config returned differs in run_dir: each process of several has its own.
    """
    if keras.backend.backend() != "tensorflow":
        fail(
            f"--strategy got {config.strategy} on {keras.backend.backend()}, expected "
            "TensorFlow: leave KERAS_BACKEND out"
        )
    import tensorflow as tf

    if config.strategy == "mirrored":
        devices = tf.config.list_logical_devices("GPU")
        devices = devices or tf.config.list_logical_devices("CPU")
        strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
    else:
        index = _index()
        config = dataclasses.replace(config, run_dir=config.run_dir / f"worker_{index}")
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    tf.distribute.experimental_set_strategy(strategy)
    return config


def _index():
    """Which of TF_CONFIG's workers this process is."""
    text = os.environ.get("TF_CONFIG", "")
    try:
        content = json.loads(text)
        index = int(content["task"]["index"])
        content["cluster"]["worker"][index]
    except (ValueError, LookupError, TypeError):
        fail(
            f"--strategy multiworker found TF_CONFIG={text!r}, expected "
            '{"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker", '
            '"index": 0}}: set it on every machine, each with its index'
        )
    return index
