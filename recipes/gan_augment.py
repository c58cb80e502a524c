"""A GAN as data augmentation: do generated images help where real ones are few?

    python recipes/gan_augment.py
    python recipes/gan_augment.py --per-class 20

A conditional GAN like mnist_cgan's learns from a few images of each class. Then one
classifier learns, in equally many steps, from each of three training sets: the real
images alone; the same, varied by small shifts and turns; half real images, half
generated ones. That is done for several numbers of real images, in 20 minutes. Expected
(means of three seeds of three repetitions each, with the standard error of the gain):

    real images of each class               5      20      50     200
    real alone                         66.9 %  86.1 %  92.2 %  96.0 %
    varied                             80.1 %  93.1 %  95.4 %  97.2 %
    generated                          72.4 %  87.9 %  92.1 %  95.3 %
    gain by generated images (points)  5.6     1.9     -0.1    -0.7
    its standard error                 0.6     0.4     0.6     0.1

So generated images help where real ones are very few, make no difference with 50 of
each class, and harm where there are enough. Shifts and turns help more, at a fraction
of the work.

Paper: Antoniou, Storkey, Edwards, "Data augmentation generative adversarial networks",
2017. https://arxiv.org/abs/1711.04340
"""

from dataclasses import dataclass, replace

from cookbook.start import start

start(__name__, onednn=True)  # oneDNN halves the time of a convolution

import keras

from cookbook.config import (
    BatchSize,
    Count,
    Filters,
    ImageConfig,
    Rate,
    Repeats,
    Share,
    Size,
)
from cookbook.data.batches import training_steps
from cookbook.data.images import Images, centre, load_images
from cookbook.plots.gallery import draw_contest
from cookbook.reports.finish import Run
from cookbook.reports.generated.augmentation import (
    repeated,
    report_augmentation,
    with_generated,
)
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.layers import (
    BatchNormalization,
    Conv2D,
    Dense,
    Embedding,
    MaxPooling2D,
    RandomAffine,
    ReLU,
)
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.models import AdversarialModel, GradientPenalty, NonSaturatingGAN
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import CosineDecay
from recipes import mnist_cgan, mnist_gan

EXPECTED = {"mnist": (0.921, 0.02)}


@dataclass(frozen=True)
class Config(ImageConfig):
    epochs: Count = 8  # epochs of each classifier
    gan_epochs: Count = 18  # epochs of the GAN
    images: Count = 6400  # images per epoch: the few real ones, again and again
    per_class: Count = 50  # real images of each class to learn from
    # more numbers of real images, which make a curve together with --per-class
    others: tuple[Count, ...] = (5, 20, 200)
    share: Share = 0.5  # share of generated images in the mixture
    # repetitions of everything, each with other images
    repeats: Repeats = 3
    shift: Share = 2 / 28  # varied images shift by up to this share of a side
    turn: Share = 10 / 360  # varied images turn by up to this share of a circle
    # filters in a classifier's block 1; then 2 and 4 times as many
    filters: Filters = 16
    gan_filters: Filters = 16  # filters of the GAN at 14x14 pixels; twice that at 7x7
    latent: Size = 64  # length of the noise vector that becomes an image
    penalty: Rate = 0.5  # weight of the critic's squared gradient at real images
    batch_size: BatchSize = 64  # images per step
    gan_rate: Rate = 1e-3  # first learning rate of the generator and the critic
    learning_rate: Rate = 3e-3  # first learning rate of each classifier

    # with the number of --per-class alone, there is no curve
    in_quick = {"images": 320, "batch_size": 32, "repeats": 1, "others": (50,)}


def space(hp) -> Config:
    return Config(
        filters=hp.Choice("filters", [8, 12, 16]),
        learning_rate=hp.Float("learning_rate", 5e-4, 2e-2, sampling="log"),
    )


def schedule(rate: float, config: Config) -> CosineDecay:
    return CosineDecay(rate, training_steps(config, config.images), alpha=0.02)


