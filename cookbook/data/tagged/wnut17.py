"""WNUT-17 as a set of TensorFlow Datasets, which does not offer it itself."""

import typing
from collections.abc import Iterator

import tensorflow_datasets as tfds

from cookbook.data.text.multi30k import lines

# {split: (the file in the folder of files fetched by hand, its name on the web)}
FILES = {
    "train": ("train.conll.gz", "wnut17train.conll"),
    "dev": ("dev.conll.gz", "emerging.dev.conll"),
    "test": ("test.conll.gz", "emerging.test.annotated"),
}
KINDS = ("person", "location", "group", "creative-work", "corporation", "product")
TAGS = ["O", *(f"{mark}-{kind}" for kind in KINDS for mark in "BI")]


class Wnut17(tfds.core.GeneratorBasedBuilder):
    """5,690 sentences of social media, with rare and new names of six kinds."""

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "With a network there is nothing to do. Without one, put files that you "
        "fetched by hand, such as train.conll.gz, into the folder wnut17 here."
    )
    SOURCE = "https://raw.githubusercontent.com/leondz/emerging_entities_17/master"
    STAND_IN = "generated_names"

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Names in texts of social media, as BIO tags.",
            features=tfds.features.FeaturesDict(
                {
                    "tokens": tfds.features.Sequence(tfds.features.Text()),
                    "ner": tfds.features.Sequence(tfds.features.ClassLabel(names=TAGS)),
                }
            ),
            homepage="https://github.com/leondz/emerging_entities_17",
            citation="Derczynski et al., Results of the WNUT2017 shared task on novel "
            "and emerging entity recognition, 2017, https://aclanthology.org/W17-4418",
        )

    def _split_generators(self, dl_manager: typing.Any) -> dict[str, typing.Any]:
        try:
            folder = dl_manager.manual_dir / self.name
            paths = {split: folder / file for split, (file, _) in FILES.items()}
        except AssertionError:  # no file was fetched by hand
            paths = {}
        if not paths or not all(path.exists() for path in paths.values()):
            urls = {
                split: f"{self.SOURCE}/{name}" for split, (_, name) in FILES.items()
            }
            paths = dl_manager.download(urls)
        return {split: self._generate_examples(path) for split, path in paths.items()}

    def _generate_examples(
        self, path: typing.Any
    ) -> Iterator[tuple[int, dict[str, list[str]]]]:
        tokens: list[str] = []
        tags: list[str] = []
        count = 0
        for line in [*lines(path), ""]:
            token, _, tag = line.partition("\t")
            if token.strip():
                tokens.append(token)
                tags.append(tag.strip())
            elif tokens:
                yield count, {"tokens": tokens, "ner": tags}
                count, tokens, tags = count + 1, [], []
