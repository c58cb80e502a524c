"""Multi30k as a set of TensorFlow Datasets, which does not offer it itself."""

import gzip
import os
import typing
from collections.abc import Iterator
from pathlib import Path

import tensorflow_datasets as tfds

from cookbook.data.sources import cache_folder, first_line
from cookbook.errors import fail

LANGUAGES = ("de", "en", "fr")
FILES = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
URL = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw"


class Multi30k(tfds.core.GeneratorBasedBuilder):
    """31,014 captions of pictures in three languages: de, en, fr."""

    VERSION = tfds.core.Version("1.0.0")
    SOURCE = URL
    STAND_IN = "toy_captions"
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "With a network there is nothing to do. Without one, put files that you "
        "fetched by hand, such as train.de.gz, into the folder multi30k here."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Captions of pictures; test is test_2016_flickr.",
            features=tfds.features.FeaturesDict(
                {language: tfds.features.Text() for language in LANGUAGES}
            ),
            supervised_keys=("de", "en"),
            homepage="https://github.com/multi30k/dataset",
            citation="Elliott et al., Multi30K: multilingual English-German image "
            "descriptions, 2016, https://arxiv.org/abs/1605.00459",
        )

    def _split_generators(self, dl_manager: typing.Any) -> dict[str, typing.Any]:
        names = [
            f"{file}.{language}.gz" for file in FILES.values() for language in LANGUAGES
        ]
        try:
            folder = dl_manager.manual_dir / self.name
            paths = {name: folder / name for name in names}
        except AssertionError:  # no file was fetched by hand
            paths = {}
        if not paths or not all(path.exists() for path in paths.values()):
            paths = dl_manager.download({name: f"{URL}/{name}" for name in names})
        return {
            split: self._generate_examples(paths, file) for split, file in FILES.items()
        }

    def _generate_examples(
        self, paths: dict[str, typing.Any], file: str
    ) -> Iterator[tuple[int, dict[str, str]]]:
        columns = [lines(paths[f"{file}.{language}.gz"]) for language in LANGUAGES]
        if len(set(map(len, columns))) != 1:
            raise ValueError(f"The files {file}.* have {[*map(len, columns)]} lines.")
        for i, row in enumerate(zip(*columns)):
            yield i, dict(zip(LANGUAGES, row))


def lines(path: str | Path) -> list[str]:
    """The lines of a text file, gzipped or not: tfds unpacks some files itself."""
    content = Path(path).read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    return content.decode("utf-8").rstrip("\n").split("\n")


def prepare_from_manual_folder(builder_class: typing.Any = Multi30k) -> None:
    """Prepares a set from files that were fetched by hand, if there are any.

    If the data directory can't be written, the prepared set goes into Keras's home
    folder, and TensorFlow Datasets is told to look there too.

    builder_class: of the set, such as Multi30k. SOURCE is where its files come from,
        STAND_IN what can be used instead.
    """
    builder = builder_class()
    if builder.is_prepared():
        return
    cache = cache_folder() / "tensorflow_datasets"
    if (cache / builder.name).exists():
        tfds.core.add_data_dir(cache)
        if builder_class().is_prepared():
            return
    data_dir = Path(builder._data_dir_root)
    manual = data_dir / "downloads" / "manual"
    if not (manual / builder.name).exists():
        return
    if not _may_be_written(data_dir):
        builder = builder_class(data_dir=cache)
        tfds.core.add_data_dir(cache)
    try:
        builder.download_and_prepare(
            download_config=tfds.download.DownloadConfig(manual_dir=manual)
        )
    except Exception as error:  # a damaged file can raise anything
        fail(
            f"the files in {manual / builder.name} can't be prepared "
            f"({first_line(error)}): fetch them again from {builder.SOURCE}, "
            f"or use --data {builder.STAND_IN}"
        )


def _may_be_written(folder: Path) -> bool:
    """Whether the folder's mode allows writing; root alone could write all the same."""
    has_writers = bool(folder.stat().st_mode & 0o222)
    return has_writers and os.access(folder, os.W_OK)
