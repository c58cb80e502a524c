"""What stands in a script for what recipes share: shorter forms of some modules."""

from collections.abc import Mapping, Sequence, Set
from functools import cache

from cookbook.one_file import source
from cookbook.one_file.source import Definition, Import, Meaning, Source, find, parsed
from cookbook.takeaway.recipe_script import ELSEWHERE, as_script
from cookbook.takeaway.trimming import trimmed

STANDALONE = "cookbook.takeaway.standalone"
SCRIPT = "recipes.script"  # what the recipe's own source is called
# Modules that a script needs in a shorter form: {module: that form, in STANDALONE}. A
# name that the form lacks means what it means in the module.
REPLACED = {
    "cookbook.config": "base.settings",
    "cookbook.errors": "base.settings",
    "cookbook.data.batches": "data.batches",
    "cookbook.data.images": "data.images",
    "cookbook.data.pictures": "data.pictures",
    "cookbook.data.sequences": "data.sequences.series",
    "cookbook.data.sounds.recordings": "data.sequences.sounds",
    "cookbook.data.sources": "data.sources",
    "cookbook.data.tagged.sentences": "data.sequences.tagged",
    "cookbook.data.text.characters": "data.texts",
    "cookbook.data.text.reviews": "data.texts",
    "cookbook.data.text.translation": "data.texts",
    "cookbook.lab.claims": "base.run",
    "cookbook.plots.figures": "reports.pictures",
    "cookbook.plots.gallery": "reports.pictures",
    "cookbook.plots.mistakes": "reports.pictures",
    "cookbook.reports.finish": "base.run",
    "cookbook.reports.generated.anomaly_detection": "reports.anomalies",
    "cookbook.reports.generated.augmentation": "reports.generated",
    "cookbook.reports.generated.diffusion": "reports.generated",
    "cookbook.reports.generated.sample_quality": "reports.generated",
    "cookbook.reports.generated.style_transfer": "reports.style",
    "cookbook.reports.image_classifier": "reports.classifiers",
    "cookbook.reports.language_model": "reports.texts",
    "cookbook.reports.tagged.taggers": "reports.taggers",
    "cookbook.reports.text_classifier": "reports.classifiers",
    "cookbook.reports.translation": "reports.texts",
    "cookbook.sentences.reviews": "data.pieces",
    "cookbook.sentences.vectors": "data.pieces",
    "cookbook.trained.backbones": "backbones",
    "cookbook.training.run_folder": "base.folder",
    "cookbook.training.train": "training",
    "custom_layers.common.checks": "components.checks",
    "custom_layers.generation.compiled": "components.searches",
    "custom_layers.generation.loops": "components.searches",
    "custom_layers.initializers.glorot_he_lecun": "components.initializers",
    "custom_layers.layers.activations.relu": "layers.simple",
    "custom_layers.layers.augmentation.random_affine": "layers.augmentation",
    "custom_layers.layers.convolution.conv": "layers.dense",
    "custom_layers.layers.convolution.conv_transpose": "layers.dense",
    "custom_layers.layers.dense": "layers.dense",
    "custom_layers.layers.dropout.dropout": "layers.simple",
    "custom_layers.layers.dropout.spatial_dropout": "layers.simple",
    "custom_layers.layers.embedding": "layers.dense",
    "custom_layers.layers.normalization.batch_normalization": "layers.simple",
    "custom_layers.layers.normalization.layer_normalization": (
        "layers.layer_normalization"
    ),
    "custom_layers.layers.pooling.global_average_pooling": "layers.simple",
    "custom_layers.layers.pooling.global_max_pooling": "layers.simple",
    "custom_layers.layers.pooling.max_pooling": "layers.simple",
    "custom_layers.layers.bidirectional": "layers.recurrent",
    "custom_layers.layers.recurrent.gru": "layers.recurrent",
    "custom_layers.layers.recurrent.lstm": "layers.recurrent",
    "custom_layers.layers.recurrent.min_gru": "layers.recurrent",
    "custom_layers.layers.recurrent.simple_rnn": "layers.recurrent",
    "custom_layers.layers.reversible_embedding": "layers.dense",
    "custom_layers.layers.transformer": "layers.attention",
    "custom_layers.losses.base": "components.losses",
    "custom_layers.losses.crossentropy": "components.losses",
    "custom_layers.models.adversarial.backends": "components.adversarial",
    "custom_layers.models.adversarial.model": "components.adversarial",
    "custom_layers.models.cycle_gan": "components.adversarial",
    "custom_layers.optimizers.adam": "components.optimizers",
    "custom_layers.optimizers.base": "components.optimizers",
    "custom_layers.optimizers.schedules.base": "components.schedules",
    "custom_layers.optimizers.schedules.cosine": "components.schedules",
}
# Recipes that use what a short form lacks: {recipe: modules that stay as they are}.
FULL = {
    "attention_variants": ("custom_layers.layers.transformer",),
    "imdb_minilm": (
        "custom_layers.layers.dense",
        "custom_layers.layers.transformer",
    ),
    "digit_strings_ctc": (
        "custom_layers.layers.augmentation.random_affine",
        "custom_layers.layers.pooling.max_pooling",
    ),
    "normalization_compared": (
        "custom_layers.layers.normalization.layer_normalization",
    ),
    "spoken_digit_rnn": (
        "custom_layers.layers.augmentation.random_affine",
        "custom_layers.layers.pooling.global_average_pooling",
        "custom_layers.layers.pooling.max_pooling",
    ),
}
# Single names: {module.name: what it means in a script}.
OPTIMIZER = Import("keras.optimizers", "Optimizer")
NAMES: dict[str, Meaning | tuple[str, str]] = {
    "cookbook.plots.figures.Folder": (f"{STANDALONE}.base.folder", "RunFolder"),
    "cookbook.plots.figures.save_figure": (f"{STANDALONE}.base.run", "save_figure"),
    "custom_layers.layers.recurrent.layer._StatefulRNN": Import("keras.layers", "RNN"),
    "custom_layers.losses.base._Loss": Import("keras.losses", "Loss"),
    "custom_layers.common.private_optimizers.SumsOfRows": OPTIMIZER,
    "custom_layers.common.private_optimizers.AveragesOfSteps": OPTIMIZER,
    "custom_layers.common.private_optimizers.UpdatesInPrograms": OPTIMIZER,
}
# For data sets whose rows end in zeros.
PADDED = {f"{STANDALONE}.data.batches": f"{STANDALONE}.data.padded_batches"}


