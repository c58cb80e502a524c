"""Classic mistakes in what Keras lacks: each must differ from its formula in NumPy."""

import pytest

from mutation import mutated
from numpy_formulas import CHECKS

pytestmark = pytest.mark.one_backend  # the mistakes are in the formulas
FILES = {  # of what mutants change: the package, and the files in order of import
    "token_crossentropy": ("losses", ["base", "crossentropy", "token_crossentropy"]),
    "frechet_distance": ("metrics", ["frechet_distance"]),
    "mode_overlap": ("metrics", ["mode_overlap"]),
    "token_metrics": ("metrics", ["token_metrics"]),
    "grad_cam": ("explanation", ["grad_cam"]),
    "word_influence": ("explanation", ["word_influence"]),
}
MUTANTS = {  # name, file, old, new
    "padding counted in the loss": (
        "TokenCrossentropy",
        "token_crossentropy",
        "ops.where(is_token, surprise, 0.0)",
        "surprise",
    ),
    "mean over padding too": (
        "TokenCrossentropy",
        "token_crossentropy",
        "ops.maximum(tokens, 1)",
        "ops.cast(ops.size(is_token), z.dtype)",
    ),
    "mean over sequences": (
        "TokenCrossentropy",
        "token_crossentropy",
        "ops.maximum(tokens, 1)",
        "(ops.sum(ops.cast(is_token, z.dtype), -1, keepdims=True) * len(y))",
    ),
    "smoothing without its share": (
        "TokenCrossentropy",
        "token_crossentropy",
        "truth + e / vocabulary",
        "truth",
    ),
    "smoothing spread to one": (
        "TokenCrossentropy",
        "token_crossentropy",
        "truth + e / vocabulary",
        "truth + e",
    ),
    "means left out": (
        "FrechetDistance",
        "frechet_distance",
        "ops.sum(ops.square(m - n)) + ops.trace",
        "ops.trace",
    ),
    "distance of the means without square": (
        "FrechetDistance",
        "frechet_distance",
        "ops.sum(ops.square(m - n))",
        "ops.sqrt(ops.sum(ops.square(m - n)))",
    ),
    "covariance over n": (
        "FrechetDistance",
        "frechet_distance",
        "/ (count - 1)",
        "/ count",
    ),
    "covariance around zero": (
        "FrechetDistance",
        "frechet_distance",
        "self.products - count * outer",
        "self.products",
    ),
    "roots of the product entry by entry": (
        "FrechetDistance",
        "frechet_distance",
        "ops.sum(ops.sqrt(shared))",
        "ops.trace(ops.sqrt(ops.abs(ops.matmul(S, T))))",
    ),
    "only the last batch": (
        "FrechetDistance",
        "frechet_distance",
        "self.sums.assign_add",
        "self.sums.assign",
    ),
    "overlap without its ceiling": (
        "ModeOverlap",
        "mode_overlap",
        "ops.minimum(shares, even_share)",
        "shares",
    ),
    "near within one deviation": (
        "ModeOverlap",
        "mode_overlap",
        "3 * self.spread",
        "self.spread",
    ),
    "distance without root": (
        "ModeOverlap",
        "mode_overlap",
        "distances = ops.sqrt(square)",
        "distances = square",
    ),
    "padding counted as right": (
        "token_accuracy",
        "token_metrics",
        "right = ops.sum(is_right * is_token)",
        "right = ops.sum(is_right)",
    ),
    "padding counted in the number": (
        "token_accuracy",
        "token_metrics",
        "ops.maximum(ops.sum(is_token), 1)",
        "ops.cast(ops.size(is_token), 'float32')",
    ),
    "padding must be guessed": (
        "whole_answers",
        "token_metrics",
        "ops.logical_or(_is_right(y_true, y_pred), is_padding)",
        "_is_right(y_true, y_pred)",
    ),
    "one token is enough": (
        "whole_answers",
        "token_metrics",
        "is_whole = ops.all(is_right",
        "is_whole = ops.any(is_right",
    ),
    "gradients not averaged": (
        "grad_cam",
        "grad_cam",
        "a = ops.mean(",
        "a = ops.sum(",
    ),
    "evidence against the class shown": (
        "grad_cam",
        "grad_cam",
        "ops.relu(ops.sum(a * A, axis=-1))",
        "ops.abs(ops.sum(a * A, axis=-1))",
    ),
    "maps without their weights": (
        "grad_cam",
        "grad_cam",
        "ops.sum(a * A, axis=-1)",
        "ops.sum(A, axis=-1)",
    ),
    "log-probability for log-odds": (
        "influence",
        "word_influence",
        "return log_p[:, label] - np.log(others + smallest)",
        "return log_p[:, label]",
    ),
    "erased and kept swapped": (
        "influence",
        "word_influence",
        "odds[0] - odds[1:]",
        "odds[1:] - odds[0]",
    ),
    "all words but one erased": (
        "influence",
        "word_influence",
        "np.where(is_erased, unknown, ids)",
        "np.where(is_erased, ids, unknown)",
    ),
}


def component(name, file, *change):
    package, files = FILES[file]
    return mutated(name, f"custom_layers.{package}", files, *change)


@pytest.mark.parametrize("mistake", MUTANTS)
def test_mistake_is_found(mistake):
    name, file, old, new = MUTANTS[mistake]
    assert CHECKS[name](component(name, file)) < 1e-4
    assert CHECKS[name](component(name, file, old, new)) > 1e-3
