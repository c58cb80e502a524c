"""How well a plain script translates images."""

import matplotlib.pyplot as plt
import numpy as np
from scipy.linalg import sqrtm


def report_translated_images(model, data) -> dict[str, float]:
    """How many test images keep their class, and their Frechet distance; a picture."""
    x, y = data.test
    made = model.generator.predict(x, batch_size=500, verbose=0)

    # Ten images, below them their translations, and these translated back
    there = made[:10]
    back = model.inverse(there)
    rows = []
    for images in (x[:10], there, back):
        row = np.hstack(list(images))
        rows.append(row)
    sheet = np.vstack(rows)
    plt.imsave("translations.png", sheet[..., 0], cmap="gray_r")

    # What the judge sees in all of them
    f, _ = data.judge.predict(y, batch_size=500, verbose=0)
    g, logits = data.judge.predict(made, batch_size=500, verbose=0)
    answers = logits.argmax(-1)
    is_same = answers == data.printed_labels

    # How far their features are from those of real images
    S = np.cov(f.T)
    T = np.cov(g.T)
    root = sqrtm(S @ T)
    gap = f.mean(0) - g.mean(0)
    spread = np.trace(S + T - 2 * root.real)

    figures = {
        "same class": is_same.mean(),
        "Frechet distance": gap @ gap + spread,
    }
    print(figures)
    return figures