def generator(config: Config, data: Images) -> keras.Model:
    """mnist_cgan's generator, but its embedding is made last and so seeded last.

    That order gives the same weights as the runs that EXPECTED comes from.
    """
    from_vectors = mnist_gan.generator(
        data.shape, 2 * config.latent, config.gan_filters
    )
    noise = keras.Input((config.latent,))
    label = keras.Input((), dtype="int32")
    label_vector = Embedding(len(data.classes), config.latent)(label)
    vectors = keras.layers.Concatenate()([noise, label_vector])
    return keras.Model([noise, label], from_vectors(vectors))


def learn_gan(config: Config, data: Images, run: RunFolder) -> AdversarialModel:
    seed_everything(config.seed)
    gan = AdversarialModel(
        generator(config, data),
        mnist_cgan.critic(data.shape, len(data.classes), config.gan_filters),
        loss=NonSaturatingGAN(),
        penalty=GradientPenalty(config.penalty, target=0, at="real"),
    )
    print(f"The GAN learns {config.per_class} real images of each class")
    rate = schedule(config.gan_rate, config)
    gan.compile(
        generator_optimizer=Adam(rate, beta_1=0.5),
        critic_optimizer=Adam(rate, beta_1=0.5),
        jit_compile=False,
    )
    history = train(
        gan, data, config, run.part(f"gan_{config.per_class}_{config.seed}")
    )
    draw_contest(history, run)
    return gan


def build(config: Config, data: Images, varied: bool = False) -> keras.Model:
    """The classifier; with `varied` it shifts and turns the images that it learns."""
    n = config.filters
    model = keras.Sequential([keras.Input(data.shape)])  # 28, 28, 1
    if varied:
        shift, turn = config.shift, config.turn
        moved = RandomAffine(
            shift, shift, rotation=turn, fill_mode="constant", fill_value=-1
        )
        model.add(moved)
    for filters in (n, 2 * n, 4 * n):  # 13, 13, n; 5, 5, 2n; 1, 1, 4n
        model.add(Conv2D(filters, 3, use_bias=False))
        model.add(MaxPooling2D())
        model.add(BatchNormalization(momentum=0.9))
        model.add(ReLU())

    model.add(keras.layers.Flatten())
    model.add(Dense(len(data.classes), dtype="float32"))
    model.compile(
        optimizer=Adam(schedule(config.learning_rate, config)),
        loss=SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    return model


def main(config: Config) -> Run:
    data = load_images(
        config.data, "mnist", config.quick, config.image_size, smallest=22, multiple=4
    )
    parts = centre(data)  # pixels from -1 to 1, as generated images have them
    data = replace(
        data,
        train=parts["train"],
        validation=parts["validation"],
        test=parts["test"],
    )
    run = RunFolder.open("gan_augment", config)

    if config.tune:  # for real images alone: the search does not favour the others
        few = repeated(data.few(config.per_class, config.seed), config.images)
        config = search(space, build, few, config, run)
        config = replace(config, with_validation=False)  # the few stay few

    others = [n for n in dict.fromkeys(config.others) if n != config.per_class]
    curve: dict[int, dict[str, list[float]]] = {}  # {images per class: accuracies}
    for number in (*others, config.per_class):
        curve[number] = {"real": [], "varied": [], "generated": []}
        for repeat in reversed(range(config.repeats)):
            seed = (config.repeats * config.seed + repeat) % 2**32
            settings = replace(config, seed=seed, per_class=number)
            few = repeated(data.few(number, seed), config.images)
            gan = learn_gan(replace(settings, epochs=config.gan_epochs), few, run)
            mixture = with_generated(few, gan, config.share, seed)
            training_sets = {"real": few, "varied": few, "generated": mixture}

            for way, part in training_sets.items():
                print(f"A classifier learns from this training set: {way}")
                seed_everything(seed)
                model = build(settings, part, varied=way == "varied")
                is_last = (number, repeat, way) == (config.per_class, 0, "generated")
                folder = run if is_last else run.part(f"{way}_{number}_{repeat}")
                history = train(model, part, settings, folder)
                _, accuracy = model.evaluate(*data.test, batch_size=500, verbose=0)
                curve[number][way].append(accuracy)

    return report_augmentation(model, gan, curve, few, history, run, EXPECTED)


if __name__ == "__main__":
    launch(main, Config)
