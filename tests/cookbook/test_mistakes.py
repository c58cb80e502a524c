"""Wrong input, as a table of command lines: each gets one line and exit status 2."""

import dataclasses
import functools
import importlib
import os
import re
import shlex
import typing
from pathlib import Path

import pytest
from PIL import Image

from cookbook.command_line import parse
from cookbook.config import Between, flag_name, flags
from cookbook.data import sources
from cookbook.data.pictures import load_pair
from cookbook.errors import fail
from cookbook.pages.catalogue import ROOT, recipes
from cookbook.start import early_config
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder

NAMES = [entry.name for entry in recipes()]

# What the command line alone shows to be wrong: recipe, flags, what the line says.
FLAGS = """
mnist_cnn           | --filters 10000000000        | from 1 to 1,024
mnist_cnn           | --filters 0                  | --filters got 0
mnist_cnn           | --filters -3                 | --filters got -3
mnist_cnn           | --filters 1.5                | '1.5', expected a whole number
mnist_cnn           | --filters many               | 'many', expected a whole number
mnist_cnn           | --filters                    | Missing value
mnist_cnn           | --filter 3                   | did you mean --filters?
mnist_cnn           | --batch-size 1e20            | '1e20', expected a whole number
mnist_cnn           | --batch-size 100000000000000000000 | from 1 to 65,536
mnist_cnn           | --batch 32                   | Unrecognized option: --batch
mnist_cnn           | --batchsize 32               | did you mean --batch-size?
mnist_cnn           | --batch_size 0               | --batch-size got 0
mnist_cnn           | --epochs 1000000000000       | from 1 to 1,000,000
mnist_cnn           | --epochs 1e3                 | '1e3', expected a whole number
mnist_cnn           | --epochs inf                 | 'inf', expected a whole number
mnist_cnn           | --epochs nan                 | 'nan', expected a whole number
mnist_cnn           | --epochs ''                  | '', expected a whole number
mnist_cnn           | --epochs 0x10                | '0x10', expected a whole number
mnist_cnn           | --epochs 3 4                 | Unrecognized options: 4
mnist_cnn           | --epochs 3 --epochs 5        | --epochs was given twice
mnist_cnn           | --epochs=3 --epochs 5        | --epochs was given twice
mnist_cnn           | --seed 1 --seed=1 --seed 1   | --seed was given 3 times
mnist_cnn           | --quick --quick              | --quick was given twice
mnist_cnn           | --epoch 3                    | did you mean --epochs?
mnist_cnn           | --epohcs 3                   | did you mean --epochs?
mnist_cnn           | --Epochs 3                   | did you mean --epochs?
mnist_cnn           | ---epochs 3                  | did you mean --epochs?
mnist_cnn           | -epochs 3                    | did you mean --epochs?
mnist_cnn           | epochs=3                     | Unrecognized options: epochs=3
mnist_cnn           | mnist                        | Unrecognized options: mnist
mnist_cnn           | @flags.txt                   | Unrecognized options: @flags.txt
mnist_cnn           | --learning-rate inf          | --learning-rate got inf
mnist_cnn           | --learning-rate -inf         | --learning-rate got -inf
mnist_cnn           | --learning-rate nan          | --learning-rate got nan
mnist_cnn           | --learning-rate 0            | --learning-rate got 0
mnist_cnn           | --learning-rate -1           | --learning-rate got -1
mnist_cnn           | --learning-rate 1e300        | --learning-rate got 1e+300
mnist_cnn           | --learning-rate 1e-400       | --learning-rate got 0.0
mnist_cnn           | --learning-rate 1,5          | '1,5', expected a number
mnist_cnn           | --learning-rate fast         | 'fast', expected a number
mnist_cnn           | --lr 0.1                     | Unrecognized option: --lr
mnist_cnn           | --learning_rate_ 1           | did you mean --learning-rate?
mnist_cnn           | --shift 1.01                 | from 0 to 1
mnist_cnn           | --turn -0.1                  | from 0 to 1
mnist_cnn           | --seed -1                    | --seed got -1
mnist_cnn           | --seed 4294967296            | from 0 to 2,147,483,647
mnist_cnn           | --seed 99999999999999999999  | from 0 to 2,147,483,647
mnist_cnn           | --seed one                   | 'one', expected a whole number
mnist_cnn           | --tune -1                    | --tune got -1
mnist_cnn           | --tune 1000000000            | from 0 to 100,000
mnist_cnn           | --tune 3 --tuner luck        | Expected one of ('random',
mnist_cnn           | --tuner grid                 | plays no part without --tune
mnist_cnn           | --tune 3 --with-validation   | plays no part with --tune
mnist_cnn           | --chaos -1                   | --chaos got -1
mnist_cnn           | --chaos 1000000              | from 0 to 10,000
mnist_cnn           | --chaos 2 --resume           | --resume plays no part
mnist_cnn           | --save-every 0               | --save-every got 0
mnist_cnn           | --save-every 10000000000     | from 1 to 1,000,000
mnist_cnn           | --strategy all               | Expected one of ('none',
mnist_cnn           | --quick=yes                  | Unrecognized options: yes
mnist_cnn           | --no-quick                   | did you mean --quick?
mnist_cnn           | --resume 3                   | Unrecognized options: 3
mnist_cnn           | --tensorbord                 | did you mean --tensorboard?
mnist_cnn           | --rundir x                   | did you mean --run-dir?
mnist_cnn           | --run-dir                    | Missing value
mnist_cnn           | --dat mnist                  | did you mean --data?
mnist_cnn           | --data                       | Missing value
mnist_cnn           | --units 3                    | Unrecognized option: --units
mnist_cnn           | --predict good               | Unrecognized option: --predict
mnist_mlp           | --units 0                    | --units got 0
mnist_mlp           | --units 1000000              | from 1 to 16,384
mnist_mlp           | --dropout 1                  | from 0 to 0.99
mnist_mlp           | --dropout 2                  | from 0 to 0.99
mnist_mlp           | --dropout -0.5               | from 0 to 0.99
mnist_mlp           | --dropout nan                | --dropout got nan
mnist_mlp           | --dropout inf                | --dropout got inf
mnist_mlp           | --drop-out 0.5               | did you mean --dropout?
cifar10_resnet      | --mirror                     | did you mean --no-mirror?
cifar10_resnet      | --no-mirror --no-mirror      | --no-mirror was given twice
cifar10_resnet      | --momentum 1                 | from 0 to 0.99
cifar10_resnet      | --smoothing 1                | from 0 to 0.99
cifar10_resnet      | --decay 1.5                  | from 0 to 1
cifar10_resnet      | --tune 2 --no-with-validation | plays no part with --tune
mnist_transfer      | --frozen 0                   | from 1 to 4
mnist_transfer      | --frozen 5                   | from 1 to 4
mnist_transfer      | --side 0                     | from 1 to 1,024
mnist_transfer      | --side 96                    | no part beside --backbone own
mnist_transfer      | --weights imagenet           | no part beside --backbone own
mnist_transfer      | --backbone VGG16 --filters 8 | no part beside --backbone VGG16
mnist_transfer      | --backbone VGG16 --frozen 2  | no part beside --backbone VGG16
mnist_transfer      | --backbone VGG16 --first-epochs 2 | no part beside
mnist_gan           | --latent 100000              | from 1 to 16,384
mnist_gan           | --penalty -1                 | --penalty got -1
mnist_gan           | --penalty inf                | --penalty got inf
mnist_wgan_gp       | --critic-steps 0             | --critic-steps got 0
mnist_wgan_gp       | --critic-steps 1000000       | from 1 to 100
mnist_cgan          | --filters 5000               | from 1 to 1,024
gan_anomaly         | --odd-one -1                 | --odd-one got -1
gan_anomaly         | --kappa nan                  | --kappa got nan
gan_augment         | --share 1.5                  | from 0 to 1
gan_augment         | --repeats 0                  | from 1 to 1,000
gan_augment         | --images 0                   | --images got 0
gan_augment         | --gan-filters 2000           | from 1 to 1,024
ring_gan            | --pack 1000000               | from 1 to 64
ring_gan            | --pack 0                     | --pack got 0
ring_gan            | --pack 64 --batch-size 32    | at most the points per step
imdb_cnn            | --buckets 0                  | --buckets got 0
imdb_cnn            | --buckets 10000000000        | from 1 to 1,000,000
imdb_cnn            | --words 1e5                  | '1e5', expected a whole number
imdb_cnn            | --length 1000000             | from 1 to 16,384
imdb_cnn            | --word-dropout 1             | from 0 to 0.99
imdb_cnn            | --predict                    | Missing value
imdb_cnn            | --predict a b                | Unrecognized options: b
imdb_cnn            | --predit x                   | did you mean --predict?
imdb_rnn            | --cell rnn                   | Expected one of ('simple',
imdb_rnn            | --cell ''                    | Expected one of ('simple',
imdb_rnn            | --bidirectional              | did you mean --no-bidirectional?
imdb_rnn            | --features 0                 | --features got 0
imdb_rnn            | --cell lstm --cell gru       | --cell was given twice
imdb_transformer    | --blocks 1000                | from 1 to 200
imdb_transformer    | --heads 0                    | --heads got 0
imdb_transformer    | --heads 3                    | expected a divisor of 32
imdb_transformer    | --hidden -1                  | --hidden got -1
shakespeare_gpt     | --heads 5                    | multiple of twice the heads, 10
shakespeare_gpt     | --context 100000000          | from 1 to 16,384
shakespeare_gpt     | --blocks 0                   | --blocks got 0
shakespeare_rnn     | --layers 100000              | from 1 to 200
shakespeare_rnn     | --cell simple                | Expected one of ('lstm', 'gru')
multi30k_attention  | --attention none             | Expected one of ('bahdanau',
multi30k_attention  | --vocabulary 0               | --vocabulary got 0
multi30k_attention  | --width 20000                | from 1 to 16,384
multi30k_transformer | --width 100                 | multiple of twice the heads, 16
multi30k_transformer | --expansion 1000            | from 1 to 64
multi30k_transformer | --quick --heads 10          | multiple of twice the heads, 20
addition_seq2seq    | --digits 0                   | from 1 to 18
addition_seq2seq    | --digits 30                  | from 1 to 18
addition_seq2seq    | --examples 100000000         | from 1 to 1,000,000
mackey_glass_rnn    | --window 0                   | --window got 0
mackey_glass_rnn    | --horizon -2                 | --horizon got -2
style_transfer      | --size 47                    | from 48 to 4,096
style_transfer      | --size 100000                | from 48 to 4,096
style_transfer      | --content-weight nan         | --content-weight got nan
style_transfer      | --smoothness -1              | --smoothness got -1
style_transfer      | --steps 1000000000           | from 1 to 1,000,000
style_transfer      | --with-validation            | plays no part here
style_transfer      | --weights x.h5               | no part beside --backbone own
style_transfer      | --backbone VGG19 --data mnist | no part beside --backbone VGG19
style_transfer      | --backbone VGG19 --network-epochs 2 | no part beside
long_memory         | --lengths 1                  | --lengths got 1
long_memory         | --lengths 10 100000          | --lengths got 100000
long_memory         | --lengths ten                | got 'ten', expected numbers
long_memory         | --resume                     | Unrecognized option: --resume
backprop_by_hand    | --sizes 0 2                  | --sizes got 0
backprop_by_hand    | --sizes 2 1000 2             | from 1 to 100
backprop_by_hand    | --inputs nan 1               | --inputs got nan
backprop_by_hand    | --targets inf 1              | --targets got inf
backprop_by_hand    | --weights 1e30               | --weights got 1e+30
bias_and_weights    | --hidden -1                  | --hidden got -1
bias_and_weights    | --hidden 2000                | from 0 to 1,024
bias_and_weights    | --examples 1                 | --examples got 1
epochs_and_batches  | --few 901                    | from 1 to 900
epochs_and_batches  | --wrong 2                    | from 0 to 1
losses_imbalanced   | --rare 0                     | from 0.0001 to 0.5
losses_imbalanced   | --rare 1                     | from 0.0001 to 0.5
losses_kl_both_ways | --peak 100                   | from 0.1 to 15
regularization_compared | --examples 5000          | from 1 to 1,300
initializers_and_depth  | --layers 100000          | from 1 to 200
vanishing_gradients | --moments 1000000            | from 1 to 1,000
normalization_compared  | --groups 0               | --groups got 0
optimizer_paths     | --starts 1000000             | from 1 to 1,000
optimizers_compared | --copies 1000000             | from 1 to 1,000
activations_gallery | --steps 2                    | --steps got 2
activations_gallery | --scale inf                  | --scale got inf
xor_from_scratch    | --frames 0                   | --frames got 0
xor_from_scratch    | --hidden 1000000             | from 1 to 16,384
"""
# What a recipe refuses once it looks at its data, in the same form.
DATA = """
mnist_cnn           | --data ''                    | not the name of a data set
mnist_cnn           | --data ./photos              | files of your own are not read
mnist_cnn           | --data photos/cats           | unknown data set 'photos/cats'
mnist_cnn           | --data ~/pictures            | not the name of a data set
mnist_cnn           | --data /tmp                  | not the name of a data set
mnist_cnn           | --data .                     | not the name of a data set
mnist_cnn           | --data 'mnist[:10%]'         | not the name of a data set
mnist_cnn           | --data a/b                   | unknown data set 'a/b'
mnist_cnn           | --data mnist/                | not the name of a data set
mnist_cnn           | --data mnist/a               | BuilderConfig a not found
mnist_cnn           | --data mnist/split=a         | not the name of a data set
mnist_cnn           | --data mnist:9.9.9           | at version 9.9.9, only: 3.0.1
mnist_cnn           | --data mnist:latest          | not the name of a data set
mnist_cnn           | --data huggingface:x         | not the name of a data set
mnist_cnn           | --data kaggle:a/b            | not the name of a data set
mnist_cnn           | --data ünïcode               | 'ünïcode', which is not
mnist_cnn           | --data '数字'                 | not the name of a data set
mnist_cnn           | --data 'mnist cifar10'       | not the name of a data set
mnist_cnn           | --data ' mnist'              | did you mean mnist
mnist_cnn           | --data MNIST                 | did you mean mnist
mnist_cnn           | --data mnist,cifar10         | not the name of a data set
mnist_cnn           | --data 3                     | not the name of a data set
mnist_cnn           | --data None                  | not the name of a data set
mnist_cnn           | --data=-1                    | not the name of a data set
mnist_cnn           | --data mnits                 | did you mean mnist
mnist_cnn           | --data imdb_reviews          | has no labelled images
mnist_cnn           | --data tiny_shakespeare      | has no labelled images
mnist_cnn           | --data spoken_digit          | has no labelled images
mnist_cnn           | --data universal_dependencies | has no labelled images
mnist_cnn           | --data wmt16_translate/de-en | has no labelled images
mnist_cnn           | --data moving_mnist          | has no labelled images
mnist_cnn           | --data coco                  | has no labelled images
mnist_cnn           | --data tf_flowers            | has images of varying size
mnist_cnn           | --data imagenet_resized/8x8  | has images of 8 x 8 pixels
mnist_cnn           | --data generated_reviews     | unknown data set
cifar10_resnet      | --data reviews.csv           | such as mnist, fashion_mnist
mnist_mlp           | --data imdb_reviews          | has no labelled images
mnist_transfer      | --data imdb_reviews          | has no labelled images
mnist_gan           | --data caltech_birds2010     | images of varying size
mnist_gan           | --data celeb_a               | has no labelled images
gan_augment         | --data imagenet_resized/8x8  | has images of 8 x 8 pixels
gan_anomaly         | --data digits --odd-one 10   | --odd-one got 10
imdb_rnn            | --data reviews.csv           | such as imdb_reviews
imdb_rnn            | --data mnist                 | has no labelled texts
imdb_rnn            | --data spoken_digit          | has no labelled texts
imdb_rnn            | --data glue                  | has no labelled texts
imdb_cnn            | --data digits                | unknown data set 'digits'
imdb_transformer    | --data ''                    | not the name of a data set
shakespeare_gpt     | --data 'my novel.txt'        | not the name of a data set
shakespeare_gpt     | --data mnist                 | has no long text
shakespeare_rnn     | --data wmt16_translate/de-en | has no long text
shakespeare_rnn     | --quick --context 5000       | --context got 5000
multi30k_attention  | --data mnist                 | has no sentences in German
multi30k_attention  | --data wmt16_translate/cs-en | has no sentences in German
multi30k_attention  | --data de.txt                | such as multi30k
addition_seq2seq    | --data math_dataset          | expected sums: they are generated
addition_seq2seq    | --digits 1                   | give at least 3
addition_seq2seq    | --quick --digits 1 --examples 5 | give at least 2
addition_seq2seq    | --examples 1000000           | expected at most 240250
mackey_glass_rnn    | --data mnist                 | the series is generated
mackey_glass_rnn    | --window 1000                | expected at most 500 in sum
ring_gan            | --data mnist                 | leave --data out
style_transfer      | --data spoken_digit          | has no labelled images
style_transfer      | --quick --content /dev/zero  | it is not a file
style_transfer      | --quick --content /tmp       | it is not a file
style_transfer      | --quick --content nothing.jpg | No such file
style_transfer      | --quick --style ''           | it is not a file
style_transfer      | --quick --style {file}       | cannot identify image file
long_memory         | --lengths                    | at least one
bias_and_weights    | --hidden                     | at least one
backprop_by_hand    | --sizes 2                    | --sizes got (2,)
backprop_by_hand    | --sizes 2 3 2 --weights 1    | expected 12 and 2
normalization_compared | --groups 5                | expected a divisor of 16
regularization_compared | --steps 5                | expected at most --steps, 5
losses_imbalanced   | --examples 1                 | gave only one class
"""


