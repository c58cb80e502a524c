"""Reviews as word pieces, and their vectors, in a plain script."""

from types import SimpleNamespace

import numpy as np
import tensorflow_datasets as tfds
from keras.utils import pad_sequences
from sklearn.model_selection import train_test_split

from cookbook.plain.parts.texts import toy_reviews
from custom_layers.generation import word_pieces


def load_review_pieces(
    name: str, vocabulary: dict[str, int], length: int, quick: bool
) -> SimpleNamespace:
    """Texts of TensorFlow Datasets, or generated ones, as the numbers of pieces."""
    if quick:
        texts, test_texts, y, y_test = train_test_split(*toy_reviews(), random_state=0)
    else:
        train, test = tfds.load(
            name, split=["train", "test"], as_supervised=True, batch_size=-1
        )
        texts, y = tfds.as_numpy(train)
        test_texts, y_test = tfds.as_numpy(test)

    x, x_test = (piece_ids(part, vocabulary, length) for part in (texts, test_texts))
    x, x_val, y, y_val = train_test_split(x, y, test_size=0.1, random_state=0)
    return SimpleNamespace(
        classes=["bad", "good"],
        train=(x, y),
        validation=(x_val, y_val),
        test=(x_test, y_test),
    )


def piece_ids(texts: list, vocabulary: dict[str, int], length: int) -> np.ndarray:
    """The numbers of the pieces from [CLS] to [SEP]; 0 is padding."""
    rows = []
    for text in texts:
        pieces = word_pieces(text.decode().replace("<br />", " "), vocabulary)
        ids = [vocabulary[piece] for piece in ("[CLS]", *pieces, "[SEP]")]
        if len(ids) > length:  # the verdict stands at the end
            ids = ids[: length // 4] + ids[length // 4 - length :]
        rows.append(ids)
    return pad_sequences(rows, length, padding="post")


def with_vectors(data, encoder, count: int) -> SimpleNamespace:
    """The vectors of at most `count` texts of each part, to train and to validate."""
    found = SimpleNamespace(classes=data.classes)
    for part in ("train", "validation"):
        x, y = getattr(data, part)
        vectors = encoder.predict(x[:count], batch_size=64, verbose=0)
        setattr(found, part, (vectors, y[:count]))
    return found
