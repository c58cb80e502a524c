"""What the names in a plain script mean: Keras's classes, stand-ins, and the rest."""

from functools import cache

from cookbook.one_file.source import (
    Definition,
    Import,
    Meaning,
    Source,
    find,
    parsed,
    source_of,
)
from cookbook.plain.edits import as_plain
from cookbook.takeaway.recipe_script import as_script
from cookbook.takeaway.trimming import SERIALIZATION, SHAPES, trimmed

PARTS = "cookbook.plain.parts"
STAND_INS = (
    "images",
    "texts",
    "components",
    "adversarial",
    "generated",
    "translation",
    "lab",
    "reports",
    *("attention.variants", "attention.vision"),
    *("sentences.counts", "sentences.encoder", "sentences.pieces"),
    *("latent.diffusion", "latent.judge", "latent.losses"),
    *("latent.measures", "latent.models", "latent.pixels"),
    *("translated.measures", "translated.models", "translated.pixels"),
)
SCRIPT = "recipes.script"  # what the recipe's own source is called
# Names of custom_layers that a script takes from Keras instead, by namespace: ours are
# proven equal to them. The test of this table says how.
KERAS = {
    "activations": "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu "
    "hard_tanh leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid "
    "silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax "
    "squareplus tanh tanh_shrink threshold",
    "callbacks": "EarlyStopping",
    "constraints": "MaxNorm",
    "initializers": "Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity "
    "LecunNormal LecunUniform Orthogonal RandomNormal RandomUniform TruncatedNormal "
    "VarianceScaling",
    "layers": "AugMix BatchNormalization Bidirectional Conv1D Conv2D Conv2DTranspose "
    "CutMix Dense Dropout Embedding GRU GRUCell GlobalAveragePooling1D "
    "GlobalAveragePooling2D GlobalMaxPooling2D GroupNormalization LSTM "
    "LayerNormalization LeakyReLU MaxPooling2D MelSpectrogram MixUp RandAugment "
    "RandomErasing ReLU ReversibleEmbedding SimpleRNN SpatialDropout1D "
    "UnitNormalization",
    "losses": "BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy "
    "Hinge Huber KLDivergence LogCosh MeanAbsoluteError MeanSquaredError "
    "SparseCategoricalCrossentropy",
    "optimizers": "Adadelta Adagrad Adam AdamW Muon RMSprop SGD",
    "optimizers.schedules": "CosineDecay CosineDecayRestarts ExponentialDecay "
    "PiecewiseConstantDecay PolynomialDecay",
    "regularizers": "L1 L1L2 L2",
}
# Classes of data sets, in place of which a script has attributes without a class.
DATA_SETS = (
    *("Images", "JudgedImages", "OddImages", "PicturePair", "Forecasts"),
    "UnpairedImages",
    *("Reviews", "Characters", "Sums", "TaggedSentences", "Translations"),
    *("Sounds", "Strings", "Bert", "PieceReviews"),
)
# What else a script calls by another name: {name in the cookbook: what it means}.
OTHERS = {
    "Run": Import("builtins", "dict"),
    "note": Import("builtins", "print"),
    "ctc_decode": Import("keras.ops", "ctc_decode"),
    "conclude": Import("builtins", "dict"),
    "AdversarialModel": Import("keras", "Model"),
    **dict.fromkeys(DATA_SETS, Import("types", "SimpleNamespace")),
}


class PlainSources:
    """The modules that a plain script is made of, each as the script needs it."""

    def __init__(self, script: str) -> None:
        self.known = {SCRIPT: parsed(SCRIPT, script)}

    def source_of(self, module: str) -> Source:
        if module not in self.known:
            self.known[module] = _shorter(module)
        return self.known[module]

    def find(self, module: str, name: str) -> Meaning | None:
        """What a name means in a module: Keras's class, or a stand-in."""
        meaning = find(module, name, self.source_of)
        if not isinstance(meaning, Definition):
            return meaning
        origin = meaning.module
        if origin.startswith(("recipes", PARTS)):
            return meaning
        stand_in = _stand_ins().get(meaning.name)
        if stand_in:
            return self.source_of(stand_in).definitions[meaning.name]
        if origin.startswith("custom_layers") and meaning.name in _of_keras():
            return Import(_of_keras()[meaning.name], meaning.name)
        return OTHERS.get(meaning.name, meaning)


@cache
def _shorter(module: str) -> Source:
    """A module without what a script has no use for."""
    whole = source_of(module)
    if whole.is_package:
        return whole
    if module.startswith("custom_layers"):
        return parsed(module, trimmed(whole.text, {*SERIALIZATION, *SHAPES}))
    if module.startswith("recipes"):
        return parsed(module, as_plain(as_script(whole.text).text))
    return whole


@cache
def _of_keras() -> dict[str, str]:
    """{name: Keras's namespace} for the table KERAS."""
    return {
        name: f"keras.{namespace}"
        for namespace, names in KERAS.items()
        for name in names.split()
    }


@cache
def _stand_ins() -> dict[str, str]:
    """{name: the module of its stand-in}."""
    modules = [f"{PARTS}.{name}" for name in STAND_INS]
    return {
        name: module for module in modules for name in source_of(module).definitions
    }
