"""Exported networks: each is called with arrays by name and returns an array."""

import json
from pathlib import Path
from typing import Any, Protocol

import numpy as np


class Network(Protocol):
    """A network in one of the formats."""

    def __call__(self, **arrays: np.ndarray) -> np.ndarray: ...


class StepNetwork(Protocol):
    """A network that returns several arrays: logits, and what it keeps for later."""

    def outputs(self, **arrays: np.ndarray) -> list[np.ndarray]: ...


class KerasNetwork:
    """The network in model.keras, which Keras runs.

    The classes of its layers must be registered, as importing use.py does.
    """

    def __init__(self, folder: Path) -> None:
        import keras

        self.model = keras.models.load_model(folder / "model.keras", compile=False)

    def __call__(self, **arrays: np.ndarray) -> np.ndarray:
        import keras

        inputs = [*arrays.values()]
        answer = self.model(inputs if len(inputs) > 1 else inputs[0], training=False)
        return keras.ops.convert_to_numpy(answer)


class SavedModelNetwork:
    """A network in a folder of its own, which TensorFlow runs."""

    def __init__(self, folder: Path, file: str = "saved_model") -> None:
        import tensorflow as tf

        # The object holds the weights, so it must live as long as its function.
        self.loaded = tf.saved_model.load(str(folder / file))
        self.run = self.loaded.signatures["serving_default"]

    def __call__(self, **arrays: np.ndarray) -> np.ndarray:
        (answer,) = self.outputs(**arrays)
        return answer

    def outputs(self, **arrays: np.ndarray) -> list[np.ndarray]:
        """All arrays that the network returns."""
        import tensorflow as tf

        tensors = {name: tf.constant(array) for name, array in arrays.items()}
        return [tensor.numpy() for tensor in in_order(self.run(**tensors))]


class OnnxNetwork:
    """A network that onnxruntime runs."""

    def __init__(self, folder: Path, file: str = "model.onnx") -> None:
        import onnxruntime

        self.session = onnxruntime.InferenceSession(str(folder / file))

    def __call__(self, **arrays: np.ndarray) -> np.ndarray:
        (answer,) = self.outputs(**arrays)
        return answer

    def outputs(self, **arrays: np.ndarray) -> list[np.ndarray]:
        """All arrays that the network returns."""
        return self.session.run(None, arrays)


class LiteRTNetwork:
    """A network that LiteRT runs."""

    def __init__(self, folder: Path, file: str = "model.tflite") -> None:
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(folder / file))
        self.run = interpreter.get_signature_runner()
        inputs = self.run.get_input_details().values()
        # The loops of recurrent networks are converted for one row at a time.
        self.takes_one_row = all(each["shape_signature"][0] == 1 for each in inputs)

    def __call__(self, **arrays: np.ndarray) -> np.ndarray:
        if not self.takes_one_row:
            (answer,) = self.outputs(**arrays)
            return answer
        answers = []
        for i in range(len(next(iter(arrays.values())))):
            row = {name: array[i : i + 1] for name, array in arrays.items()}
            answers += self.outputs(**row)
        return np.concatenate(answers)

    def outputs(self, **arrays: np.ndarray) -> list[np.ndarray]:
        """All arrays that the network returns."""
        return in_order(self.run(**arrays))


def in_order(outputs: dict[str, Any]) -> list[Any]:
    """Outputs by name in their order: output_0, output_1, ..., output_10."""
    names = sorted(outputs, key=lambda name: (len(name), name))
    return [outputs[name] for name in names]


def read_settings(folder: Path) -> dict[str, Any]:
    """What model.json says about the model, such as the names of its classes."""
    return json.loads((folder / "model.json").read_text(encoding="utf-8"))
