"""Strategies: one model trained on several devices or machines, by tf.distribute.

    python recipes/mackey_glass_rnn.py --strategy mirrored

trains a replica on each GPU of this machine, or on each CPU device where it has none.
--strategy multiworker trains one on each machine that TF_CONFIG names, which is set on
every one of them, with another index; the command is the same:

    TF_CONFIG='{"cluster": {"worker": ["10.0.0.1:4000", "10.0.0.2:4000"]},
                "task": {"type": "worker", "index": 0}}'

Either way a batch is split among the replicas and the gradients are added up: a model
without random layers and batch statistics learns what it learns on one device, unless
its optimizer clips gradients, which Keras does before it adds them up.
"""

import dataclasses
import functools
import json
import os

import keras

from cookbook.errors import fail

CHOSEN = []  # the strategy of this process, if the user asked for one


def use_strategy(config):
    """Makes config.strategy that of the models to come, before any is built.

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
    CHOSEN[:] = [strategy]
    return config


def enter_strategy():
    """What is built from now on, until a training's end, is of the chosen strategy."""
    if CHOSEN:
        import tensorflow as tf

        tf.distribute.experimental_set_strategy(CHOSEN[0])


def leave_strategy(model):
    """From now on the model answers in each process alone, as any model does."""
    if CHOSEN:
        import tensorflow as tf

        tf.distribute.experimental_set_strategy(None)
        model._distribute_strategy = None
        model.train_function = model.test_function = model.predict_function = None


def prepare(model, batch):
    """Makes the model's variables from a batch; works around three faults of Keras.

    Its loop of several steps an execution knows one device only. With several machines
    it can't make the variables from a batch that is divided among them, and takes the
    mean of figures, which are those of all replicas already, along an axis they lack.
    """
    from keras.src.backend.tensorflow import trainer

    model.steps_per_execution = 1
    with model.distribute_strategy.scope():
        model._symbolic_build(data_batch=batch)
    model._maybe_symbolic_build = lambda **ignored: None
    reduce = getattr(trainer.reduce_per_replica, "__wrapped__", None)
    reduce = reduce or trainer.reduce_per_replica

    @functools.wraps(reduce)
    def reduce_per_replica(values, strategy, reduction):
        if reduction == "auto":
            reduction = "first"
        return reduce(values, strategy, reduction)

    trainer.reduce_per_replica = reduce_per_replica


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
