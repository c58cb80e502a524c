"""Labelled texts as the ids of word pieces."""

import dataclasses

from cookbook.data.text.reviews import Reviews, load_reviews
from cookbook.sentences.pieces import PieceVocabulary


@dataclasses.dataclass(frozen=True, kw_only=True)
class PieceReviews(Reviews):
    """A labelled text set whose rows are ids of word pieces, from [CLS] to [SEP]."""


def load_review_pieces(
    name: str,
    default: str,
    vocabulary: PieceVocabulary,
    length: int,
    quick: bool = False,
    columns: tuple[str | None, str | None] = (None, None),
) -> PieceReviews:
    """The text set `name`, split into the pieces of `vocabulary`; see `load_reviews`.

    length: pieces of a text that a model reads, from its beginning and its end.
    """
    data = load_reviews(name, default, vocabulary, length, quick, columns)
    names = [field.name for field in dataclasses.fields(data)]
    return PieceReviews(**{name: getattr(data, name) for name in names})