def rows(table):
    return [
        [part.strip() for part in row.split("|")] for row in table.split("\n") if row
    ]


@functools.cache
def config_of(recipe):
    """The recipe's Config, built without TensorFlow, as `start` builds it."""
    return early_config((ROOT / "recipes" / f"{recipe}.py").read_text())


def line_of(stop, capsys):
    """The one line of a mistake; what stands before it are notes."""
    assert stop.value.code == 2
    captured = capsys.readouterr()
    *before, line = captured.err.strip("\n").split("\n")
    assert not before
    assert line.startswith("error: ")
    assert line.isprintable()
    assert "Traceback" not in captured.out
    return line


def test_the_table_is_long_enough():
    assert len(rows(FLAGS)) + len(rows(DATA)) >= 160


@pytest.mark.parametrize(("recipe", "words", "expected"), rows(FLAGS))
def test_a_wrong_flag_is_one_line_and_status_2(recipe, words, expected, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(config_of(recipe), shlex.split(words))
    assert expected in line_of(stop, capsys)


@pytest.mark.parametrize(("recipe", "given", "expected"), rows(DATA))
def test_wrong_data_are_one_line_status_2_and_no_run_folder(
    recipe, given, expected, capsys, tmp_path, monkeypatch
):
    monkeypatch.setattr(sources, "network_answers", lambda: False)
    file = tmp_path / "text.txt"
    file.write_text("no picture")
    module = importlib.import_module(f"recipes.{recipe}")
    words = shlex.split(given.replace("{file}", str(file)))
    words += ["--run-dir", str(tmp_path / "runs")]
    with pytest.raises(SystemExit) as stop:
        module.main(parse(module.Config, words))
    assert expected in line_of(stop, capsys)
    assert not (tmp_path / "runs").exists()


@functools.cache
def first_recipes():
    """{flag: the first recipe that has it}: most flags belong to many recipes."""
    found = {}
    for name in NAMES:
        for field in dataclasses.fields(config_of(name)):
            found.setdefault(flag_name(field.name), name)
    return found


def numbers_of(config_class):
    """(field, the type of its number, its range) of every field that holds numbers."""
    hints = typing.get_type_hints(config_class, include_extras=True)
    for field in dataclasses.fields(config_class):
        hint = hints[field.name]
        if typing.get_origin(hint) is tuple:
            hint, *_ = typing.get_args(hint)
        marks = [m for m in getattr(hint, "__metadata__", ()) if isinstance(m, Between)]
        kind = getattr(hint, "__origin__", hint)
        if kind in (int, float):
            yield field, kind, (marks or [None])[0]


@pytest.mark.parametrize("recipe", NAMES)
def test_every_number_of_every_recipe_has_a_bound(recipe):
    """Also NaN, the infinities and what no memory holds are refused, with the flag."""
    config_class = config_of(recipe)
    found = 0
    for field, _, allowed in numbers_of(config_class):
        wrong = [10**10, 10**20, -(10**10), 10**400, -1e308]
        wrong += [float("nan"), float("inf"), -float("inf")]
        if allowed:
            wrong += [allowed.low - 1, allowed.high + 1, allowed.high * 1.001]
        for value in wrong:
            given = (value,) if isinstance(field.default, tuple) else value
            with pytest.raises(ValueError, match=f"^{flag_name(field.name)} got ") as e:
                config_class(**{field.name: given})
            assert "expected a number from" in str(e.value)
            found += 1
    assert found


@pytest.mark.slow
@pytest.mark.parametrize("recipe", NAMES)
def test_every_flag_of_every_recipe_refuses_what_it_can_t_read(recipe, capsys):
    config_class = config_of(recipe)
    for field, kind, _ in numbers_of(config_class):
        flag = flag_name(field.name)
        if first_recipes()[flag] != recipe:
            continue
        words = ["x", "", "\x1b[2J"] + ["1.5", "1e3"] * (kind is int)
        for word in words:
            with pytest.raises(SystemExit) as stop:
                parse(config_class, [f"{flag}={word}"])
            assert f"{flag} got " in line_of(stop, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", NAMES)
def test_every_flag_is_suggested_to_who_mistypes_it(recipe, capsys):
    config_class = config_of(recipe)
    known = {flag_name(field.name) for field in dataclasses.fields(config_class)}
    new = [flag for flag in known if first_recipes()[flag] == recipe and len(flag) > 6]
    for flag in new:
        for wrong in {flag[:-1], flag + "s", flag[:4] + flag[5:]} - known:
            with pytest.raises(SystemExit) as stop:
                parse(config_class, [wrong, "3"])
            line = line_of(stop, capsys)
            assert re.search(rf"did you mean .*{flag.removeprefix('--')}", line), wrong


@pytest.mark.parametrize("recipe", NAMES)
def test_the_defaults_of_every_recipe_are_valid_with_and_without_quick(recipe):
    config_class = config_of(recipe)
    for given in ([], ["--quick"]):
        config = parse(config_class, given)
        assert config == config_class(quick=bool(given))
        assert not set(config.idle()) & set(config_class.in_quick)
        assert flags(config) == " ".join(given)
    names = {field.name for field in dataclasses.fields(config_class)}
    assert set(config_class.in_quick) <= names


@pytest.mark.parametrize("recipe", NAMES)
def test_what_the_user_gives_wins_over_quick(recipe):
    """Also a value that is the usual default, which --quick would replace."""
    config_class = config_of(recipe)
    for field in dataclasses.fields(config_class):
        if field.name not in config_class.in_quick or field.default is True:
            continue
        values = field.default if isinstance(field.default, tuple) else [field.default]
        words = ["--quick", flag_name(field.name), *map(str, values)]
        config = parse(config_class, words)
        assert getattr(config, field.name) == field.default
        assert config == config_class(quick=True, **{field.name: field.default})
        assert parse(config_class, shlex.split(flags(config))) == config
        again = dataclasses.replace(config, seed=3)
        assert getattr(again, field.name) == field.default


def test_quick_is_applied_in_one_place():
    """A recipe's main would replace what the user gave, as each of them once did."""
    for name in NAMES:
        source = (ROOT / "recipes" / f"{name}.py").read_text()
        assert not re.search(r"if config.quick:[^\n]*\n\s+config = ", source), name


def test_a_note_tells_of_a_common_flag_that_changes_nothing(capsys):
    config = parse(config_of("losses_kl_both_ways"), ["--seed", "3"])
    assert config.seed == 3
    assert capsys.readouterr().err == (
        "note: --seed plays no part here, as nothing is random\n"
    )


def test_random_weights_are_announced(capsys):
    module = importlib.import_module("recipes.backprop_by_hand")
    flags = ["--sizes", "3", "4", "2", "--inputs", "1", "2", "3"]
    layers = module.start_layers(parse(module.Config, flags))
    assert [w.shape for w, _ in layers] == [(4, 3), (2, 4)]
    assert capsys.readouterr().err.startswith("note: the start weights")


def test_every_field_of_a_config_plays_a_part():
    """A flag that nothing reads would be accepted and change nothing."""
    shared = [*(ROOT / "cookbook").rglob("*.py")]
    text = "\n".join(path.read_text() for path in shared)
    for name in NAMES:
        source = (ROOT / "recipes" / f"{name}.py").read_text()
        for field in dataclasses.fields(config_of(name)):
            read = rf"(config|settings|self|asked)\.{field.name}\b"
            assert re.search(read, source) or re.search(read, text), (name, field.name)


@pytest.mark.parametrize("kind", ["file", "file above", "no permission"])
def test_a_run_dir_that_can_t_be_used_is_one_line(kind, tmp_path, capsys, monkeypatch):
    module = importlib.import_module("recipes.mnist_mlp")
    file = tmp_path / "file"
    file.write_text("")
    folder = file / "runs" if kind == "file above" else file
    if kind == "no permission":

        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(SystemExit) as stop:
        module.main(parse(module.Config, ["--quick", "--run-dir", str(folder)]))
    assert f"--run-dir got {folder}" in line_of(stop, capsys)
    assert file.read_text() == ""


@pytest.mark.parametrize("failing", ["backbone", "memory", "later"])
def test_a_mistake_leaves_no_half_made_run_behind(
    failing, tmp_path, capsys, monkeypatch
):
    """--resume would take such a run for one that can go on."""
    module = importlib.import_module("recipes.mnist_transfer")
    words = ["--quick", "--backbone", "Nothing", "--run-dir", str(tmp_path / "runs")]
    monkeypatch.setattr("sys.argv", ["mnist_transfer.py", *words])

    def main(config):
        if failing == "backbone":
            module.main(config)
        run = RunFolder.open("mnist_transfer", config)
        if failing == "memory":
            raise MemoryError
        (run.path / "step_3.save").write_text("")
        fail("something that a run comes upon later")

    with pytest.raises(SystemExit) as stop:
        launch(main, module.Config)
    assert "--backbone got" in line_of(stop, capsys) or failing != "backbone"
    assert (tmp_path / "runs").exists() == (failing == "later")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("pipe", "it is not a file"),
        ("device", "it is not a file"),
        ("folder", "it is not a file"),
        ("huge", "more than 100,000,000"),
        ("bomb", "pixels) exceeds limit"),
        ("text", "cannot identify image file"),
        ("cut", "no readable picture"),
    ],
)
def test_a_file_that_is_no_picture_is_one_line_and_never_read_for_ever(
    kind, expected, tmp_path, capsys, monkeypatch
):
    path = tmp_path / "picture.png"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(200_000_000)
    elif kind == "text":
        path.write_text("not a picture")
    else:
        Image.new("RGB", (64, 64)).save(path)
    if kind == "bomb":
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3000)
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(SystemExit) as stop:
        load_pair(str(path), "flower", 96, "digits")
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(f"error: --content got '{path}'")
    assert expected in line
