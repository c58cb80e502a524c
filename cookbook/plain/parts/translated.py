"""Printed and handwritten images of a plain script, and their translation."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import Model, ops
from PIL import Image, ImageDraw, ImageFont
from scipy.linalg import sqrtm

FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmti10", "cmtt10"),
)


class CycleGAN(Model):
    """Two generators that translate between images x and y, and two critics."""

    def __init__(
        self,
        generator: Model,
        inverse: Model,
        critic_x: Model,
        critic_y: Model,
        penalty: float,
        cycle: float,
        identity: float,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.inverse = inverse
        self.critic_x = critic_x
        self.critic_y = critic_y
        self.penalty = penalty
        self.cycle = cycle
        self.identity = identity

    def compile(self, generator_optimizer, critic_optimizer, **options):
        super().compile(**options)
        self.generator_optimizer = generator_optimizer
        self.critic_optimizer = critic_optimizer

    def train_step(self, data):
        x, y = data
        G, F = self.generator, self.inverse

        # The generators learn to fool the critics, and to keep what images show.
        with tf.GradientTape() as tape:
            x_made, y_made = F(y), G(x)
            fooled = ops.mean(ops.square(self.critic_x(x_made) - 1))
            fooled += ops.mean(ops.square(self.critic_y(y_made) - 1))
            cycle = distance(F(y_made), x) + distance(G(x_made), y)
            identity = distance(F(x), x) + distance(G(y), y)
            total = fooled + self.cycle * cycle + self.identity * identity

        weights = [*G.trainable_variables, *F.trainable_variables]
        gradients = tape.gradient(total, weights)
        self.generator_optimizer.apply(gradients, weights)

        # The critics learn to tell translations from images.
        with tf.GradientTape() as tape:
            critic_loss = self.critic_loss(self.critic_x, x, x_made)
            critic_loss += self.critic_loss(self.critic_y, y, y_made)

        weights = self.critic_x.trainable_variables + self.critic_y.trainable_variables
        gradients = tape.gradient(critic_loss, weights)
        self.critic_optimizer.apply(gradients, weights)

        return {"critic_loss": critic_loss, "fooled": fooled, "cycle": cycle}

    def critic_loss(self, critic, real, made):
        """Squared errors of the scores, and the squared slope at real images (R1)."""
        with tf.GradientTape() as tape:
            tape.watch(real)
            scores = critic(real)

        slopes = tape.gradient(scores, real)
        steepness = ops.sum(ops.square(slopes), axis=(1, 2, 3))
        of_real = ops.mean(ops.square(scores - 1))
        of_made = ops.mean(ops.square(critic(made)))
        return of_real + of_made + self.penalty * ops.mean(steepness)


def distance(a, b):
    return ops.mean(ops.abs(a - b))


@cache
def glyph(font: str, character: str) -> Image.Image:
    """The character in the middle of a square, white on black."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    loaded = ImageFont.truetype(str(folder / f"{font}.ttf"), 64)
    image = Image.new("L", (96, 96))
    ImageDraw.Draw(image).text((48, 48), character, 255, loaded, anchor="mm")
    return image


def drawn(character: str, side: int, rng: np.random.Generator) -> np.ndarray:
    """The character in a font drawn at random, a little slanted and turned."""
    slant, angle = rng.uniform(-1, 1, 2)
    image = glyph(FONTS[rng.integers(len(FONTS))], character).rotate(8 * angle)
    slanted = 1, slant / 4, -12 * slant, 0, 1, 0
    image = image.transform(image.size, Image.Transform.AFFINE, slanted)

    # As in MNIST, the longer side fills 20 of 28 pixels.
    image = image.crop(image.getbbox())
    scale = side * 20 / 28 / max(image.size)
    width, height = (max(1, round(scale * length)) for length in image.size)
    pixels = np.zeros((side, side), "uint8")
    top, left = (side - height) // 2, (side - width) // 2
    pixels[top : top + height, left : left + width] = image.resize((width, height))
    return pixels


def printed_images(data: SimpleNamespace) -> dict[str, tuple]:
    """{part: (images, labels)}: as many printed characters as `data` has images."""
    printed = {}
    for seed, part in enumerate(("train", "validation", "test")):
        _, handwritten_labels = getattr(data, part)
        rng = np.random.default_rng(seed)
        labels = rng.integers(len(data.classes), size=len(handwritten_labels))
        images = [drawn(data.classes[i], data.shape[0], rng) for i in labels]
        printed[part] = np.array(images)[..., None], labels
    return printed


def unpaired(printed: dict[str, tuple], data: SimpleNamespace) -> SimpleNamespace:
    """Parts of printed and handwritten images, of which no two belong together."""
    _, data.printed_labels = printed["test"]
    for part in ("train", "test"):
        x, _ = printed[part]
        y, _ = getattr(data, part)
        setattr(data, part, (x.astype("float32") / 127.5 - 1, y))
    return data


def report_translation(model, data) -> dict[str, float]:
    """How many test images keep their class, and their Frechet distance; a picture."""
    x, y = data.test
    made = model.generator.predict(x, batch_size=500, verbose=0)
    rows = [images[:10, ..., 0] for images in (x, made, model.inverse(made[:10]))]
    sheet = np.vstack([np.hstack(list(row)) for row in rows])
    plt.imsave("translations.png", sheet, cmap="gray_r")

    f, _ = data.judge.predict(y, batch_size=500, verbose=0)
    g, logits = data.judge.predict(made, batch_size=500, verbose=0)
    share = np.mean(logits.argmax(-1) == data.printed_labels)
    S, T = np.cov(f.T), np.cov(g.T)
    gap = f.mean(0) - g.mean(0)
    apart = gap @ gap + np.trace(S + T - 2 * sqrtm(S @ T).real)
    print(f"same class: {share:.4f}, Frechet distance: {apart:.2f}")
    return {"same class": share, "Frechet distance": apart}
