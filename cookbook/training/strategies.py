"""Strategies: one model is trained on several devices or machines, by tf.distribute.

    python recipes/mackey_glass_rnn.py --strategy mirrored

trains a replica on each GPU of this machine, or on each CPU device where it has none.
--strategy multiworker trains a replica on each machine that TF_CONFIG names. Set it on
every machine, each with its own index, and give the same command on all of them:

    TF_CONFIG='{"cluster": {"worker": ["10.0.0.1:4000", "10.0.0.2:4000"]},
                "task": {"type": "worker", "index": 0}}'

Either way each batch is split among the replicas, and their gradients are added up. A
model without random layers and batch statistics therefore learns what it learns on one
device. An optimizer that clips gradients is an exception, because Keras clips the
gradients of each replica before it adds them up.
"""

import dataclasses
import json
import os
from collections.abc import Callable
from typing import Any, TypeVar

import keras

from cookbook.config import TrainingConfig
from cookbook.errors import fail
from custom_layers.common.private_keras import (
    forget_strategy,
    mend_distributed_training,
)

AnyConfig = TypeVar("AnyConfig", bound=TrainingConfig)
CHOSEN: list[Any] = []  # the strategy of this process, if the user asked for one


def use_strategy(config: AnyConfig) -> AnyConfig:
    """Chooses config.strategy for all models that this process builds later.

    Returns a Config that differs in run_dir where several processes train together:
    each has a folder of its own.
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
        index = _index_in_cluster()
        config = dataclasses.replace(config, run_dir=config.run_dir / f"worker_{index}")
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    CHOSEN[:] = [strategy]
    return config


def enter_strategy() -> None:
    """Puts whatever is built from now on under the chosen strategy, if there is one."""
    if CHOSEN:
        import tensorflow as tf

        tf.distribute.experimental_set_strategy(CHOSEN[0])


def leave_strategy(model: keras.Model) -> None:
    """Leaves the strategy; from then on each process uses the model alone."""
    if CHOSEN:
        import tensorflow as tf

        tf.distribute.experimental_set_strategy(None)
        forget_strategy(model)


def prepare(model: keras.Model, batch: Any) -> Callable[[], None]:
    """Makes a model ready to be trained by tf.distribute; returns a function: the undo.

    batch: one batch of the training data, from which the variables are made.

    Keras's loop of several steps per execution works on one device only, so each step
    is executed by itself. What else is changed stands at `mend_distributed_training`.
    """
    model.steps_per_execution = 1
    return mend_distributed_training(model, batch)


def _index_in_cluster() -> int:
    """The index of this process among the workers of TF_CONFIG."""
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
