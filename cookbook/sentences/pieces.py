"""Word pieces as token ids, in the form in which recipes keep words."""

from cookbook.data.text.words import TAG, Vocabulary
from custom_layers.generation import word_pieces

FIRST, LAST = "[CLS]", "[SEP]"  # the pieces that begin and end each text


class PieceVocabulary(Vocabulary):
    """Word pieces and their ids: 0 is padding, and 1 is any unknown word.

    words: the known pieces, whose ids are 2, 3, ...
    """

    def split(self, text: str) -> list[str]:
        """The pieces of a text without its tags, between [CLS] and [SEP]."""
        text = TAG.sub(" ", text)
        return [FIRST, *word_pieces(text, self._ids), LAST]