class Sources:
    """The modules that a script is made of, each in the form that the script needs.

    unused: the methods that components need not have.
    others: further modules that are replaced, {module: the other one}.
    full: modules that are not replaced.
    """

    def __init__(
        self,
        script: str,
        unused: Set[str],
        others: Mapping[str, str],
        full: Sequence[str] = (),
    ) -> None:
        self.full = full
        self.unused = unused
        self.others = others
        self.known = {SCRIPT: parsed(SCRIPT, script)}

    def source_of(self, module: str) -> Source:
        if module not in self.known:
            self.known[module] = _shorter(module, frozenset(self.unused))
        return self.known[module]

    def find(self, module: str, name: str) -> Meaning | None:
        """What a name means in a module, where some modules are replaced by others."""
        meaning = find(module, name, self.source_of)
        if not isinstance(meaning, Definition):
            return meaning
        other = NAMES.get(str(meaning))
        if isinstance(other, tuple):
            return self.source_of(other[0]).definitions[other[1]]
        if other:
            return other
        for form in self._forms(meaning.module):
            there = self.source_of(form).definitions.get(meaning.name)
            if there and form != module:
                return there
        return meaning

    def _forms(self, module: str) -> list[str]:
        """The modules that replace one, the first choice first."""
        if module in self.full:
            return []
        form = f"{STANDALONE}.{REPLACED[module]}" if module in REPLACED else module
        forms = [self.others.get(form, form), form]
        return [form for form in forms if form != module]


@cache
def _shorter(module: str, unused: frozenset[str]) -> Source:
    """A module without what a script has no use for."""
    whole = source.source_of(module)
    if module.startswith("custom_layers") and not whole.is_package:
        return parsed(module, trimmed(whole.text, unused))
    if module.startswith("recipes") and not whole.is_package:
        return parsed(module, as_script(whole.text).text)
    if module.startswith("cookbook.lab") and not whole.is_package:
        return parsed(module, ELSEWHERE.sub("", whole.text))
    return whole
