"""Vectors of texts by a frozen encoder: each is computed once and then kept."""

import contextlib
import dataclasses
import hashlib
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cookbook.config import ExperimentConfig
from cookbook.data.batches import Batches
from cookbook.data.text.reviews import Reviews

BATCH = 64  # texts that the encoder reads at once


def with_vectors(
    data: Reviews, encoder: keras.Model, config: ExperimentConfig
) -> Reviews:
    """The data set with a vector for each text to train and to validate with.

    Runs with the same texts and the same encoder compute the vectors once.

    Args:
        data: texts as ids of pieces, with zeros at the end of a row.
        encoder: from ids of pieces to vectors.
        config: config.run_dir is where vectors are kept, in the folder networks/.
    """
    changed: dict[str, Any] = {}
    for name in ("train", "validation"):
        x, y = getattr(data, name)
        changed[name] = _kept_vectors(encoder, x, name, config), y
    return dataclasses.replace(data, padded=False, **changed)


def _kept_vectors(
    encoder: keras.Model, x: np.ndarray, name: str, config: ExperimentConfig
) -> np.ndarray:
    """float32 (N, D): the vectors of the texts x, int32 (N, T)."""
    key = hashlib.sha256(x.tobytes())
    key.update(str([x.shape, encoder.compute_dtype]).encode())
    for array in encoder.get_weights():
        key.update(array.tobytes())
    digest = key.hexdigest()[:16]
    path = config.run_dir / "networks" / f"vectors_{name}_{digest}.npz"
    with contextlib.suppress(OSError, ValueError, KeyError, zipfile.BadZipFile):
        return np.load(path)["vectors"]
    vectors = _computed(encoder, x)
    _keep(path, vectors)
    return vectors


def _computed(encoder: keras.Model, x: np.ndarray) -> np.ndarray:
    lengths = (x != 0).sum(1)
    order = np.argsort(lengths, kind="stable")  # few lengths, each compiled once
    batches = Batches(x[order], lengths, BATCH, padded=True)
    vectors = encoder.predict(batches, verbose=1 if sys.stdout.isatty() else 0)
    vectors[order] = vectors.copy()
    return vectors


def _keep(path: Path, vectors: np.ndarray) -> None:
    """Writes the file whole or, where the disk is full or read-only, not at all."""
    partial = path.with_name(f"partial_{os.getpid()}_{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(partial, vectors=vectors)
        os.replace(partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
